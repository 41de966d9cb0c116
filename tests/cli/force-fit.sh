#!/bin/bash
# SPDX-License-Identifier: MIT
# An image that cannot fit its disk, even if it were compressed, is refused;
# --force begins all the same.  One that might not fit is warned of.  How much
# of memory is zeros at the most, meminfo tells.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 48 --fill random --meminfo MemFree=0
if ! small_disk "$T/disk" 1m; then
	skip_part "a small disk: may not mount"
	exit 0
fi
for options in '' --compress --keep-zeros; do
	# shellcheck disable=SC2086
	expect_error 1 'cannot fit' avml "${from[@]}" $options "$T/disk/out"
	expect_err "$T/disk/out" '--force'
	expect_absent "$T/disk/out"
	# shellcheck disable=SC2086
	expect_error 1 'No space left' avml "${from[@]}" $options --force \
		"$T/disk/out"
	expect_err '^warning: .*might not fit'
	[ ! -e "$T/disk/out" ] ||
		expect_prefix 1 "$T/disk/out" "$T/memory" "$T/iomem"
	rm -f "$T/disk/out"
done
echo precious >"$T/disk/old"
expect_error 1 'cannot fit' avml "${from[@]}" "$T/disk/old"
[ "$(cat "$T/disk/old")" = precious ] || fail "the old file is touched"
rm "$T/disk/old"
expect_error 2 force avml "${from[@]}" --force --force "$T/disk/out"
expect_error 2 force avml "${from[@]}" --force=yes "$T/disk/out"

# Free memory may well be zeros, and those take no room.
for free in '--meminfo MemFree=40960' \
	'--meminfo MemFree=0 --meminfo HugePages_Free=20'; do
	# shellcheck disable=SC2086
	make_proc --size 48 --keep $free
	expect_error 1 'No space left' avml "${from[@]}" "$T/disk/out"
	expect_err '^warning: .*might not fit'
	rm -f "$T/disk/out"
done
# Nothing is known of a mere file, nor without a meminfo.
rm "$T/proc/meminfo"
expect_error 1 'No space left' avml "${from[@]}" "$T/disk/out"
rm -f "$T/disk/out"
expect_error 1 'No space left' avml --source "$T/memory" --iomem "$T/iomem" \
	"$T/disk/out"
rm -f "$T/disk/out"

# What might fit is begun: zeros take no room.
make_image --size 48 --fill lonely --layout flat
expect_status 0 avml "${from[@]}" "$T/disk/out"
expect_err '^warning: .*might not fit'
expect_image "$T/disk/out" "$T/memory" "$T/iomem"
rm "$T/disk/out"
make_image --size 4 --fill random
expect_error 1 'No space left' avml "${from[@]}" "$T/disk/out"
expect_err '^warning: .*might not fit'
# Nothing is said where there is room, nor of a stream.
expect_status 0 avml "${from[@]}" "$T/out"
expect_no_err fit
expect_status 0 avml "${from[@]}" - >"$T/disk/../stream"
expect_no_err fit
# Made-up memory is not this machine's: no word of tmpfs.
expect_status 0 avml "${from[@]}" --compress --max-unreadable 1 "$T/out"
expect_no_err tmpfs
