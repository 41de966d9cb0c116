#!/bin/bash
# SPDX-License-Identifier: MIT
# What a conversion says of formats: refused, noted, or nothing at all.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


lime batch <<END
write $T/v1 0x1000-0x41000
write $T/v2 0x1000-0x41000 --format v2
raw $T/v1 $T/raw
END
# X to X only when it is said that it is X.
for format in raw lime lime_compressed; do
	expect_error 1 'no conversion required' avml convert \
		--source-format $format --format $format "$T/v1" "$T/new"
	expect_absent "$T/new"
done
expect_error 1 'no conversion required' \
	avml convert --source-format lime "$T/v1" "$T/new"
expect_status 0 avml convert "$T/v1" "$T/out"
expect_same "$T/v1" "$T/out"
expect_no_note
expect_err '^avml: .*: 262144 bytes of memory from .*; 1 records, 262176 bytes'
expect_status 0 avml convert --salvage --source-format lime "$T/v1" "$T/out"
expect_same "$T/v1" "$T/out"
expect_status 0 avml convert --format lime_compressed "$T/v2" "$T/out"
lime lost "$T/out" "$T/v1" --expect ''

# What AVML 0.1 had in the place of --format.
expect_status 0 avml convert --format lime_compressed "$T/v1" "$T/out"
expect_status 0 avml convert --compress "$T/v1" "$T/out2"
expect_same "$T/out" "$T/out2"
expect_error 2 '--compress and --format' avml convert --compress \
	--format lime "$T/v1" "$T/new"
expect_error 1 'no conversion required' avml convert --compress \
	--source-format lime_compressed "$T/v2" "$T/new"
expect_absent "$T/new"

# One lime called the other: a note, no error.
expect_status 0 avml convert --source-format lime_compressed "$T/v1" "$T/out"
expect_err "^note: $T/v1 is lime, not lime_compressed"
expect_same "$T/v1" "$T/out"
expect_status 0 avml convert --source-format lime --format raw \
	"$T/v2" "$T/out"
expect_err "^note: $T/v2 is lime_compressed, not lime"
expect_same "$T/raw" "$T/out"
expect_status 0 avml convert --quiet --source-format lime --format raw \
	"$T/v2" "$T/out"
[ ! -s "$T/err" ] || fail "not quiet: $(said)"

# Salvage makes no sense for raw, and never was a format of another name.
expect_error 1 'salvage' avml convert --salvage --source-format raw \
	"$T/raw" "$T/new"
for bad in lime2 RAW '' compressed none; do
	expect_error 2 'format' avml convert --format "$bad" "$T/v1" "$T/new"
	expect_error 2 'source-format' \
		avml convert --source-format "$bad" "$T/v1" "$T/new"
done
expect_error 2 . avml convert
expect_error 2 . avml convert "$T/v1"
expect_error 2 . avml convert "$T/v1" "$T/new" "$T/new"
expect_error 2 'threads' avml convert --threads 0 "$T/v1" "$T/new"
expect_absent "$T/new"
avml convert --help >"$T/help"
for word in SOURCE DESTINATION --source-format --format --salvage --threads \
	--keep-zeros --no-sparse --no-clobber --force --max-disk-usage \
	--max-disk-usage-percentage --quiet; do
	grep -q -e "$word" "$T/help" || fail "no $word in the help"
done

# An older spelling of the options.
expect_status 0 avml convert --source_format lime --format raw \
	"$T/v1" "$T/out"
expect_same "$T/raw" "$T/out"

# Sources that are none.
mkdir "$T/dir"
expect_error 1 "$T/dir" avml convert "$T/dir" "$T/new"
expect_error 1 "$T/nowhere.*No such file" \
	avml convert "$T/nowhere" "$T/new"
expect_error 1 "empty" avml convert - "$T/new" </dev/null
expect_absent "$T/new"
