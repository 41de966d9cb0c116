#!/bin/bash
# SPDX-License-Identifier: MIT
# `avml sources`: for each source whether it would work, else why not and
# what helps; status 0 if any works, else 1.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# list STATUS [OPTION...]
list()
{
	local status=$1
	shift
	expect_status "$status" avml sources "${from[@]}" "$@" >"$T/list"
	if [ "$status" = 0 ]; then
		[ ! -s "$T/err" ] || fail "$(said)"
	else
		expect_error_form
		expect_err '^error: no source of memory works$'
	fi
}
expect_list()
{
	local regex
	for regex; do
		grep -qE -e "$regex" "$T/list" ||
			fail "no /$regex/ in: $(tr '\n' '|' <"$T/list")"
	done
}
expect_not_listed()
{
	! grep -aE -e "$1" "$T/list" >"$T/found" || fail "$(cat -v "$T/found")"
}
make_sources --size 8 --kpageflags
bytes=0
count=0
while IFS=- read -r start end; do
	bytes=$((bytes + end - start))
	count=$((count + 1))
done < <(lime_ranges "$T/iomem")
list 0
expect_list "^$T/dev/crash +yes +is read" "^$T/proc/kcore +yes" \
	"^$T/dev/mem +yes" \
	"^$T/proc/iomem +yes +$count ranges, $bytes bytes" \
	'^kpageflags +yes' "$(uname -r)"
[ "$(grep -cE 'yes +is read' "$T/list")" = 1 ] || fail "more than one is first"
expect_not_listed '  no  '
# In the order in which they are tried.
order=$(grep -oE 'dev/crash|proc/kcore|dev/mem' "$T/list" | tr '\n' ' ')
[ "$order" = 'dev/crash proc/kcore dev/mem ' ] || fail "order: $order"

rm "$T/dev/crash"
: >"$T/dev/mem"
rm "$T/proc/kpageflags"
list 0
expect_list "^$T/dev/crash +no .*(No such|not exist)" 'modprobe crash' \
	"^$T/proc/kcore +yes +is read" "^$T/dev/mem +no +[a-z]" \
	'^kpageflags +no'
: >"$T/proc/kcore"
list 1
expect_list "^$T/proc/kcore +no .*(masked|empty)" '--proc'
expect_not_listed ' yes +is read'
rm "$T/dev/mem" "$T/proc/kcore"
list 1
expect_list "^$T/proc/kcore +no " "^$T/dev/mem +no "

# A proc that is no mounted one: this machine's devices do not go with it.
make_sources --size 8 --keep
expect_status 0 avml sources --proc "$T/proc" >"$T/list"
expect_list "^$T/proc/kcore +yes +is read"
expect_not_listed 'crash|/mem\>'

# Which ranges are RAM: another iomem, none, and one for those without rights.
sed 's/System RAM/Reserved/; s/^00100000.*/00100000-002fffff : System RAM/' \
	"$T/iomem" >"$T/other"
list 0 --iomem "$T/other"
expect_list "^$T/other +yes +1 ranges, 2097152 bytes"
list 1 --iomem "$T/none"
expect_list "^$T/none +no .*No such"
# Then the headers of kcore tell it, and only kcore can do without.
sed 's/[0-9a-f]*-[0-9a-f]*/00000000-00000000/' "$T/iomem" >"$T/proc/iomem"
for iomem in zeros none; do
	list 0
	expect_list "^$T/proc/iomem +no +." "^$T/proc/kcore +yes +is read" \
		"^$T/dev/crash +no .*RAM" "^$T/dev/mem +no .*RAM"
	[ $iomem = none ] || rm "$T/proc/iomem"
done
rm "$T/proc/kcore"
list 1

# The list is what was asked for: it is written, or that is the error.
make_sources --size 8 --keep
expect_error 1 . avml sources "${from[@]}" >/dev/full
expect_error 1 . avml sources "${from[@]}" --json >/dev/full
expect_error 2 "$T/out" avml sources "${from[@]}" "$T/out"
expect_error 2 bogus avml sources "${from[@]}" --bogus
expect_error 2 json avml sources "${from[@]}" --json --json
expect_error 2 json avml sources "${from[@]}" --json=yes
expect_error 2 proc avml sources "${from[@]}" --proc "$T/proc"
expect_absent "$T/out"
# Nothing was written, and no old file looked at.
ln -s "$AVML" "$T/avml-sources"
AVML=$T/avml-sources
expect_status 0 avml "${from[@]}" >"$T/again"
AVML=$(readlink "$T/avml-sources")
list 0
expect_same "$T/list" "$T/again"

# Names cannot paint the terminal.
odd=$T/$'odd\e[31m\xff'
mkdir "$odd"
expect_status 1 avml sources --proc "$odd" --dev "$odd" >"$T/list"
expect_not_listed $'[\e\xff]'
