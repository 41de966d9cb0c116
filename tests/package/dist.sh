#!/bin/bash
# SPDX-License-Identifier: MIT
# The tarball is the commit and nothing else, the same wherever it is made, and
# all that a build wants.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

top=$(cd "$tests/.." && pwd)
name=$(basename "$BUILD"/dist/*.tar.gz .tar.gz)
tarball=$BUILD/dist/$name.tar.gz
commit=$(git -C "$top" rev-parse HEAD)

# By another user, with habits of another kind.
git clone -q "$top" "$T/clone"
git -C "$T/clone" checkout -q "$commit"
git -C "$T/clone" config tar.umask user
(
	umask 077
	env -i PATH="$PATH" HOME="$T" TZ=Asia/Kathmandu LC_ALL=C.UTF-8 \
		make -s -C "$T/clone" dist
) >"$T/log" 2>&1 || fail "$(tail -n 1 "$T/log")"
expect_same "$tarball" "$T/clone/build/dist/$name.tar.gz"

# What git has, with its one time and no owner.
git -C "$top" ls-tree -r --name-only HEAD | sort >"$T/wanted"
tar -tf "$tarball" | sed -nE "s|^$name/(.*[^/])$|\1|p" | sort >"$T/listed"
diff "$T/wanted" "$T/listed" >"$T/diff" || fail "$(grep '^[<>]' "$T/diff")"
! grep -E '(^|/)build/|\.(o|a|d|pyc)$|^avml' "$T/listed" >"$T/built" ||
	fail "what was built: $(head -n 3 "$T/built")"
time=$(TZ=UTC git -C "$top" log -1 --date=format-local:%Y-%m-%d,%H:%M:%S \
	--format=%cd)
TZ=UTC tar --full-time -tvf "$tarball" | awk '{ print $2 "," $4 "," $5 }' |
	sort -u >"$T/seen"
echo "root/root,$time" | cmp -s - "$T/seen" || fail "$(head -n 3 "$T/seen")"

# Without git, and whatever git thinks of the directory above.
mkdir "$T/empty"
git -C "$T/empty" init -q
tar -xf "$tarball" -C "$T/empty"
tree=$T/empty/$name
env -i PATH="$PATH" HOME="$T" make -s -j"$(nproc)" -C "$tree" >"$T/log" 2>&1 ||
	fail "it does not build: $(grep -m 1 -i error "$T/log")"
AVML=$tree/avml
expect_status 0 avml --version >"$T/version"
echo "avml ${name#avml-} (commit ${commit:0:12})" | cmp -s - "$T/version" ||
	fail "$(cat "$T/version")"
make_image --size 4
expect_status 0 avml "${from[@]}" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
# What static builds tell of the time is the commit's.
time=$(env -i PATH="$PATH" make -s -C "$tree" --eval \
	"time: ; @echo \$(COMMIT_TIME)" time)
[ "$time" = "$(git -C "$top" log -1 --format=%ct)" ] || fail "time $time"
