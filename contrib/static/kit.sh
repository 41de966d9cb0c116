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
#   src/, sysroot-ARCH/     packages as they were unpacked
#   apt-*/, download/       lists and packages
#
# Libraries of C and C++ are compiled here, since Debian's archives of them
# are not fit for it; OpenSSL and c-ares are Debian's archives.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
release=bookworm
tmp=

say() { printf 'kit: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# shellcheck source=contrib/static/apt.sh
. "$here/apt.sh"

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
		*-updates | *-security) entries+=("$type:$release-${line#*-}") ;;
		*-*) ;;
		*) entries+=("$type:$release:${line#*|}") ;;
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

# pin KIND PACKAGE: sets $version.
pin()
{
	local kind=$1 package=$2 pinned series have
	read -r pinned series < <(awk -v kind="$kind" -v package="$package" \
		'$1 == kind && $2 == package { print $3, $4 }' "$here/pins")
	[[ -n $series ]] || die "$package is not in contrib/static/pins"
	lists "$kind"
	have=$(versions "$kind" "$package")
	if grep -qxF -e "$pinned" <<< "$have"; then
		version=$pinned
		return
	fi
	version=$(grep -F -e "$series" <<< "$have" |
		awk -v series="$series" 'index($0, series) == 1' |
		sort -V | tail -n 1)
	[[ -n $version ]] || die "Debian has no $package $series* any more"
	say "$package $pinned is gone from the archive: taking $version"
}

