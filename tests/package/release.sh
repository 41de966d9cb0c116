#!/bin/bash
# SPDX-License-Identifier: MIT
# A release is whole, and can be signed and verified as README.md says.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

top=$(cd "$tests/.." && pwd)
mkdir -p "$T/build"
cp -a "$BUILD/release" "$T/build"
cd "$T/build/release"

# Every file, in the order of names.
sha256sum --strict -c SHA256SUMS >"$T/log" || fail "$(grep -v OK "$T/log")"
find . -type f ! -name SHA256SUMS -printf '%f\n' | sort >"$T/wanted"
sed 's/^[0-9a-f]*  //' SHA256SUMS | cmp -s - "$T/wanted" || fail "$(cat SHA256SUMS)"
for file in avml-[0-9]*.tar.gz avml_*.deb libavml-dev_*.deb; do
	[ -s "$file" ] || fail "no $file"
done
expect_same "$(echo avml-[0-9]*.tar.gz)" "$(echo "$BUILD"/dist/*.tar.gz)"

# Of each static binary that there is its bill of materials too.
binaries=0
for file in avml-*-static*; do
	case $file in
	'avml-*' | *.cdx.json) continue ;;
	esac
	((++binaries))
	[ -x "$file" ] || fail "$file is no program"
	! readelf -lW "$file" | grep -q INTERP || fail "$file is not static"
	sum=$(sha256sum <"$file")
	grep -qF "${sum%% *}" "$file.cdx.json" || fail "$file.cdx.json is another's"
	[[ $file == *-"$(uname -m)" ]] || continue
	AVML=$PWD/$file
	expect_status 0 avml --version >"$T/version"
	[[ $file == avml-$(cut -d ' ' -f 2 "$T/version")-static* ]] ||
		fail "$file: $(cat "$T/version")"
done
[ "$binaries" -gt 0 ] || skip_part "static binaries, of which there is none"

# command REGEX: the line of the README.
command_of()
{
	sed -nE "s/^    ($1.*)/\1/p" "$top/README.md" >"$T/command"
	[ "$(wc -l <"$T/command")" = 1 ] || fail "not one command: $1"
	cat "$T/command"
}
sign=$(command_of 'gpg --armor')
verify=$(command_of 'gpg --verify')
mkdir -m 700 "$T/gnupg"
export GNUPGHOME=$T/gnupg
gpg --batch --quiet --passphrase '' --quick-generate-key \
	'A releaser <releaser@avml.invalid>' ed25519 sign 1d >"$T/log" 2>&1 ||
	fail "no key: $(tail -n 1 "$T/log")"
(cd "$T" && eval "$sign") >"$T/log" 2>&1 || fail "$(tail -n 1 "$T/log")"
(eval "$verify") >"$T/log" 2>&1 || fail "$(tail -n 1 "$T/log")"
# One that took a part of it can do it as well.
mkdir "$T/some"
cp SHA256SUMS SHA256SUMS.asc avml-[0-9]*.tar.gz "$T/some"
cd "$T/some"
(eval "$verify") >"$T/log" 2>&1 || fail "$(tail -n 1 "$T/log")"
# And it is seen where a file, or the list of sums, is another one.
echo x >>"$(echo avml-[0-9]*.tar.gz)"
! (eval "$verify") >"$T/log" 2>&1 || fail "another tarball is taken"
sha256sum -- avml-[0-9]*.tar.gz >SHA256SUMS
! (eval "$verify") >"$T/log" 2>&1 || fail "another list is taken"
gpgconf --kill gpg-agent || :

# What is not committed is in no release.
git clone -q "$top" "$T/clone"
echo >>"$T/clone/README.md"
! env -i PATH="$PATH" HOME="$T" make -s -C "$T/clone" release >"$T/log" 2>&1 ||
	fail "a changed tree was released"
grep -q 'a release is of a commit' "$T/log" || fail "$(tail -n 1 "$T/log")"
