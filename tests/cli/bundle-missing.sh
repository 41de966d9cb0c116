#!/bin/bash
# SPDX-License-Identifier: MIT
# --bundle: what a host lacks, hides or has in another place.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# gather [REGEX...]: a run, and what it says.
gather()
{
	rm -rf "$T/dir"
	expect_status 0 avml "${from[@]}" --bundle "$T/dir" "$T/out"
	expect_err "$@"
}

# lacks NAME...: these are not in it, and all others are.
lacks()
{
	local name count
	for name; do
		expect_absent "$T/dir/$name"
	done
	count=$(find "$T/dir" -type f | wc -l)
	[ "$count" = $((10 - $#)) ] || fail "$count files, not 10 less $#"
	expect_err "^note: bundle: $count files, .*; $# could not be had"
}

# A host has not all of them: that is no warning, and changes nothing.
make_host
rm -r "$T/root/boot" "$T/root/sys" "$T/proc/modules"
gather '^note: bundle: btf: .*/sys/kernel/btf/vmlinux does not exist' \
	'^note: bundle: modules: .*/proc/modules does not exist' \
	'^note: bundle: System.map: there is none of .*/root/boot/System.map-6.1.0-test, .*/root/usr/lib/modules/6.1.0-test/System.map, ' \
	'^note: bundle: vmlinuz: there is none of .*/lib/modules/6.1.0-test/vmlinuz$'
expect_no_err '^warning: '
lacks btf modules System.map vmlinuz

# In other places.
make_host
mkdir -p "$T/root/usr/lib/modules/6.1.0-test" "$T/root/lib/modules/6.1.0-test"
mv "$T/root/boot/vmlinuz-6.1.0-test" \
	"$T/root/usr/lib/modules/6.1.0-test/vmlinuz"
mv "$T/root/boot/System.map-6.1.0-test" \
	"$T/root/lib/modules/6.1.0-test/System.map"
mv "$T/root/etc/os-release" "$T/root/usr/lib/os-release"
ln -s ../usr/lib/os-release "$T/root/etc/os-release"
gather "^note: bundle: System.map: .* $T/root/lib/modules/6.1.0-test/System.map," \
	"^note: bundle: vmlinuz: .* $T/root/usr/lib/modules/6.1.0-test/vmlinuz,"
lacks
expect_same "$T/root/usr/lib/os-release" "$T/dir/os-release"
rm "$T/root/etc/os-release"
gather "^note: bundle: os-release: .* $T/root/usr/lib/os-release,"

# A release that is not known, or would lead elsewhere.
for release in '' .. ../../etc "$(printf '%0200d' 1)"; do
	make_host
	printf '%s\n' "$release" >"$T/proc/sys/kernel/osrelease"
	gather '^warning: bundle: vmlinuz: the kernel.s release is not known'
	lacks System.map vmlinuz
done
rm "$T/proc/sys/kernel/osrelease"
gather 'System.map: the kernel.s release is not known'

# What is copied, but says nothing.
make_host
sed -i 's/^[0-9a-f]*/0000000000000000/' "$T/proc/kallsyms"
echo 'ffffffffffffffff B The real System.map is in the linux-image-dbg package' \
	>"$T/root/boot/System.map-6.1.0-test"
: >"$T/proc/cmdline"
gather '^warning: bundle: kallsyms: addresses are hidden' \
	'^warning: bundle: System.map: .*without symbols' \
	'^warning: bundle: cmdline: it is empty'
lacks
expect_same "$T/proc/kallsyms" "$T/dir/kallsyms"
# One address is enough, wherever it stands.
echo '0000000000000001 T last' >>"$T/proc/kallsyms"
gather .
expect_no_err 'addresses are hidden'
make_host
sed -i 's/[0-9a-f]*-[0-9a-f]* :/00000000-00000000 :/' "$T/proc/iomem"
from+=(--iomem "$T/iomem")
gather '^warning: bundle: iomem: addresses are hidden'

# No files, and such as have no end.
make_host
rm "$T/proc/version" "$T/proc/modules" "$T/root/boot/vmlinuz-6.1.0-test"
mkfifo "$T/proc/version"
mkdir "$T/root/boot/vmlinuz-6.1.0-test"
truncate -s 17M "$T/proc/modules"
gather '^warning: bundle: version: .*/version is masked: it is no regular' \
	'^warning: bundle: vmlinuz: .*/vmlinuz-6.1.0-test is masked' \
	'^warning: bundle: modules: .*/modules is larger than 16 MiB'
lacks version modules vmlinuz
truncate -s 16M "$T/proc/modules"
gather '^note: bundle: modules: 16777216 bytes'
if modes_count; then
	chmod 0 "$T/proc/modules"
	gather '^warning: bundle: modules: cannot open .*denied'
	lacks version modules vmlinuz
fi

# patch_note OFFSET BYTES: of the note, counted from its name.
patch_note()
{
	local at
	at=$(head -c 16384 "$T/proc/kcore" | grep -obUa VMCOREINFO | head -n 1)
	printf '%b' "$2" | dd of="$T/proc/kcore" bs=1 conv=notrunc \
		seek=$((${at%%:*} + $1))
}

# A kcore without the note, one that lies, and one that is masked; memory is
# that of a file.
for how in other long empty; do
	make_host
	from=(--proc "$T/proc" --root "$T/root" --source "$T/memory"
		--iomem "$T/iomem")
	case $how in
	other)
		patch_note 0 X
		why='note: bundle: vmcoreinfo: .* has no note VMCOREINFO'
		;;
	long)
		patch_note -8 '\xff\xff\xff\xff'
		why='warning: bundle: vmcoreinfo: .* reaches past the end'
		;;
	empty)
		: >"$T/proc/kcore"
		why='warning: bundle: vmcoreinfo: .*empty or masked'
		;;
	esac
	gather "^$why"
	lacks vmcoreinfo
done

# Nothing at all: told, and the image is what it is.
rm -r "$T/root" "$T/proc"
mkdir "$T/root" "$T/proc"
gather '^warning: bundle: nothing could be collected in '
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_absent "$T/dir"
