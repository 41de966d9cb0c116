#!/bin/bash
# SPDX-License-Identifier: MIT
# --salvage of what is whole changes nothing; of what is nothing it fails; and
# what overlaps has one place in raw.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


lime batch <<END
write $T/v1 0x1000-0x41000 0x80000-0xc0000
write $T/v2 --format v2 0x1000-0x41000 0x80000-0xc0000
END
for source in v1 v2; do
	for format in raw lime lime_compressed; do
		rm -f "$T/plain"
		expect_status 0 avml convert --format $format \
			"$T/$source" "$T/plain"
		for name in "$T/$source" -; do
			expect_status 0 avml convert --salvage \
				--format $format "$name" "$T/out" <"$T/$source"
			expect_same "$T/plain" "$T/out"
			expect_no_err '^warning'
			expect_err '0 bytes lost in 0 places'
		done
	done
done
head -c 100000 /dev/urandom >"$T/random"
echo precious >"$T/old"
for target in new old; do
	expect_error 1 "could be salvaged|there is no record" \
		avml convert --salvage "$T/random" "$T/$target"
done
[ "$(cat "$T/old")" = precious ] || fail 'an old file is gone for nothing'
expect_absent "$T/new"

# In raw the first one to come has the place; the rest of the other is kept.
lime write "$T/over" --format v2 0x100000-0x148000:fill=7 \
	0x140000-0x190000:fill=7 0x110000-0x120000:fill=7
expect_status 3 avml convert --salvage --format raw "$T/over" "$T/out"
expect_err '^warning: lost 0x0*140000-0x0*148000, offset [1-9]' \
	'^warning: lost 0x0*110000-0x0*120000, offset [1-9]'
lime lost --raw "$T/out" "$T/over" --expect ''

# Losses are told with --quiet too, each by itself.
lime write "$T/long" --format v2 0x100000+16M:how=stored,fill=zero \
	0x2000000-0x2010000
patches=()
for ((i = 1; i < 241; i += 2)); do
	patches+=("0.$i.body^01")
done
lime patch "$T/long" "$T/bad" "${patches[@]}"
expect_status 3 avml convert --quiet --salvage "$T/bad" "$T/out"
[ "$(grep -c '^warning: lost 0x' "$T/err")" = 120 ] || fail 'not 120 losses'
expect_status 3 avml convert --salvage "$T/bad" "$T/out"
expect_err "$((120 * 65536)) bytes lost in 120 places"
