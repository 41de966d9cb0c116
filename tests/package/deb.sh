#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian's packages: lintian finds nothing, they go in and work, and nothing of
# them stays behind. They are unpacked into a directory, not into this system.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

root=()
[ "$(id -u)" = 0 ] || root=(unshare -r)

lintian --allow-root --fail-on error,warning "$BUILD"/deb/*.changes \
	>"$T/lintian" 2>&1 || fail "$(tail -n 3 "$T/lintian")"
[ ! -s "$T/lintian" ] || fail "$(head -n 3 "$T/lintian")"

# It takes itself for this system as to what is installed, so that the
# packages' dependencies count.
mkdir -p "$T/root/var/lib/dpkg/info" "$T/root/var/lib/dpkg/updates"
cp /var/lib/dpkg/status "$T/root/var/lib/dpkg"
status()
{
	dpkg-query --admindir="$T/root/var/lib/dpkg" -W \
		-f '${db:Status-Status} ${Package} ${Version}\n' |
		grep -E "$1" | sort
}
installed()
{
	(cd "$T/root" && find . ! -path './var/lib/dpkg*' | sort)
}
installed >"$T/before"
status . >"$T/status.before"
! grep -q avml "$T/status.before" || fail "avml is installed on this system"

mapfile -t packages < <(printf '%s\n' "$BUILD"/deb/*.deb | grep -v dbgsym)
[ "${#packages[@]}" = 2 ] || fail "${packages[*]}"
${root[@]+"${root[@]}"} dpkg --root="$T/root" --log="$T/dpkg.log" \
	--install "${packages[@]}" >"$T/log" 2>&1 ||
	fail "$(grep -v '^dpkg: warning' "$T/log" | tail -n 3)"
[ "$(status avml | grep -c '^installed ')" = 2 ] || fail "$(status avml)"
usr=$T/root/usr

# By the libraries of this system, which are those of Debian 12.
AVML=$usr/bin/avml
expect_status 0 avml --version >"$T/version"
name=$(basename "$BUILD"/dist/*.tar.gz .tar.gz)
grep -qxE "avml ${name#avml-} \(commit [0-9a-f]{12}\)" "$T/version" ||
	fail "$(cat "$T/version")"
make_image --size 4
expect_status 0 avml "${from[@]}" --compress "$T/out.avml"
AVML=$usr/bin/avml-convert
expect_status 0 avml "$T/out.avml" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
AVML=$usr/bin/avml-upload
expect_status 0 avml --help >"$T/help"
readelf -dW "$usr/bin/avml" >"$T/dynamic"
grep -q 'BIND_NOW' "$T/dynamic" || fail "not hardened"
! grep -qE 'R(UN)?PATH' "$T/dynamic" || fail "a path to libraries"

# Pages, which render; completions, which are those of the build; documents.
for page in "$tests"/../man/*.[1-8]; do
	page=${page##*/}
	gzip -dc "$usr/share/man/man${page##*.}/$page.gz" | mandoc -Tlint \
		-Wstyle >"$T/page" || fail "$page: $(head -n 1 "$T/page")"
done
for file in bash-completion/completions/avml{,-convert,-upload} \
	zsh/vendor-completions/_avml \
	fish/vendor_completions.d/avml{,-convert,-upload}.fish \
	avml/avml-report.schema.json doc/avml/copyright doc/avml/changelog.gz \
	doc/avml/README.md.gz doc/avml/examples/avml-part-urls; do
	[ -s "$usr/share/$file" ] || fail "no $file"
done
expect_bash()
{
	bash --norc --noprofile -c '. "$1"; COMP_WORDS=("$2" --dig)
		COMP_CWORD=1; _avml; echo "${COMPREPLY[@]}"' bash \
		"$usr/share/bash-completion/completions/$1" "$1"
}
[ "$(expect_bash avml)" = "--digest --digest-file" ] || fail "$(expect_bash avml)"
[ "$(expect_bash avml-convert)" = --digest ] || fail "$(expect_bash avml-convert)"

# A program can be built with the library.
cat >"$T/program.c" <<'END'
#include <stdio.h>
#include <avml/record.h>
int main(void) { puts(avml_image_format_name(AVML_IMAGE_LIME)); return 0; }
END
pc=$(echo "$usr"/lib/*/pkgconfig)
flags=$(PKG_CONFIG_LIBDIR=$pc PKG_CONFIG_SYSROOT_DIR=$T/root pkg-config \
	--cflags --libs avml)
# shellcheck disable=SC2086
cc -o "$T/program" "$T/program.c" $flags >"$T/log" 2>&1 ||
	fail "$(tail -n 1 "$T/log")"
[ "$("$T/program")" = lime ] || fail "$("$T/program")"

# Gone is gone.
${root[@]+"${root[@]}"} dpkg --root="$T/root" --log="$T/dpkg.log" \
	--purge avml libavml-dev >"$T/log" 2>&1 || fail "$(tail -n 2 "$T/log")"
installed | diff "$T/before" - >"$T/diff" || fail "left: $(cat "$T/diff")"
status . | diff "$T/status.before" - >"$T/diff" || fail "$(cat "$T/diff")"
