#!/bin/bash
# SPDX-License-Identifier: MIT
# `avml sources --json`: one object with these keys and types, whatever the
# sources are and whatever bytes are in a path.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# json STATUS NAME=REASON... [-- OPTION...]: what is said of each source.
json()
{
	local status=$1 wanted=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		wanted+=("$1")
		shift
	done
	shift $(($# > 0))
	expect_status "$status" avml sources "${from[@]}" --json "$@" >"$T/json"
	if [ "$status" = 0 ]; then
		[ ! -s "$T/err" ] || fail "$(said)"
	else
		expect_error_form
	fi
	"${PYTHON:-python3}" -ISB "$tests/lib/survey.py" "$T/json" \
		"${wanted[@]}" >"$T/found" 2>&1 || fail "$(tail -n 1 "$T/found")"
}
# value KEY...: of the last object.
value()
{
	"${PYTHON:-python3}" -ISBc '
import json, sys
value = json.load(open(sys.argv[1], encoding="utf-8"))
for key in sys.argv[2:]:
    value = value[int(key) if isinstance(value, list) else key]
sys.stdout.buffer.write(str(value).encode("utf-8"))' "$T/json" "$@"
}
expect_value()
{
	local want=$1
	shift
	[ "$(value "$@")" = "$want" ] || fail "$*: $(value "$@"), not $want"
}
make_sources --size 4 --kpageflags
bytes=0
count=0
while IFS=- read -r start end; do
	bytes=$((bytes + end - start))
	count=$((count + 1))
done < <(lime_ranges "$T/iomem")
json 0 crash=usable kcore=usable mem=usable
read -r _ version _ < <(avml --version)
expect_value "$version" avml
expect_value "$(uname -r)" kernel
expect_value "$([ "$(id -u)" = 0 ] && echo True || echo False)" root
# The guard takes the capabilities away, where there are any.
if [ ${#drop[@]} -gt 0 ] || [ "$(id -u)" != 0 ]; then
	expect_value False cap_sys_rawio
	expect_value False cap_sys_admin
fi
expect_value "$T/proc/iomem" iomem path
expect_value "$count" iomem ranges
expect_value "$bytes" iomem bytes
expect_value None iomem error
expect_value True kpageflags
expect_value "$T/dev/crash" sources 0 path
expect_value True sources 0 primary

rm "$T/dev/crash"
: >"$T/dev/mem"
json 0 crash=missing kcore=usable mem=unreadable
expect_value True sources 1 primary
# RAM below 1 MiB alone proves nothing.
cp "$T/memory" "$T/dev/mem"
truncate -s 1M "$T/dev/mem"
: >"$T/proc/kcore"
json 1 crash=missing kcore=masked mem=unreadable
mkdir "$T/dev/crash"
printf 'EMiL' >"$T/proc/kcore"
json 1 crash=masked kcore=headers mem=unreadable

make_sources --size 4 --keep --meminfo HardwareCorrupted=4
json 1 crash=unsafe kcore=unsafe mem=unsafe
expect_value False kpageflags
# What is not accepted has no mark, and only kcore keeps away from it.
make_sources --size 4 --keep --meminfo Unaccepted=4 --kpageflags
json 0 crash=unsafe kcore=usable mem=unsafe
make_sources --size 4 --keep --meminfo HardwareCorrupted=4 --kpageflags
json 0 crash=usable kcore=usable mem=usable
rm "$T/proc/iomem"
json 0 crash=no-ram kcore=usable mem=no-ram
expect_value 0 iomem ranges
expect_value 0 iomem bytes
[ "$(value iomem error)" != None ] || fail "no error for no iomem"
json 0 crash=usable kcore=usable mem=usable -- --iomem "$T/iomem"
expect_value "$T/iomem" iomem path
mkimage --keep --kcore-legacy rhel7 --lie old-shifted --proc "$T/old" \
	"$T/memory" "$T/iomem"
from=(--proc "$T/old")
json 1 kcore=headers
if modes_count; then
	make_sources --size 4 --keep
	chmod 0 "$T/proc/kcore"
	chmod 0 "$T/dev/crash"
	json 0 crash=forbidden kcore=forbidden mem=usable
	chmod 600 "$T/proc/kcore" "$T/dev/crash"
else
	skip_part "forbidden files: modes do not count here"
fi

# Any bytes in a path: valid JSON, and as much of them as is text.
for name in $'odd \xff\xc3(\x01\t"\\ \xc3\xa9\n\xe2\x80\xae' \
	"$(printf 'long%.0s' {1..60})"; do
	mkdir "$T/$name" "$T/$name/$name"
	odd=$T/$name/$name
	cp "$T/proc"/* "$odd"
	cp "$T/iomem" "$odd/iomem"
	cp "$T/memory" "$odd/crash"
	from=(--proc "$odd" --dev "$odd")
	json 0 crash=usable kcore=usable mem=missing
	case $name in
	odd*)
		value sources 0 path >"$T/path"
		! LC_ALL=C grep -qaE $'[\x01-\x1f]' "$T/path" ||
			fail "control bytes in a path"
		grep -qa $'"' "$T/path" || fail "a quote is gone"
		grep -qa $'\xc3\xa9' "$T/path" || fail "a letter is gone"
		! grep -qa $'\xe2\x80\xae' "$T/path" || fail "text is turned"
		;;
	*)
		expect_value "$odd/crash" sources 0 path
		expect_value "$odd/iomem" iomem path
		;;
	esac
done
