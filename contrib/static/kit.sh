#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes the kit of libraries and headers that a static build is linked with:
#
#   contrib/static/kit.sh KIT ARCH DIR [check]
#
# KIT is musl (for static-minimal) or glibc (for static), ARCH is x86_64,
# aarch64 or s390x. With `check`, libcheck for the unit tests is added to it.
#
# Everything comes from Debian 12's packages by apt, which checks what it
# fetches; nothing is installed, and no root is needed. DIR gets
#
#   KIT-ARCH/include, lib   what is compiled and linked with
#   KIT-ARCH/taken          the packages that went in, a line each: name,
#                           version, kind, package, SHA-256 and name of a file
#                           (of what is installed, its path)
#   download/               packages as they were fetched
#   apt-*/                  apt's lists
#
# snappy, cJSON, Mbed TLS, curl and libcheck are compiled here out of their
# source packages; of musl, OpenSSL, c-ares and expat the archives in Debian's
# binary packages are taken, and glibc and libgcc are those of the compiler here.
# A kit that is there already is made anew only if something here is newer than
# it.
set -euo pipefail

# What make and its user say of the program's own flags is not for these.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL CPPFLAGS CFLAGS CXXFLAGS LDFLAGS \
	LIBS CC CXX CONFIG_SITE CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH \
	LIBRARY_PATH

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
release=bookworm
tmp=

say() { printf 'kit: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# shellcheck source=contrib/static/apt.sh
. "$here/apt.sh"
# shellcheck source=contrib/static/libraries.sh
. "$here/libraries.sh"

need_tools()
{
	local tool missing=()
	for tool in apt-cache apt-config apt-get dpkg dpkg-query dpkg-source \
		flock make "$gnu-gcc" "$gnu-g++" "$gnu-ar" "$gnu-nm"; do
		type -P "$tool" > /dev/null || missing+=("$tool")
	done
	((${#missing[@]} == 0)) ||
		die "not found: ${missing[*]} (make deps-static, or" \
			"make deps-cross for other processors)"
}

# --- packages -----------------------------------------------------------------

# lists KIND: sets $apt_conf to package lists of sources, or of programs for
# this processor. They are fetched anew after half a day.
lists()
{
	local kind=$1 type=deb name=$deb_arch line entries=()
	if [[ $kind == source ]]; then
		type=deb-src
		name=source
	fi
	for line in $(apt_servers); do
		case ${line%%|*} in
		*-proposed-updates | *-backports) ;;
		*-updates | *-security)
			entries+=("$type:$release-${line#*-}")
			;;
		*-*) ;;
		*) entries+=("$type:$release|${line#*|}") ;;
		esac
	done
	entries=("${entries[@]/|/:}")
	apt_setup "$dir/apt-$name" "$deb_arch" "${entries[@]}" ||
		die "this machine has no Debian to take packages from"
	[[ -z $(find "$dir/apt-$name/updated" -mmin -720 2> /dev/null) ]] ||
		return 0
	apt_update "$tmp/apt.log" >&2 || die "no package lists for $name"
	touch "$dir/apt-$name/updated"
}

# versions KIND PACKAGE: all that the lists have, a line each.
versions()
{
	case $1 in
	source)
		APT_CONFIG=$apt_conf apt-cache showsrc --only-source "$2" |
			awk '$1 == "Version:" { print $2 }'
		;;
	binary)
		APT_CONFIG=$apt_conf apt-cache madison "$2:$deb_arch" |
			awk -F ' *[|] *' '{ print $2 }'
		;;
	esac
}

