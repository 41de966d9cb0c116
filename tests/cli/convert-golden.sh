#!/bin/bash
# SPDX-License-Identifier: MIT
# Small images kept in the tree, and what has to become of them.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


golden=$tests/data/golden
sum()
{
	sha256sum <"$1" | cut -d ' ' -f 1
}
while read -r want format source; do
	options=
	[ "$source" != small.raw ] || options='--source-format raw'
	cp "$golden/$source" "$T/$source"
	# shellcheck disable=SC2086
	expect_status 0 avml convert $options --format "$format" \
		"$T/$source" "$T/out"
	[ "$(sum "$T/out")" = "$want" ] || fail "$source to $format is another"
	# How it compresses is the library's choice: judged by what comes back.
	# shellcheck disable=SC2086
	expect_status 0 avml convert $options --format lime_compressed \
		"$T/$source" "$T/v2"
	lime table "$T/v2" >"$T/table" || fail "$source: $(cat "$T/table")"
	expect_status 0 avml convert --format "$format" "$T/v2" "$T/back"
	if [ "$format" = raw ]; then
		truncate -s "$(stat -c %s "$T/out")" "$T/back"
	fi
	expect_same "$T/out" "$T/back"
done <"$golden/expected"
