#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Part of run.sh: what is in a guest's root, which is its initramfs: modules,
# programs, the guest's own scripts.
#
# shellcheck disable=SC2154 # run.sh, machines.sh and kernels.sh set them

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

# put_modules ROOT LIST NAME...: they go to /modules, and their names, in the
# order of loading, to the list.
put_modules()
{
	local root=$1 list=$1/modules/$2.order path name
	shift 2
	modules=()
	for name; do
		add_module "$name"
	done
	mkdir -p "$root/modules"
	: > "$list"
	for path in "${modules[@]}"; do
		name=${path##*/}
		case $path in
		*.xz) name=${name%.xz} && xz -dc "$path" > "$root/modules/$name" ;;
		*) cp "$path" "$root/modules/$name" ;;
		esac
		echo "$name" >> "$list"
	done
	say "modules ($(basename "$list" .order)): $(tr '\n' ' ' < "$list")"
}

put_all_modules()
{
	local root=$1 name base=(virtio_pci virtio_blk)
	module_seen=()
	# What ext4 asks for by name at mount; newer kernels have it built in.
	if grep -q '/crc32c_generic\.ko' \
		"$kernel/lib/modules/$release/modules.dep"; then
		base+=(crc32c_generic)
	fi
	put_modules "$root" base "${base[@]}" ext4
	for name in "${later[@]}"; do
		put_modules "$root" "$name" "$name"
	done
	if [[ $kernel_key == full ]]; then
		build_module "$here/crash.c" || return 1
		cp "$module" "$root/modules/crash.ko"
	fi
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

# put_foreign ROOT: programs of packages, with all the libraries that were
# fetched for them: nothing here tells which they need.
put_foreign()
{
	local root=$1 libs=$1/lib/aarch64-linux-gnu
	install -m 755 "$programs/bin/busybox" "$programs/usr/sbin/bpftool" \
		"$root/bin"
	mkdir -p "$libs"
	cp -L "$programs"/{,usr/}lib/aarch64-linux-gnu/*.so* "$libs"
	cp -P "$programs/lib/ld-linux-aarch64.so.1" "$root/lib"
}

# What is alike in all boots, once.
make_root()
{
	local root=$tmp/root program
	mkdir -p "$root/bin" "$root/lib" "$root/etc"
	echo 'ID=vmtest' > "$root/etc/os-release"
	install -m 755 "$here/init" "$root/init"
	install -m 644 "$here"/cases_*.sh "$here/measure.sh" "$root/lib"
	ln -s busybox "$root/bin/sh"
	for program in plant odd without coreranges cached; do
		"$compiler" -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra -static \
			-o "$root/bin/$program" "$here/$program.c"
	done
	put_program "$root" "$avml" avml
	if [[ -n $foreign ]]; then
		fetch_programs || die "no programs for $foreign"
		put_foreign "$root"
	else
		install -m 755 "$(type -P busybox)" "$root/bin/busybox"
		# Where Debian has it no ordinary user's PATH leads to.
		put_program "$root" "$(PATH=$PATH:/usr/sbin type -P bpftool)" \
			bpftool
	fi
	ln -s avml "$root/bin/avml-convert"
	if [[ -n $net_avml ]]; then
		put_program "$root" "$net_avml" avml-net
		make_certificate
	fi
}

pack_initramfs()
{
	local root=$tmp/root
	rm -rf "$root/modules"
	put_all_modules "$root" || return 1
	rm -rf "${root:?}/boot"
	mkdir "$root/boot"
	if [[ -n $kernel_files ]]; then
		cp "$kernel/boot/vmlinuz-$release" \
			"$kernel/boot/System.map-$release" "$root/boot"
	fi
	(cd "$root" && find . -print0 | LC_ALL=C sort -z |
		cpio --quiet --null -o -H newc -R 0:0) > "$tmp/initramfs" ||
		return 1
	say "initramfs: $(stat -c %s "$tmp/initramfs") bytes"
}
