#!/bin/bash
# SPDX-License-Identifier: MIT
# deb.sh TARBALL DIR: Debian's packages of a tarball that `make dist` made, and
# the source package, into DIR. All of it comes out of the tarball, debian/ and
# the date too, so that who has it makes the same packages.
#
# DEB_BUILD_OPTIONS is as usual; "nocheck" leaves out the unit tests, and what
# would have to be installed for these.
set -euo pipefail

tarball=$(realpath "$1")
dir=$2
name=$(basename "$tarball" .tar.gz)
version=${name#avml-}

# Of the make that called us nothing is to be taken over.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL
[[ ${DEB_BUILD_OPTIONS-} != *nocheck* ]] || export DEB_BUILD_PROFILES=nocheck
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"
umask 022
ln "$tarball" "avml_$version.orig.tar.gz" 2>/dev/null ||
	cp "$tarball" "avml_$version.orig.tar.gz"
tar -xf "avml_$version.orig.tar.gz"
cp -R "$name/contrib/debian" "$name/debian"

# dpkg takes the time of all files from here.
time=$(sed -nE 's/^[0-9a-f]{40} ([0-9]+)$/\1/p' "$name/.commit")
maintainer=$(sed -n 's/^Maintainer: //p' "$name/debian/control")
cat >"$name/debian/changelog" <<END
avml ($version-1~deb12) bookworm; urgency=medium

  * Version $version. What changed is in changelog.gz.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$time")
END

(cd "$name" && SOURCE_DATE_EPOCH=$time dpkg-buildpackage -us -uc -j"$(nproc)")
rm -rf "$name"