# place KIND PACKAGE: sets $at, where $version of it is or will be.
place()
{
	local arch=$deb_arch
	[[ $1 != source ]] || arch=source
	at=$dir/download/${2}_${version//:/%3a}_$arch
}

# pin KIND PACKAGE: sets $version, and $at to a directory that has it.
pin()
{
	local kind=$1 package=$2 pinned series have
	read -r pinned series < <(awk -v kind="$kind" -v package="$package" \
		'$1 == kind && $2 == package { print $3, $4 }' "$here/pins") ||
		die "$package is not in contrib/static/pins"
	# What is there already needs no network.
	version=$pinned
	place "$kind" "$package"
	[[ ! -e $at/complete ]] || return 0
	lists "$kind"
	have=$(versions "$kind" "$package") || have=
	if ! grep -qxF -e "$pinned" <<< "$have"; then
		version=$(awk -v series="$series" 'index($0, series) == 1' \
			<<< "$have" | sort -V | tail -n 1)
		[[ -n $version ]] ||
			die "Debian has no $package $series* any more"
		say "$package $pinned is gone from the archive:" \
			"taking $version"
		place "$kind" "$package"
		[[ ! -e $at/complete ]] || return 0
	fi
	fetch "$kind" "$package=$version" "$package:$deb_arch=$version"
}

# fetch KIND SOURCE BINARY: one of them, into $at.
fetch()
{
	local words=(--download-only source "$2")
	[[ $1 == source ]] || words=(download "$3")
	rm -rf "$at"
	mkdir -p "$at"
	if ! (cd "$at" && APT_CONFIG=$apt_conf apt-get -q "${words[@]}") \
		> "$tmp/apt.log" 2>&1; then
		cat "$tmp/apt.log" >&2
		# Lists that are old name what is no longer there.
		rm -f "$dir"/apt-*/updated
		die "${words[*]}: cannot be fetched"
	fi
	touch "$at/complete"
}

# took NAME KIND PACKAGE FILE
took()
{
	local sum file=$4
	sum=$(sha256sum < "$file")
	[[ $2 == installed ]] || file=${file##*/}
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$version" "$2" "$3" \
		"${sum%% *}" "$file" >> "$work/taken"
	say "$3 $version"
}

# take_source NAME PACKAGE: unpacked and patched as Debian does it, each time
# anew and checked by the .dsc; sets $src.
take_source()
{
	local name=$1 package=$2 at
	pin source "$package"
	src=$tmp/src-$package
	quietly dpkg-source -x "$at"/*.dsc "$src"
	took "$name" source "$package" "$(echo "$at"/*.dsc)"
}

# take_binary NAME PACKAGE: unpacked; sets $root.
take_binary()
{
	local name=$1 package=$2 at
	pin binary "$package"
	root=$tmp/root-$package
	mkdir "$root"
	dpkg -x "$at"/*.deb "$root"
	took "$name" binary "$package" "$(echo "$at"/*.deb)"
}

# took_installed NAME FILE: the package here that a file of the compiler's is
# of, for it goes into the program as well.
took_installed()
{
	local name=$1 file package version
	file=$(realpath "$2")
	package=$(dpkg-query -S "$file" | cut -d ' ' -f 1)
	package=${package%:}
	# shellcheck disable=SC2016 # dpkg-query's own
	version=$(dpkg-query -W -f '${Version}' "$package")
	took "$name" installed "${package%:*}" "$file"
}

# --- the kit ------------------------------------------------------------------

# What `avml --version --verbose` says.
write_header()
{
	local name version rest
	{
		echo "/* Made by contrib/static/kit.sh. */"
		echo "#define KIT_LIBRARIES \\"
		while IFS=$'\t' read -r name version rest; do
			[[ $name == linux-headers ]] ||
				printf '\t"  %s %s\\n" \\\n' "$name" "$version"
		done < "$work/taken"
		echo '	""'
	} > "$work/include/avml_kit.h"
}

make_kit()
{
	: > "$work/taken"
	if [[ $kit == musl ]]; then
		add_musl
	else
		took_installed glibc "$("$gnu-gcc" -print-file-name=libc.a)"
		took_installed linux-headers "$(echo '#include <linux/version.h>' |
			"$gnu-gcc" -M -x c - | grep -o '/[^ ]*version.h')"
	fi
	took_installed gcc "$("$gnu-gcc" -print-libgcc-file-name)"
	flags
	add_snappy
	add_cjson
	if [[ $kit == musl ]]; then
		add_mbedtls
	else
		add_openssl
		add_cares
		add_expat
		add_curl
		add_no_host
	fi
	write_header
	touch "$work/complete"
	# Somebody may be linking with the old one.
	rm -rf "$out.old"
	[[ ! -e $out ]] || mv "$out" "$out.old"
	mv "$work" "$out"
	rm -rf "$out.old"
}

# up_to_date FILE: it is there, and nothing that makes kits is newer.
up_to_date()
{
	local file
	[[ -e $1 ]] || return 1
	for file in "$here"/{kit,libraries,apt}.sh "$here"/pins "$here"/*.c; do
		[[ ! $file -nt $1 ]] || return 1
	done
}

main()
{
	(($# == 3)) || { (($# == 4)) && [[ $4 == check ]]; } ||
		die "usage: kit.sh musl|glibc x86_64|aarch64|s390x DIR [check]"
	kit=$1
	arch=$2
	case $kit in
	musl | glibc) ;;
	*) die "no kit of the name '$kit'" ;;
	esac
	case $arch in
	x86_64) deb_arch=amd64 ;;
	aarch64) deb_arch=arm64 ;;
	s390x) deb_arch=s390x ;;
	*) die "no libraries for the processor '$arch'" ;;
	esac
	[[ $kit$arch != glibcs390x ]] ||
		die "for s390x there is static-minimal (KIT=musl) only"
	gnu=$arch-linux-gnu
	need_tools
	mkdir -p "$3"
	dir=$(cd "$3" && pwd)
	out=$dir/$kit-$arch
	work=$dir/$kit-$arch.new
	# One at a time: they share what they fetch.
	exec 8> "$dir/lock"
	flock 8
	# Of one name always: a path may end up in what is built there.
	tmp=$dir/tmp
	trap 'rm -rf "$tmp"' EXIT
	rm -rf "$work" "$tmp"
	mkdir -p "$tmp" "$work/include" "$work/lib"
	up_to_date "$out/complete" || make_kit
	if (($# == 4)) && [[ ! -e $out/check-complete ]]; then
		mkdir -p "$work"
		cp -r "$out/include" "$work"
		flags
		add_check
		touch "$out/check-complete"
	fi
	rm -rf "$work"
}

main "$@"
