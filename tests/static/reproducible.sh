#!/bin/bash
# SPDX-License-Identifier: MIT
# Built again in another directory, by another user's habits and with libraries
# compiled anew, it is the same binary, and so is its bill of materials.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

build=$(avml --version --verbose | sed -n 's/^build: //p')
commit=$(avml --version | sed -nE 's/.*\(commit (.*)\)$/\1/p')
top=$(cd "$tests/.." && pwd)
time=$(git -C "$top" log -1 --format=%ct 2>/dev/null || :)

# The tree as it is, what is not committed included, without its history.
other="$T/another-place/for/the-tree"
mkdir -p "$other/build/kits"
(cd "$top" && git ls-files -zco --exclude-standard |
	while IFS= read -r -d '' file; do
		[ ! -e "$file" ] || printf '%s\0' "$file"
	done | tar --null -T - -cf -) | tar -xf - -C "$other"
# What was fetched is not fetched again; nothing that was built is taken.
cp -a "$top/build/kits/download" "$other/build/kits"
(
	umask 077
	cd "$other"
	# What a make above us was told is not for this one.
	env -i PATH="$PATH" HOME=/nonexistent TZ=Asia/Kathmandu \
		LC_ALL=C.UTF-8 make -j1 COMMIT="$commit" \
		SOURCE_DATE_EPOCH="$time" "$build"
) >"$T/log" 2>&1 || fail "$build cannot be built: $(tail -n 3 "$T/log")"
made=$other/build/$build/avml
for suffix in '' .cdx.json; do
	[ "$(sha256sum <"$AVML$suffix")" = "$(sha256sum <"$made$suffix")" ] ||
		fail "avml$suffix: $(cmp "$AVML$suffix" "$made$suffix" 2>&1)"
done
