#!/bin/bash
# SPDX-License-Identifier: MIT
# Packages built again of the same tarball, in another directory and by another
# user's habits, are the same bytes.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

tarball=$(echo "$BUILD"/dist/*.tar.gz)
mkdir -p "$T/another-place/for/it"
(
	umask 077
	cd "$T/another-place/for/it"
	env -i PATH="$PATH" HOME="$T" TZ=Asia/Kathmandu LC_ALL=C.UTF-8 \
		DEB_BUILD_OPTIONS="nocheck parallel=1" \
		"$tests/../contrib/package/deb.sh" "$tarball" made
) >"$T/log" 2>&1 || fail "$(tail -n 3 "$T/log")"
count=0
for file in "$BUILD"/deb/*.deb "$BUILD"/deb/*.dsc "$BUILD"/deb/*.tar.*; do
	expect_same "$file" "$T/another-place/for/it/made/${file##*/}"
	((++count))
done
[ "$count" = 6 ] || fail "$count files"
