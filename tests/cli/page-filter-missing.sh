#!/bin/bash
# SPDX-License-Identifier: MIT
# Where kpageflags is missing and some memory is known to be bad, only a
# source that is asked for by name is read.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# refused KEY: without a name nothing is read; with one it is, with a warning.
refused()
{
	local name
	expect_error 1 '^error: no source of memory works$' \
		avml "${from[@]}" "$T/new"
	expect_err "0: $T/dev/crash.*$1" "1: $T/proc/kcore.*$1" \
		"2: $T/dev/mem.*$1" '--source'
	expect_absent "$T/new"
	for name in crash kcore mem; do
		expect_status 0 avml "${from[@]}" --source $name "$T/out"
		expect_image "$T/out" "$T/memory.$name" "$T/iomem"
		expect_err '^warning: .*kpageflags'
	done
}
fine()
{
	expect_status 0 avml "${from[@]}" "$T/out"
	expect_image "$T/out" "$T/memory.crash" "$T/iomem"
	expect_no_err HardwareCorrupted Unaccepted
}
make_sources --size 4 --mark --meminfo HardwareCorrupted=4
refused HardwareCorrupted
# Masked, as containers do it, is missing too.
: >"$T/proc/kpageflags"
refused HardwareCorrupted
rm "$T/proc/kpageflags"
make_sources --size 4 --mark --keep --meminfo HardwareCorrupted=none \
	--meminfo Unaccepted=2048
refused Unaccepted

# With marks too: there is none for what a guest has not accepted yet, and
# only kcore keeps away from it by itself.
make_sources --size 4 --mark --keep --kpageflags --meminfo Unaccepted=2048
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory.kcore" "$T/iomem"
for name in crash mem; do
	expect_status 0 avml "${from[@]}" --source $name "$T/out"
	expect_image "$T/out" "$T/memory.$name" "$T/iomem"
done
rm "$T/proc/kcore"
expect_error 1 '^error: no source of memory works$' avml "${from[@]}" "$T/new"
expect_err "0: $T/dev/crash.*Unaccepted" "2: $T/dev/mem.*Unaccepted"
expect_absent "$T/new"

make_sources --size 4 --mark --keep --meminfo HardwareCorrupted=0 \
	--meminfo Unaccepted=0
fine
make_sources --size 4 --mark --keep
fine
make_sources --size 4 --mark --keep --kpageflags --meminfo HardwareCorrupted=4
fine
expect_no_err '^warning'
