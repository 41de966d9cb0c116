#!/bin/bash
# SPDX-License-Identifier: MIT
# The destination: zeros, holes, limits, names and modes.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


# A few MiB, and a block of zeros.
make_image --size 4
printf '01000000-020fffff : System RAM\n' >>"$T/iomem"
truncate -s $((0x2100000)) "$T/memory"
head -c 2000000 "$T/memory" | tail -c 1000000 |
	dd of="$T/memory" bs=4096 seek=$((0x2000)) conv=notrunc status=none
expect_status 0 avml "${from[@]}" "$T/v1"
expect_status 0 avml "${from[@]}" --keep-zeros "$T/kept"
expect_status 0 avml convert --format raw "$T/v1" "$T/raw"
# --keep-zeros: blocks of zeros too.
expect_status 0 avml convert --keep-zeros --format lime_compressed \
	"$T/kept" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem" --keep-zeros
expect_status 0 avml convert "$T/out" "$T/back"
expect_same "$T/kept" "$T/back"
expect_status 0 avml convert --format lime_compressed "$T/kept" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"

# Holes, unless told otherwise.
blocks()
{
	stat -c %b "$1"
}
expect_status 0 avml convert --no-sparse --format raw "$T/v1" "$T/full"
expect_same "$T/raw" "$T/full"
[ "$(blocks "$T/full")" -ge $(($(stat -c %s "$T/full") / 512)) ] ||
	fail "--no-sparse: $(blocks "$T/full") blocks"
[ "$(blocks "$T/raw")" -lt "$(blocks "$T/full")" ] || fail "raw has no holes"

# What is there stays with --no-clobber, and is replaced without.
echo precious >"$T/old"
chmod 644 "$T/old"
expect_error 1 "$T/old" avml convert --no-clobber "$T/v1" "$T/old"
[ "$(cat "$T/old")" = precious ] || fail "--no-clobber: it is touched"
# A source that is no image costs nobody the old file.
expect_error 1 'bad magic' avml convert "$T/iomem" "$T/old"
expect_error 1 'empty' avml convert /dev/null "$T/old"
[ "$(cat "$T/old")" = precious ] || fail "a bad source: it is touched"
expect_status 0 avml convert "$T/v1" "$T/old"
expect_same "$T/v1" "$T/old"
[ "$(stat -c %a "$T/old")" = 600 ] || fail "mode $(stat -c %a "$T/old")"
ln -s old "$T/soft"
expect_error 1 'symbolic link' avml convert "$T/kept" "$T/soft"
expect_same "$T/v1" "$T/old"
mkdir "$T/dir"
expect_error 1 "$T/dir" avml convert "$T/kept" "$T/dir"
expect_error 1 "$T/none/out" avml convert "$T/kept" "$T/none/out"
expect_error 1 'full|No space' avml convert "$T/v1" - >/dev/full

# Limits count what is written, which is more than what is read.
head -c 8388608 /dev/zero >"$T/zeros"
echo x >>"$T/zeros"
truncate -s 8392704 "$T/zeros"
expect_status 0 avml convert --source-format raw --format lime_compressed \
	"$T/zeros" "$T/v2"
[ "$(stat -c %s "$T/v2")" -lt 1000000 ] || fail "zeros do not compress"
for options in '--max-disk-usage 1' '--max-disk-usage-percentage 0.01'; do
	rm -f "$T/new"
	# shellcheck disable=SC2086
	expect_error 1 'limit' avml convert $options --no-sparse \
		--keep-zeros "$T/v1" "$T/new"
	[ ! -e "$T/new" ] || [ "$(blocks "$T/new")" -le 2048 ] ||
		fail "$options: $(blocks "$T/new") blocks"
done
rm -f "$T/new"
expect_error 1 'limit' avml convert --max-disk-usage 1 --no-sparse \
	"$T/v2" "$T/new"
expect_absent "$T/new"
expect_status 0 avml convert --max-disk-usage 9 --no-sparse "$T/v2" "$T/new"
expect_error 2 max-disk-usage avml convert --max-disk-usage 0 "$T/v2" "$T/new"
expect_error 2 percentage avml convert --max-disk-usage-percentage 100 \
	"$T/v2" "$T/new"

# Gaps of raw to a stream: 64 GiB and no more, unless forced.
lime write "$T/gap" 0x1000-0x2000 0x2000000000-0x2000001000
for options in '' --salvage; do
	# shellcheck disable=SC2086
	expect_error 1 '--force' avml convert $options --format raw \
		"$T/gap" - | cat >"$T/out"
	[ "$(stat -c %s "$T/out")" -le 8192 ] || fail "the gap was written"
done
expect_status 0 avml convert --format raw "$T/gap" "$T/out"
[ "$(stat -c %s "$T/out")" = $((0x2000001000)) ] || fail "raw ends elsewhere"
[ "$(blocks "$T/out")" -le 4096 ] || fail "the gap is no hole"

# An address that no file reaches, be there data or zeros: an error at once,
# and no disk filled with zeros.
for fill in text zero; do
	for start in 0x200000000000 0x4000000000000000 0xfffffffffff00000; do
		lime write "$T/high" "$start+4K:fill=$fill"
		for options in '' --salvage --no-sparse; do
			rm -f "$T/new"
			# shellcheck disable=SC2016 # the inner shell expands them
			before=(bash -c 'ulimit -f 20000 && exec "$0" "$@"'
				timeout -k 1 10)
			# shellcheck disable=SC2086
			expect_error 1 "$T/new" avml convert $options \
				--format raw "$T/high" "$T/new"
			before=()
			[ ! -e "$T/new" ] || [ "$(blocks "$T/new")" -lt 64 ] ||
				fail "$start $fill $options: zeros were written"
		done
	done
done
