#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs avml under a real kernel and judges what it made of it.
#
#   tests/vm/run.sh AVML
#
# AVML is the program to test, dynamic or static. Nothing is installed and no
# root is needed: the guest's kernel comes by `apt-get download`, its disks are
# written by mke2fs and read by debugfs, QEMU emulates (KVM is not asked for:
# where it is nested it hangs). The guest's RAM is a file, so that the image
# can be held against the hypervisor's view of it.
#
# Environment:
#   KERNEL_DIR      cache of kernels, default build/vm
#   KERNEL_PACKAGE  default linux-image-cloud-amd64; a kernel's own package
#                   (linux-image-6.1.0-50-amd64) is good too
#   KEEP            a directory that gets the results, to look at later
#   VM_TIMEOUT      seconds one boot may take, default 300
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
kernel_dir=${KERNEL_DIR:-$top/build/vm}
kernel_package=${KERNEL_PACKAGE:-linux-image-cloud-amd64}
vm_timeout=${VM_TIMEOUT:-300}
below_4g=$((256 << 20))
memory_mib=384
disk_mib=8192
small_disk_mib=24
tmp=
vm_pid=
passed=0
failed=0

say() { printf 'vm: %s\n' "$*"; }
die() { printf 'vm: error: %s\n' "$*" >&2; exit 1; }

cleanup()
{
	# The pid is timeout's, which hands the signal on to its QEMU.
	if [[ -n $vm_pid ]]; then
		kill -TERM "$vm_pid" 2> /dev/null || true
		wait "$vm_pid" 2> /dev/null || true
	fi
	if [[ -n $tmp ]]; then
		rm -rf "$tmp"
	fi
}

