#!/bin/bash
# SPDX-License-Identifier: MIT
# kcore of kernels before 4.11, whose headers have no physical addresses:
# these are found by iomem, or the file is refused.  Wrong bytes stand where
# one who believes the headers would read, as far as files get that large.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

where=$T
if shm=$(mktemp -d /dev/shm/avml-cli.XXXXXX 2>/dev/null); then
	made_up+=("$shm")
	! truncate -s 200T "$shm/try" 2>/dev/null || where=$shm
	rm -f "$shm/try"
fi
[ "$where" != "$T" ] || skip_part "all of the wrong bytes: no tmpfs"
from=(--proc "$where/proc" --source kcore)
# memory [OPTION...]: what all the following ones hold.
memory()
{
	mkimage "$@" "$T/memory" "$T/iomem"
}
# make MODEL [OPTION...]
make()
{
	rm -rf "$where/proc"
	mkimage --keep --kcore-legacy "$1" --proc "$where/proc" "${@:2}" \
		"$T/memory" "$T/iomem" || fail "no kcore of $*"
}
# read_well STATUS MODEL [OPTION...] -- [WHAT IS LEFT OUT]
read_well()
{
	local status=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	make "${options[@]}"
	expect_status "$status" avml "${from[@]}" "$T/out"
	expect_image "$T/out" "$T/memory" "$T/iomem" "$@"
}
refused()
{
	make "$@"
	expect_error 1 '4\.11' avml "${from[@]}" "$T/new"
	expect_err kcore
	expect_absent "$T/new"
}

models='rhel7 kaslr rhel6 s390x'
# RAM in one piece: there is less to go by.
memory --size 4 --layout flat
for model in $models; do
	read_well 0 "$model" --
done
refused kaslr --lie old-twice
refused kaslr --lie old-twice-first
memory --size 4 --layout split4g
for model in $models; do
	read_well 0 "$model" --
	read_well 0 "$model" --lie old-ram-first --
	refused "$model" --lie old-shifted
	refused "$model" --lie old-no-ram
done
memory --size 4 --layout arm
for model in arm64 arm64-mask; do
	read_well 0 "$model" --
	read_well 0 "$model" --lie old-ram-first --
	refused "$model" --lie old-shifted
	refused "$model" --lie old-no-ram
done
# Nothing but the kernel's text could be RAM, by its size.
memory --size 40 --fill lonely --layout flat
refused rhel7 --lie old-no-ram

# In this layout two lines of RAM share a page, which is in neither.
memory --size 8
for model in $models; do
	read_well 3 "$model" -- --left-out 0x217000-0x218000
	expect_unreadable 0x217000 0x218000 'in no program header'
done
# Two direct maps, and the bytes of one of them are wrong.
refused rhel7 --lie old-twice
refused rhel7 --lie old-twice-first

# Another machine's iomem, and none at all.
make rhel7
cat >"$T/other" <<END
00002000-000a0fff : System RAM
00400000-00bfffff : System RAM
END
expect_error 1 '4\.11' avml "${from[@]}" --iomem "$T/other" "$T/new"
rm "$where/proc/iomem"
expect_error 1 '4\.11' avml "${from[@]}" "$T/new"
expect_err 'iomem|RAM'
expect_absent "$T/new"

# RAM that came after the headers were made: read well, or not at all.
memory --size 6 --layout split4g
make rhel7 --lie old-missing-range
status=0
avml "${from[@]}" --max-unreadable 100 "$T/new" 2>"$T/err" || status=$?
check_sanitizer
case $status in
1) expect_absent "$T/new" ;;
3)
	expect_image "$T/new" "$T/memory" "$T/iomem" \
		--left-out 0x100000000-0x100300000
	;;
*) fail "status $status: $(said)" ;;
esac

# Refused, it takes no part; another source does.
mkimage --keep --mark --kcore-legacy rhel7 --lie old-shifted \
	--proc "$where/other" --dev "$T/dev" "$T/memory" "$T/iomem"
rm "$T/dev/crash"
expect_status 0 avml --proc "$where/other" --dev "$T/dev" "$T/out"
expect_image "$T/out" "$T/memory.mem" "$T/iomem"
