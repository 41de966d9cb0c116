#!/bin/bash
# SPDX-License-Identifier: MIT
# Every conversion there is, judged by another reader and writer.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


# A few MiB, and a block of zeros that nobody needs to write.
make_image --size 4
printf '01000000-021fffff : System RAM\n' >>"$T/iomem"
truncate -s $((0x2200000)) "$T/memory"
head -c 3000000 "$T/memory" | tail -c 2000000 |
	dd of="$T/memory" bs=4096 seek=$((0x2000)) conv=notrunc status=none
out=$T/out
# One record a range, blocks of zeros and all: as old versions wrote.
lime batch <<END
write $T/long --memory $T/memory --iomem $T/iomem --block 0 --keep-zeros
write $T/v1 --memory $T/memory --iomem $T/iomem
write $T/v2 --memory $T/memory --iomem $T/iomem --format v2 --how stored
raw $T/v1 $T/raw
END
# The same raw memory, but as one range from address 0.
size=$(stat -c %s "$T/raw")
printf '00000000-%08x : System RAM\n' $((size - 1)) >"$T/whole"

for threads in 1 3; do
	# same NAME: the other count of threads made it too.
	same()
	{
		if [ "$threads" = 1 ]; then
			cp "$out" "$T/$1"
		else
			expect_same "$T/$1" "$out"
		fi
	}
	# lime: blocks of 16 MiB, those of zeros left out.
	expect_status 0 avml convert --threads "$threads" \
		--format lime_compressed "$T/long" "$out"
	same compressed
	expect_status 0 avml convert --threads "$threads" \
		--source-format lime --format raw "$T/long" "$out"
	expect_same "$T/raw" "$out"
	# The default target, and a lime file without its format being told.
	expect_status 0 avml convert --threads "$threads" "$T/long" "$out"
	expect_same "$T/v1" "$out"
	[ "$(stat -c %a "$out")" = 600 ] || fail "mode $(stat -c %a "$out")"

	# lime_compressed: the same records.
	expect_status 0 avml convert --threads "$threads" "$T/v2" "$out"
	expect_same "$T/v1" "$out"
	expect_status 0 avml convert --threads "$threads" \
		--source-format=lime_compressed --format=lime "$T/v2" "$out"
	expect_same "$T/v1" "$out"
	expect_status 0 avml convert --threads "$threads" --format raw \
		"$T/v2" "$out"
	expect_same "$T/raw" "$out"
	expect_status 0 avml convert --threads "$threads" \
		--format lime_compressed "$T/v2" "$out"
	expect_same "$T/compressed" "$out"

	# raw: one range.
	expect_status 0 avml convert --threads "$threads" --source-format raw \
		"$T/raw" "$out"
	same one-range
	expect_status 0 avml convert --threads "$threads" --source-format raw \
		--format lime_compressed "$T/raw" "$out"
	same one-range-compressed
done
expect_image "$T/compressed" "$T/memory" "$T/iomem"
lime check "$T/compressed" >"$T/found" || fail "$(cat "$T/found")"
expect_image "$T/one-range" "$T/raw" "$T/whole"
expect_image "$T/one-range-compressed" "$T/raw" "$T/whole"

# All of it through pipes.
# shellcheck disable=SC2002 # a pipe it is to be
cat "$T/long" | expect_status 0 avml convert --format lime_compressed - - |
	cat >"$out"
expect_same "$T/compressed" "$out"
# shellcheck disable=SC2002
cat "$T/v2" | expect_status 0 avml convert - - | cat >"$out"
expect_same "$T/v1" "$out"
# shellcheck disable=SC2002
cat "$T/v2" | expect_status 0 avml convert --format raw - - | cat >"$out"
expect_same "$T/raw" "$out"
# Descriptors under other names, and stdin that is a file, read from where
# it stands.
{
	echo
	cat "$T/v1"
} >"$T/behind"
expect_status 0 avml convert --format raw - /dev/fd/3 3>"$out" < <(
	cat "$T/v1")
expect_same "$T/raw" "$out"
{
	read -r _ || :
	expect_status 0 avml convert --format raw - /dev/stdout
} <"$T/behind" >"$out"
expect_same "$T/raw" "$out"
expect_status 0 avml convert --source-format raw - - <"$T/raw" >"$out"
expect_image "$out" "$T/raw" "$T/whole"

# raw from a pipe has no size, and raw is never guessed.
expect_error 1 'size of a raw image|regular file' \
	avml convert --source-format raw - "$T/new" < <(cat "$T/raw")
expect_absent "$T/new"
expect_error 1 "bad magic" avml convert "$T/raw" "$T/new"
expect_absent "$T/new"
: >"$T/empty"
for format in '' --source-format=raw --source-format=lime_compressed --salvage; do
	# shellcheck disable=SC2086
	expect_error 1 empty avml convert $format "$T/empty" "$T/new"
	expect_absent "$T/new"
done

# The name decides: a link called avml-convert is that command.
ln -s "$AVML" "$T/avml-convert"
AVML=$T/avml-convert
expect_status 0 avml --source-format lime_compressed "$T/v2" "$out"
expect_same "$T/v1" "$out"
expect_status 0 avml --version >"$T/version"
expect_error 2 . avml
expect_error 2 . avml "$T/v2"
expect_error 2 . avml "$T/v1" "$T/v2" "$T/out"
expect_error 2 'iomem' avml --iomem "$T/iomem" "$T/v2" "$T/out"