need_tools()
{
	local tool missing=()
	for tool in apt-cache apt-get busybox cc cpio debugfs dpkg ldd mke2fs \
		python3 qemu-system-x86_64 timeout; do
		type -P "$tool" > /dev/null || missing+=("$tool")
	done
	((${#missing[@]} == 0)) ||
		die "not found: ${missing[*]} (packages: tests/vm/deps)"
}

# --- the kernel -------------------------------------------------------------

# Sets $package to the real package behind a metapackage, $version to the
# newest version of it.
resolve_kernel()
{
	package=$kernel_package
	local real
	real=$(apt-cache depends "$package" 2> /dev/null |
		awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {
			print $2; exit }')
	package=${real:-$package}
	version=$(apt-cache policy "$package" 2> /dev/null |
		awk '$1 == "Candidate:" { print $2 }')
	[[ -n $version && $version != "(none)" ]]
}

# Sets $kernel (a directory that holds boot/ and lib/modules/) and $release.
fetch_kernel()
{
	local latest
	mkdir -p "$kernel_dir"
	kernel_dir=$(cd "$kernel_dir" && pwd)
	latest=$kernel_dir/latest-$kernel_package
	if resolve_kernel; then
		echo "${package}_${version//:/%3a}" > "$latest"
	else
		# No package lists: what was fetched earlier will do.
		[[ -e $latest ]] || die "apt knows no package $kernel_package" \
			"(apt-get update?) and $kernel_dir has none"
	fi
	kernel=$kernel_dir/$(< "$latest")
	if [[ ! -e $kernel/complete ]]; then
		rm -rf "$kernel"
		mkdir "$tmp/deb"
		(cd "$tmp/deb" && apt-get -q \
			-o APT::Sandbox::User=root download \
			"$package=$version") ||
			die "cannot download $package"
		dpkg -x "$tmp"/deb/*.deb "$kernel"
		rm -rf "$tmp/deb"
		release=$(ls "$kernel/lib/modules")
		busybox depmod -b "$kernel" "$release"
		touch "$kernel/complete"
	fi
	release=$(ls "$kernel/lib/modules")
	say "kernel $release (${kernel##*_})"
}

# add_module NAME: the paths of a module and of all it needs, what is needed
# first, in $modules. What is built into the kernel has no file.
declare -A module_seen
add_module()
{
	local root=$kernel/lib/modules/$release name=$1 line dep path
	line=$(grep -E "(^|/)${name//_/[_-]}\.ko(\.[a-z]+)?:" \
		"$root/modules.dep" || true)
	if [[ -z $line ]]; then
		grep -qE "/${name//_/[_-]}\.ko" "$root/modules.builtin" ||
			die "kernel $release has no module $name"
		return
	fi
	path=${line%%:*}
	[[ -z ${module_seen[$path]:-} ]] || return 0
	module_seen[$path]=1
	for dep in ${line#*:}; do
		dep=${dep##*/}
		add_module "${dep%%.ko*}"
	done
	modules+=("$root/$path")
}

# --- the guest --------------------------------------------------------------

put_modules()
{
	local root=$1 path name
	modules=()
	add_module virtio_pci
	add_module virtio_blk
	# What ext4 asks for by name at mount; newer kernels have it built in.
	if grep -q '/crc32c_generic\.ko' "$kernel/lib/modules/$release/modules.dep"
	then
		add_module crc32c_generic
	fi
	add_module ext4
	mkdir -p "$root/modules"
	: > "$root/modules/order"
	for path in "${modules[@]}"; do
		name=${path##*/}
		case $path in
		*.xz) name=${name%.xz} && xz -dc "$path" > "$root/modules/$name" ;;
		*) cp "$path" "$root/modules/$name" ;;
		esac
		echo "$name" >> "$root/modules/order"
	done
	say "modules: $(tr '\n' ' ' < "$root/modules/order")"
}

# A program with the libraries that it names; a static one has none.
put_program()
{
	local root=$1 program=$2 name=$3 lib libs
	install -m 755 "$program" "$root/bin/$name"
	libs=$(ldd "$program" 2> /dev/null |
		grep -oE '/[^ ]+' | sort -u || true)
	for lib in $libs; do
		install -D -m 755 "$lib" "$root$lib"
	done
	say "$name: ${libs:-static}" | tr '\n' ' '
	echo
}

pack_initramfs()
{
	local root=$tmp/root
	mkdir -p "$root/bin"
	install -m 755 "$here/init" "$root/init"
	install -m 755 "$(type -P busybox)" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	cc -std=gnu11 -O2 -Wall -Wextra -static -o "$root/bin/plant" \
		"$here/plant.c"
	put_modules "$root"
	put_program "$root" "$avml" avml
	ln -s avml "$root/bin/avml-convert"
	(cd "$root" && find . -print0 | LC_ALL=C sort -z |
		cpio --quiet --null -o -H newc -R 0:0) > "$tmp/initramfs"
	say "initramfs: $(stat -c %s "$tmp/initramfs") bytes"
}

make_disk()
{
	local path=$1 mib=$2
	truncate -s "${mib}M" "$path"
	# Without a journal and reserved blocks the size is known and the
	# writing quick; the disk lives for one boot.
	mke2fs -q -F -t ext4 -O ^has_journal -m 0 "$path"
}

# boot NAME [WORDS]: runs boot_NAME of the init with these words added to the
# kernel's command line; results in $tmp/results/NAME.
boot()
{
	local name=$1 status=0 began=$SECONDS results=$tmp/results/$1
	local ram="memory-backend-file,id=ram,share=on,mem-path=$tmp/ram"
	ram+=",size=${memory_mib}M"
	shift
	say "boot $name: $memory_mib MiB, of it $((below_4g >> 20)) below 4 GiB"
	make_disk "$tmp/disk" "$disk_mib"
	make_disk "$tmp/small" "$small_disk_mib"
	truncate -s "${memory_mib}M" "$tmp/ram"
	# With 5 level page tables (la57) some readers of images find nothing.
	# With erms and fsrm the kernel copies by `rep movsb`, which QEMU
	# emulates byte by byte: twice as slow as words.
	timeout -k 5 "$vm_timeout" qemu-system-x86_64 \
		-nodefaults -no-user-config -display none -no-reboot \
		-accel tcg,thread=multi -smp 2 -cpu max,-la57,-erms,-fsrm \
		-M "q35,max-ram-below-4g=$below_4g,memory-backend=ram" \
		-object "$ram" \
		-m "$memory_mib" \
		-drive "file=$tmp/disk,format=raw,if=virtio,cache=unsafe" \
		-drive "file=$tmp/small,format=raw,if=virtio,cache=unsafe" \
		-serial "file:$tmp/console" \
		-kernel "$kernel/boot/vmlinuz-$release" -initrd "$tmp/initramfs" \
		-append "console=ttyS0 panic=-1 quiet vmtest.boot=$name $*" \
		< /dev/null 2> "$tmp/qemu.stderr" &
	vm_pid=$!
	wait "$vm_pid" || status=$?
	vm_pid=
	say "boot $name: ended with status $status after $((SECONDS - began)) s"
	tr -d '\r' < "$tmp/console" | sed -n 's/^.*vmtest: /vm: guest: /p'

	# Also of a guest that was killed: whatever reached the disk.
	mkdir -p "$results"
	debugfs -R "rdump / $results" "$tmp/disk" > "$tmp/debugfs.log" 2>&1 ||
		cat "$tmp/debugfs.log"
	mkdir -p "$results/guest"
	tr -d '\r' < "$tmp/console" > "$results/console"
	echo "$below_4g" > "$results/guest/below_4g"
	mv "$tmp/ram" "$results/guest/ram"
	say "boot $name: results read back, $((SECONDS - began)) s"
	if [[ $status != 0 || ! -e $results/guest/complete ]]; then
		say "boot $name: DID NOT COMPLETE"
		cat "$tmp/qemu.stderr"
	fi
}

# --- the run ----------------------------------------------------------------

# Boots and judges. The counts of all boots are added up at the end.
run_boot()
{
	local results=$tmp/results/$1 status=0
	boot "$@"
	python3 -B "$here/check.py" "$results" > "$tmp/verdict" 2>&1 || status=$?
	if ((status)); then
		say "console of the guest:"
		tail -n 60 "$results/console"
	fi
	cat "$tmp/verdict"
	passed=$((passed + $(grep -c '^ok ' "$tmp/verdict" || true)))
	failed=$((failed + $(grep -c '^not ok ' "$tmp/verdict" || true)))
	# A check that ended without a verdict is a failure too.
	if ((status > 1)) || { ((status)) && ! grep -q '^not ok ' "$tmp/verdict"; }
	then
		failed=$((failed + 1))
	fi
}

main()
{
	(($# == 1)) || die "usage: tests/vm/run.sh AVML"
	avml=$1
	[[ -x $avml ]] || die "$avml: not a program"
	need_tools
	tmp=$(mktemp -d)
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	fetch_kernel
	pack_initramfs
	run_boot main
	if [[ -n ${KEEP:-} ]]; then
		mkdir -p "$KEEP"
		cp -r --sparse=always "$tmp/results/." "$KEEP/"
	fi
	echo "$passed passed, $failed failed"
	((failed == 0))
}

main "$@"
