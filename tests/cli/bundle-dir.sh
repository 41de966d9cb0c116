#!/bin/bash
# SPDX-License-Identifier: MIT
# --bundle DIR: looked at before memory is read, and nothing in it is lost.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_host

# refused REGEX DIR [OPTION...]: that is told, and memory is acquired.
refused()
{
	local regex=$1 dir=$2
	shift 2
	expect_status 0 avml "${from[@]}" --bundle "$dir" "$@" "$T/out"
	expect_err "^warning: there will be no bundle: .*$regex"
	expect_no_err '^note: bundle: '
	expect_image "$T/out" "$T/memory" "$T/iomem"
	rm "$T/out"
}

refused 'cannot make the directory .*/none/dir: No such file' "$T/none/dir"
expect_absent "$T/none"
echo precious >"$T/file"
refused 'cannot use .*/file as a directory' "$T/file" --force
mkdir "$T/real"
ln -s real "$T/link"
for dir in link link/ link//; do
	refused '/link is a symbolic link' "$T/$dir" --force
done
ln -s nowhere "$T/dangling"
refused 'symbolic link' "$T/dangling"
expect_absent "$T/nowhere"
if modes_count; then
	mkdir -m 500 "$T/locked"
	refused 'cannot write to .*/locked: Permission denied' "$T/locked"
fi
if [ -n "${AVML_TEST_NAMESPACE-}" ] && small_disk "$T/disk" 1m; then
	mount -o remount,ro "$T/disk"
	refused 'Read-only' "$T/disk"
	refused 'Read-only' "$T/disk/dir"
	mount -o remount,rw "$T/disk"
else
	skip_part "a disk to be read only: may not mount"
fi

# What is in use may be evidence; an empty directory is taken.
mkdir -m 755 "$T/used"
echo precious >"$T/used/.other"
refused '/used is not empty' "$T/used"
[ "$(ls -A "$T/used")" = .other ] || fail "something was put there"
expect_status 0 avml "${from[@]}" --bundle "$T/real" "$T/out"
expect_same "$T/proc/kallsyms" "$T/real/kallsyms"

# Again, and the first one stays as it was.
rm "$T/out"
state()
{
	stat -c '%n %s %Y %Z %a' "$T/real" "$T/real"/*
}
state >"$T/before"
refused '/real is not empty.*--force' "$T/real"
state | cmp - "$T/before" || fail "it was touched"

# By force, and nothing old is left under the names of the new one.
echo old >"$T/used/btf"
ln "$T/used/btf" "$T/linked"
ln -s ../file "$T/used/kallsyms"
rm "$T/root/sys/kernel/btf/vmlinux"
expect_status 0 avml "${from[@]}" --force --bundle "$T/used" "$T/out"
expect_absent "$T/used/btf"
expect_same "$T/proc/kallsyms" "$T/used/kallsyms"
[ ! -L "$T/used/kallsyms" ] || fail "written through a link"
[ "$(cat "$T/linked" "$T/file" "$T/used/.other" | tr '\n' ' ')" = \
	'old precious precious ' ] || fail "written over"
[ "$(stat -c %a "$T/used")" = 755 ] || fail "another mode"
rm "$T/used/version"
mkdir "$T/used/version"
rm "$T/out"
refused 'cannot remove .*/used/version' "$T/used" --force

# An image of that name is no bundle's to remove.
expect_status 0 avml "${from[@]}" --bundle "$T/odd" "$T/odd/modules"
expect_image "$T/odd/modules" "$T/memory" "$T/iomem"
expect_err '^warning: bundle: modules: cannot create .*/odd/modules: File exists'
expect_status 0 avml "${from[@]}" --force --bundle "$T/odd" "$T/odd/modules"
expect_image "$T/odd/modules" "$T/memory" "$T/iomem"

# Wrong usage leaves no directory.
expect_error 2 . avml "${from[@]}" --bundle "$T/unmade" --bogus "$T/out"
expect_error 2 . avml "${from[@]}" --bundle "$T/unmade"
expect_absent "$T/unmade"