# took NAME KIND PACKAGE FILE
took()
{
	local sum
	sum=$(sha256sum < "$4")
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$version" "$2" "$3" \
		"${sum%% *}" "${4##*/}" >> "$work/taken"
	say "$3 $version"
}

# apt_do COMMAND...: apt, in a directory for what it fetches.
apt_do()
{
	(cd "$1" && shift && APT_CONFIG=$apt_conf apt-get -q "$@") \
		> "$tmp/apt.log" 2>&1 || {
		cat "$tmp/apt.log" >&2
		# Lists that are old name what is no longer there.
		rm -f "$dir"/apt-*/updated
		return 1
	}
}

# take_source NAME PACKAGE: unpacked and patched as Debian does it; sets $src.
take_source()
{
	local name=$1 package=$2 at
	pin source "$package"
	at=$dir/src/${package}_$version
	src=$at/source
	if [[ ! -e $src ]]; then
		rm -rf "$at"
		mkdir -p "$at"
		apt_do "$at" --download-only source "$package=$version" ||
			die "$package $version cannot be fetched"
		# Not built before it is whole.
		dpkg-source --no-check -x "$at"/*.dsc "$at/unpacking" \
			> "$tmp/unpack.log" 2>&1 || {
			cat "$tmp/unpack.log" >&2
			die "$package $version cannot be unpacked"
		}
		mv "$at/unpacking" "$src"
	fi
	took "$name" source "$package" "$(echo "$at"/*.dsc)"
}

# take_binary NAME PACKAGE: unpacked into the sysroot.
take_binary()
{
	local name=$1 package=$2 at
	pin binary "$package"
	at=$dir/download/${package}_${version//:/%3a}_$deb_arch
	if [[ ! -e $at/complete ]]; then
		rm -rf "$at"
		mkdir -p "$at" "$sysroot"
		apt_do "$at" download "$package:$deb_arch=$version" ||
			die "$package $version cannot be fetched"
		dpkg -x "$at"/*.deb "$sysroot"
		touch "$at/complete"
	fi
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

# --- libraries ----------------------------------------------------------------

# quietly COMMAND...: what it says only if it fails.
quietly()
{
	"$@" > "$tmp/build.log" 2>&1 || {
		tail -n 60 "$tmp/build.log" >&2
		die "failed: $*"
	}
}

# The same flags as the program's own. Of the paths here nothing may stay in
# the objects: whoever builds elsewhere gets the same bytes.
flags()
{
	cflags=(-O2 -ffunction-sections -fdata-sections -fstack-protector-strong
		-fstack-clash-protection -fno-asynchronous-unwind-tables
		-U_FORTIFY_SOURCE "-ffile-prefix-map=$dir=." -DNDEBUG)
	case $arch in
	s390x) cflags+=(-fno-pie) ;;
	*) cflags+=(-fPIE) ;;
	esac
	cc=("$gnu-gcc")
	if [[ $kit == musl ]]; then
		cc+=(-nostdinc -isystem "$out/include/musl"
			-isystem "$("$gnu-gcc" -print-file-name=include)"
			-isystem "$out/include/kernel")
	else
		cflags+=(-D_FORTIFY_SOURCE=3)
	fi
}

# The C library with the kernel's headers, which musl has none of.
add_musl()
{
	local musl=${gnu%-gnu}-musl
	take_binary musl musl-dev
	take_binary linux-headers linux-libc-dev
	mkdir -p "$work/include/kernel" "$work/lib"
	cp -r "$sysroot/usr/include/$musl" "$work/include/musl"
	cp -r "$sysroot/usr/include/linux" "$sysroot/usr/include/asm-generic" \
		"$sysroot/usr/include/$gnu/asm" "$work/include/kernel"
	cp "$sysroot/usr/lib/$musl/"*.[ao] "$work/lib"
}

# snappy's own sources, with what its configure would have found: without, it
# is slow, and wrong on big-endian processors. In the objects of its C++ files
# there is nothing of the C library but mem*() and abort(), so those compiled
# with glibc's headers are good for musl too.
add_snappy()
{
	local src version name objects=()
	take_source snappy snappy
	mkdir -p "$tmp/snappy"
	# Its headers are named config.h: before any other of that name.
	{
		printf '#define %s 1\n' HAVE_ATTRIBUTE_ALWAYS_INLINE \
			HAVE_BUILTIN_CTZ HAVE_BUILTIN_EXPECT HAVE_SYS_UIO_H
		[[ $arch != s390x ]] || echo '#define SNAPPY_IS_BIG_ENDIAN 1'
	} > "$tmp/snappy/config.h"
	awk -v version="${version%%-*}" '
		BEGIN { split(version, v, ".") }
		/^#if .*HAVE_SYS_UIO_H_01/ { $0 = "#if " !/!/ }
		{
			sub(/\$\{PROJECT_VERSION_MAJOR\}/, v[1])
			sub(/\$\{PROJECT_VERSION_MINOR\}/, v[2])
			sub(/\$\{PROJECT_VERSION_PATCH\}/, v[3])
			print
		}' "$src/snappy-stubs-public.h.in" \
		> "$tmp/snappy/snappy-stubs-public.h"
	for name in snappy snappy-c snappy-sinksource snappy-stubs-internal; do
		quietly "$gnu-g++" -std=c++11 -I"$tmp/snappy" -I"$src" \
			"${cflags[@]}" -U_FORTIFY_SOURCE -DHAVE_CONFIG_H \
			-fno-exceptions -fno-rtti -fno-threadsafe-statics \
			-c -o "$tmp/snappy/$name.o" "$src/$name.cc"
		objects+=("$tmp/snappy/$name.o")
	done
	quietly "${cc[@]}" "${cflags[@]}" -c -o "$tmp/snappy/runtime.o" \
		"$here/runtime.c"
	objects+=("$tmp/snappy/runtime.o")
	if [[ $kit == musl ]]; then
		# The compiler must not make calls of themselves of its loops.
		quietly "${cc[@]}" "${cflags[@]}" -fno-builtin \
			-fno-tree-loop-distribute-patterns -fno-stack-protector \
			-c -o "$tmp/snappy/memmove.o" "$here/memmove.c"
		objects+=("$tmp/snappy/memmove.o")
	fi
	"$gnu-ar" rcsD "$work/lib/libsnappy.a" "${objects[@]}"
	cp "$src/snappy-c.h" "$work/include"
}

add_cjson()
{
	local src version
	take_source cJSON cjson
	quietly "${cc[@]}" "${cflags[@]}" -c -o "$tmp/cJSON.o" "$src/cJSON.c"
	"$gnu-ar" rcsD "$work/lib/libcjson.a" "$tmp/cJSON.o"
	mkdir -p "$work/include/cjson"
	cp "$src/cJSON.h" "$work/include/cjson"
}

add_openssl()
{
	take_binary OpenSSL libssl-dev
	cp -r "$sysroot/usr/include/openssl" "$work/include"
	cp "$sysroot/usr/include/$gnu/openssl/"* "$work/include/openssl"
	cp "$sysroot/usr/lib/$gnu/"lib{ssl,crypto}.a "$work/lib"
}

add_cares()
{
	take_binary c-ares libc-ares-dev
	cp "$sysroot/usr/include/"ares*.h "$work/include"
	cp "$sysroot/usr/lib/$gnu/libcares.a" "$work/lib"
}

# http and https, and nothing else: a static libcurl of Debian's own would want
# a dozen libraries that it has no archives of.
add_curl()
{
	local src version without=()
	take_source curl curl
	mkdir -p "$tmp/curl"
	without=(--disable-{ldap,ldaps,ftp,file,dict,telnet,tftp,rtsp,pop3,imap}
		--disable-{smtp,gopher,mqtt,smb,ntlm,tls-srp,alt-svc,hsts}
		--disable-{unix-sockets,manual,cookies,doh,netrc}
		--disable-openssl-auto-load-config
		--without-{libpsl,libidn2,librtmp,libssh2,nghttp2,zlib,brotli}
		--without-{zstd,gssapi,ca-bundle,ca-path})
	cd "$tmp/curl"
	# Paths that it is told end up in what it says of itself.
	quietly env CC="${cc[*]}" CFLAGS="${cflags[*]}" \
		CPPFLAGS="-I$work/include" LDFLAGS="-L$work/lib" \
		PKG_CONFIG=false "$src/configure" --host="$gnu" \
		--disable-dependency-tracking --disable-shared --enable-static \
		--with-openssl="$work" --enable-ares="$work" "${without[@]}"
	quietly make -j"$(nproc)" -C lib
	cp lib/.libs/libcurl.a "$work/lib"
	mkdir -p "$work/include/curl"
	cp "$src/include/curl/"*.h "$work/include/curl"
	cd "$dir"
}

add_check()
{
	local src version
	take_source check check
	mkdir -p "$tmp/check"
	cd "$tmp/check"
	quietly env CC="${cc[*]} -B$out/lib -L$out/lib -static" \
		CFLAGS="${cflags[*]} -fno-pie" PKG_CONFIG=false \
		"$src/configure" --host="$gnu" --disable-dependency-tracking \
		--disable-shared --enable-static --disable-subunit \
		--disable-timeout-tests
	quietly make -C lib
	quietly make -C src libcheck.la
	cp src/.libs/libcheck.a "$out/lib"
	cp src/check.h check_stdint.h "$out/include"
	cd "$dir"
}

# An object, not an archive: it is to be in the program before glibc is asked.
add_no_host()
{
	quietly "${cc[@]}" "${cflags[@]}" -D_GNU_SOURCE -Wall -Wextra \
		-c -o "$work/lib/no_host.o" "$here/no_host.c"
}

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
	fi
	took_installed gcc "$("$gnu-gcc" -print-libgcc-file-name)"
	# From here on the paths are those that they will have.
	rm -rf "$out"
	ln -s "$work" "$out"
	flags
	add_snappy
	add_cjson
	if [[ $kit == glibc ]]; then
		add_openssl
		add_cares
		add_curl
		add_no_host
	fi
	write_header
	rm "$out"
	mv "$work" "$out"
	touch "$out/complete"
}

add_check_to_kit()
{
	flags
	: > "$work/taken"
	add_check
	touch "$out/check-complete"
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
	gnu=$arch-linux-gnu
	need_tools
	mkdir -p "$3"
	dir=$(cd "$3" && pwd)
	out=$dir/$kit-$arch
	work=$dir/$kit-$arch.new
	sysroot=$dir/sysroot-$deb_arch
	# One at a time: they share what they fetch.
	exec 8> "$dir/lock"
	flock 8
	# Of one name always: a path may end up in what is built there.
	tmp=$dir/tmp
	trap 'rm -rf "$tmp"' EXIT
	rm -rf "$work" "$tmp"
	mkdir -p "$tmp" "$work/include" "$work/lib"
	if (($# == 4)); then
		add_check_to_kit
		rm -rf "$work"
	else
		make_kit
	fi
}

main "$@"
