#!/bin/bash
# SPDX-License-Identifier: MIT
# --bundle: every file of a host that has them all, whole and hashed.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_host
expect_status 0 avml "${from[@]}" --bundle "$T/dir" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_no_err '^warning: ' '^error: '
[ "$(stat -c %a "$T/dir")" = 700 ] || fail "$(stat -c %a "$T/dir")"

kcore=$T/proc/kcore
names=
while read -r name path; do
	names="$names $name"
	[ "$(stat -c %a,%h "$T/dir/$name")" = 600,1 ] || fail "$name: its mode"
	digest=$(sha256sum <"$T/dir/$name")
	expect_err "^note: bundle: $name: $(stat -c %s "$T/dir/$name") bytes of \
$path, SHA-256 ${digest%% *}\$"
	[ "$path" = "$kcore" ] || expect_same "$path" "$T/dir/$name"
done <<END
vmcoreinfo $kcore
kallsyms $T/proc/kallsyms
btf $T/root/sys/kernel/btf/vmlinux
cmdline $T/proc/cmdline
version $T/proc/version
modules $T/proc/modules
iomem $T/proc/iomem
os-release $T/root/etc/os-release
System.map $T/root/boot/System.map-6.1.0-test
vmlinuz $T/root/boot/vmlinuz-6.1.0-test
END
# The kernel pads what it has of them with zeros, as it likes.
tr -d '\0' <"$T/dir/vmcoreinfo" >"$T/text"
printf 'OSRELEASE=6.1.0-test\nPAGESIZE=4096\n' | cmp - "$T/text" ||
	fail "vmcoreinfo: $(cat "$T/text")"
# shellcheck disable=SC2012 # names of our own
[ "$(ls "$T/dir" | wc -l)" = 10 ] || fail "more than was told"
expect_err "^note: bundle: 10 files, [0-9]+ bytes in $T/dir; 0 could not be had"
told=$(sed -nE 's/^note: bundle: ([^ ]+): .*/\1/p' "$T/err" | tr '\n' ' ')
[ " ${told% }" = "$names" ] || fail "told in this order: $told"

# The image is done before: what is said of it stands in front.
sed -n '/^avml: /,$p' "$T/err" | grep -c '^note: bundle: ' >"$T/count"
[ "$(cat "$T/count")" = 11 ] || fail "before the summary: $(said)"

# Nothing of it is said with --quiet, and it is the same.
expect_status 0 avml "${from[@]}" --quiet --bundle "$T/quiet/" "$T/out"
[ ! -s "$T/err" ] || fail "$(head -n 1 "$T/err")"
diff -r "$T/dir" "$T/quiet" || fail "the two differ"

# The image may lie in it; a stream takes it too.
expect_status 0 avml "${from[@]}" --bundle "$T/both" "$T/both/out"
expect_image "$T/both/out" "$T/memory" "$T/iomem"
expect_same "$T/dir/kallsyms" "$T/both/kallsyms"
expect_status 0 avml "${from[@]}" --bundle "$T/beside" - >"$T/stream"
expect_image "$T/stream" "$T/memory" "$T/iomem"
diff -r "$T/dir" "$T/beside" || fail "the two differ"
