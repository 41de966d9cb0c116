#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Part of run.sh: kernels of Debian, by apt and dpkg, unpacked and not
# installed. Those of other releases come by package lists of our own, see
# contrib/static/apt.sh.
#
# shellcheck disable=SC2154 # $kernel_dir and $tmp are run.sh's, as is say()

# Where the packages of a kernel come from: "PACKAGE" or "PACKAGE SUITE". That
# of another processor comes from lists of our own in any case.
kernel_origin()
{
	case $1 in
	cloud) echo "${KERNEL_PACKAGE:-linux-image-cloud-amd64}" ;;
	full) echo "linux-image-amd64" ;;
	newer) echo "linux-image-cloud-amd64 ${NEWER_SUITE:-trixie}" ;;
	older) echo "linux-image-amd64 ${OLDER_SUITE:-bullseye}" ;;
	arm64) echo "linux-image-cloud-arm64 $programs_suite" ;;
	arm64_newer) echo "linux-image-cloud-arm64 ${NEWER_SUITE:-trixie}" ;;
	esac
}

# --- one kernel ---------------------------------------------------------------

# resolve_kernel PACKAGE: sets $package to the real one behind a metapackage,
# $version to its newest version.
resolve_kernel()
{
	local real
	real=$(apt-cache depends "$1" 2> /dev/null |
		awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {
			print $2; exit }')
	package=${real:-$1}
	version=$(apt-cache policy "$package" 2> /dev/null |
		awk '$1 == "Candidate:" { print $2 }')
	[[ -n $version && $version != "(none)" ]]
}

# What a kernel here has when all is unpacked: this file, of a name that changes
# with what download() leaves out, so that older caches are filled anew.
complete="complete-net"

# download DIR PACKAGE=VERSION...: unpacked into it, without most drivers. Of
# networks there is what virtio_net needs.
download()
{
	local dir=$1 deb
	shift
	rm -rf "$tmp/deb"
	mkdir -p "$tmp/deb" "$dir"
	(cd "$tmp/deb" && apt-get -q -o APT::Sandbox::User=root download "$@") \
		> "$tmp/apt.log" 2>&1 || {
		cat "$tmp/apt.log"
		return 1
	}
	for deb in "$tmp"/deb/*.deb; do
		dpkg --fsys-tarfile "$deb" | tar -x -C "$dir" \
			--exclude='*/kernel/sound' --exclude='*/kernel/net/[!c]*' \
			--exclude='*/kernel/drivers/[!bnv]*' \
			--exclude='*/kernel/drivers/n[!e]*' \
			--exclude='*/kernel/drivers/net/[!nv]*' || return 1
	done
	rm -rf "$tmp/deb"
}

# Sets $kernel, a directory that holds boot/ and lib/modules/.
unpack_kernel()
{
	kernel=$kernel_dir/${package}_${version//:/%3a}
	[[ ! -e $kernel/$complete ]] || return 0
	rm -rf "$kernel"
	download "$kernel" "$package=$version" || return 1
	# Newer releases have it where /lib leads to.
	[[ -e $kernel/lib ]] || ln -s usr/lib "$kernel/lib"
	busybox depmod -b "$kernel" "$(ls "$kernel/lib/modules")" || return 1
	touch "$kernel/$complete"
}

# own_lists SUITE: sets $apt_conf to package lists of that release, for the
# processor of the guests. Returns 2 where the server has no such release.
own_lists()
{
	local server
	server=$(apt_main_server)
	apt_setup "$kernel_dir/apt-$1${foreign:+-$foreign}" \
		"${foreign:-$(dpkg --print-architecture)}" \
		${server:+"deb:$1:$server"} || return 1
	# Or names of packages mean those of this machine.
	[[ -z $foreign ]] || echo "APT::Architecture \"$foreign\";" >> "$apt_conf"
	apt_update "$tmp/apt.log"
}

# Sets $programs, a directory with what of this machine's does not run on the
# guests' processor. They are no more than tools: what is there will do.
fetch_programs()
{
	programs=$kernel_dir/programs-$foreign
	[[ ! -e $programs/complete ]] || return 0
	rm -rf "$programs"
	own_lists "$programs_suite" || return 1
	APT_CONFIG=$apt_conf download "$programs" "${foreign_packages[@]}" ||
		return 1
	rm -rf "${apt_conf%/*}"
	touch "$programs/complete"
}

# fetch_kernel PACKAGE [SUITE]: sets $kernel. Returns 2 where the server has
# no such kernel. Lists are fetched once a day; where they cannot be, what was
# fetched earlier will do.
fetch_kernel()
{
	local latest=$kernel_dir/latest-$1${2:+-$2} status=0
	local APT_CONFIG=${APT_CONFIG:-}
	if [[ -n ${2:-} && -n $(find "$latest" -mmin -1440 2> /dev/null) ]]; then
		kernel=$kernel_dir/$(< "$latest")
		[[ ! -e $kernel/$complete ]] || return 0
	fi
	if [[ -n ${2:-} ]]; then
		own_lists "$2" || status=$?
		APT_CONFIG=$apt_conf
		export APT_CONFIG
	fi
	if ((status == 0)) && resolve_kernel "$1" && unpack_kernel; then
		echo "${kernel##*/}" > "$latest"
		[[ -z ${2:-} ]] || rm -rf "${apt_conf%/*}"
		return 0
	fi
	if [[ -e $latest && -e $kernel_dir/$(< "$latest")/$complete ]]; then
		say "no package lists: taking the kernel of an earlier run"
		kernel=$kernel_dir/$(< "$latest")
		return 0
	fi
	((status)) || status=1
	return $status
}

# use_kernel KEY: sets $kernel and $release.
declare -A kernel_fetched
use_kernel()
{
	local origin status=0
	read -ra origin <<< "$(kernel_origin "$1")"
	if [[ -z ${kernel_fetched[$1]:-} ]]; then
		fetch_kernel "${origin[@]}" || status=$?
		((status == 0)) || return $status
		kernel_fetched[$1]=$kernel
	fi
	kernel=${kernel_fetched[$1]}
	release=$(ls "$kernel/lib/modules")
	say "kernel $1: $release (${kernel##*_})"
}

# --- a module for it ----------------------------------------------------------

# The headers of the kernel and what they need to build a module, unpacked to
# $headers. Names of packages end in the release.
fetch_headers()
{
	local version=${kernel##*_} name names
	version=${version//%3a/:}
	headers=$kernel/headers
	[[ ! -e $headers/complete ]] || return 0
	rm -rf "$headers"
	names=$(apt-cache depends "linux-headers-$release" |
		awk '$1 == "Depends:" && $2 ~ /^linux-(headers|kbuild)-/ {
			print $2 }')
	[[ -n $names ]] || return 1
	for name in linux-headers-"$release" $names; do
		download "$headers" "$name=$version" || return 1
	done
	# It names the common part by where it would be installed.
	sed -i "s,^include /usr/src/,include $headers/usr/src/," \
		"$headers/usr/src/linux-headers-$release/Makefile"
	touch "$headers/complete"
}

# build_module SOURCE: sets $module. Built anew when its source has changed.
build_module()
{
	local name=${1##*/} sum dir
	name=${name%.c}
	sum=$(sha256sum "$1")
	module=$kernel/$name-${sum:0:16}.ko
	[[ ! -e $module ]] || return 0
	fetch_headers || return 1
	dir=$tmp/module
	mkdir "$dir"
	cp "$1" "$dir"
	echo "obj-m := $name.o" > "$dir/Kbuild"
	# Nothing of our own make's variables and flags.
	if ! env -i PATH="$PATH" make -C \
		"$headers/usr/src/linux-headers-$release" M="$dir" modules \
		> "$tmp/make.log" 2>&1; then
		cat "$tmp/make.log"
		return 1
	fi
	mv "$dir/$name.ko" "$module"
	rm -rf "$dir"
}
