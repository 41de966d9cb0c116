#!/bin/bash
# SPDX-License-Identifier: MIT
# --min-free: the run ends before less is free on the image's disk, with
# whole records; refused where it is so already, and for streams.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# No zeros, so that what is written is what is taken.
make_image --size 22 --layout flat --fill random
lime write "$T/v1" --memory "$T/memory" --iomem "$T/iomem"
free_bytes()
{
	echo $(($(stat -f -c '%a * %S' "$1")))
}
expect_free()
{
	[ "$(free_bytes "$T/disk")" -ge $(($1 << 20)) ] ||
		fail "$(free_bytes "$T/disk") bytes are free, not $1 MiB"
}
for bad in 0 -1 abc 1x 1.5 '' 18446744073709551616; do
	expect_error 2 min-free avml "${from[@]}" --min-free "$bad" "$T/new"
	expect_error 2 min-free avml convert --min-free "$bad" "$T/v1" "$T/new"
done
expect_absent "$T/new"
# More than any disk has.
for least in 1000000000 17592186044416; do
	expect_error 1 min-free avml "${from[@]}" --min-free $least "$T/new"
	expect_error 1 min-free avml convert --format lime_compressed \
		--min-free $least "$T/v1" "$T/new"
done
expect_absent "$T/new"

# Streams have no disk; a file that one goes to has, or is refused.
mkfifo "$T/fifo"
for target in - "$T/fifo" /dev/null; do
	expect_error 1 min-free timeout_avml "${from[@]}" --min-free 1 "$target" \
		> >(cat >"$T/piped")
	expect_error 1 min-free timeout_avml convert --min-free 1 --format raw \
		"$T/v1" "$target" > >(cat >"$T/piped")
done

if ! small_disk "$T/disk" 40m; then
	skip_part "a small disk: may not mount"
	exit 0
fi
run()
{
	if [ "$1" = acquire ]; then
		shift
		avml "${from[@]}" --force "$@"
	else
		shift
		avml convert --source-format raw "${@:1:$#-1}" "$T/memory" \
			"${@: -1}"
	fi
}
for what in acquire convert; do
	echo precious >"$T/disk/old"
	expect_error 1 min-free run $what --min-free 41 "$T/disk/new"
	expect_error 1 min-free run $what --min-free 41 "$T/disk/old"
	expect_absent "$T/disk/new"
	[ "$(cat "$T/disk/old")" = precious ] || fail "$what: the old one is gone"
	rm "$T/disk/old"

	# Room for one record and a part of the next.
	expect_error 1 min-free run $what --min-free 20 "$T/disk/out"
	expect_err "$T/disk/out"
	expect_free 20
	expect_prefix 1 "$T/disk/out" "$T/memory" "$T/iomem"
	rm "$T/disk/out"
	# For none.
	expect_error 1 min-free run $what --min-free 39 "$T/disk/out"
	expect_free 39
	expect_absent "$T/disk/out"
	expect_status 0 run $what --min-free 15 "$T/disk/out"
	expect_image "$T/disk/out" "$T/memory" "$T/iomem"
	expect_free 15
	# What the old image takes is free once it is replaced.
	expect_status 0 run $what --min-free 15 "$T/disk/out"
	expect_image "$T/disk/out" "$T/memory" "$T/iomem"
	rm "$T/disk/out"
done
# Standard output may be a file of that disk.
for mode in '>' '>>'; do
	status=0
	eval 'avml "${from[@]}" --force --min-free 20 - '"$mode"'"$T/disk/out"' \
		2>"$T/err" || status=$?
	[ "$status" = 1 ] || fail "status $status with $mode"
	expect_err '^error: .*'
	expect_free 20
	rm -f "$T/disk/out"
done

# Holes take nothing.
mkimage --size 256 --fill lonely --layout flat "$T/holes" "$T/iomem2"
expect_status 0 avml --source "$T/holes" --iomem "$T/iomem2" --min-free 30 \
	"$T/disk/out"
expect_image "$T/disk/out" "$T/holes" "$T/iomem2"
expect_free 30
rm "$T/disk/out"

trace_calls write,writev,pwrite64,pwritev,fallocate || exit 0
expect_error 1 min-free run acquire --min-free 20 "$T/disk/out"
traced wrote "$T/disk/out" $((20 << 20)) >"$T/found" || fail "$(cat "$T/found")"
