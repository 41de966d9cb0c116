# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Part of kit.sh: the libraries, a function for each. What they put into $work
# is the kit. Everything is compiled in $tmp, out of sources in $src.
#
# shellcheck disable=SC2154,SC2164 # variables and set -e are kit.sh's

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
		cc+=(-nostdinc -isystem "$work/include/musl"
			-isystem "$("$gnu-gcc" -print-file-name=include)"
			-isystem "$work/include/kernel")
	else
		cflags+=(-D_FORTIFY_SOURCE=3)
	fi
}

# The C library with the kernel's headers, which musl has none of.
add_musl()
{
	local musl=${gnu%-gnu}-musl root version
	take_binary musl musl-dev
	cp -r "$root/usr/include/$musl" "$work/include/musl"
	cp "$root/usr/lib/$musl/"*.[ao] "$work/lib"
	take_binary linux-headers linux-libc-dev
	mkdir "$work/include/kernel"
	cp -r "$root/usr/include/linux" "$root/usr/include/asm-generic" \
		"$root/usr/include/$gnu/asm" "$work/include/kernel"
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
	{
		printf '#define %s 1\n' HAVE_ATTRIBUTE_ALWAYS_INLINE \
			HAVE_BUILTIN_CTZ HAVE_BUILTIN_EXPECT HAVE_SYS_UIO_H
		[[ $arch != s390x ]] || echo '#define SNAPPY_IS_BIG_ENDIAN 1'
	} > "$tmp/snappy/config.h"
	awk -v version="${version%%-*}" '
		BEGIN { split(version, v, ".") }
		/^#if !.*HAVE_SYS_UIO_H_01/ { $0 = "#if 0" }
		/^#if .*HAVE_SYS_UIO_H_01/ { $0 = "#if 1" }
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

# SHA-256 alone, which is a file and the wiping of memory. What it would be
# configured with is empty but for that: no other code, and no platform's.
add_mbedtls()
{
	local src version name objects=()
	take_source "Mbed TLS" mbedtls
	mkdir -p "$tmp/mbedtls" "$work/include/mbedtls"
	printf '#define %s\n' MBEDTLS_SHA256_C MBEDTLS_DEPRECATED_REMOVED \
		> "$work/include/mbedtls/config.h"
	for name in sha256 platform_util; do
		quietly "${cc[@]}" -I"$work/include" -I"$src/include" \
			"${cflags[@]}" -c -o "$tmp/mbedtls/$name.o" \
			"$src/library/$name.c"
		objects+=("$tmp/mbedtls/$name.o")
	done
	"$gnu-ar" rcsD "$work/lib/libmbedcrypto.a" "${objects[@]}"
	cp "$src/include/mbedtls/sha256.h" "$work/include/mbedtls"
}

add_openssl()
{
	local root version
	take_binary OpenSSL libssl-dev
	cp -r "$root/usr/include/openssl" "$work/include"
	cp "$root/usr/include/$gnu/openssl/"* "$work/include/openssl"
	cp "$root/usr/lib/$gnu/"lib{ssl,crypto}.a "$work/lib"
}

add_cares()
{
	local root version
	take_binary c-ares libc-ares-dev
	cp "$root/usr/include/"ares*.h "$work/include"
	cp "$root/usr/lib/$gnu/libcares.a" "$work/lib"
}

add_expat()
{
	local root version
	take_binary expat libexpat1-dev
	cp "$root/usr/include/"expat*.h "$work/include"
	cp "$root/usr/lib/$gnu/libexpat.a" "$work/lib"
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
