#!/bin/bash
# SPDX-License-Identifier: MIT
# release.sh BUILD VERSION COMMIT NAME...: collects in BUILD/release what is
# given to others, with SHA256SUMS: the static binaries of BUILD/NAME with their
# bills of materials, Debian's packages, the tarball.
set -euo pipefail

build=$1
version=$2
commit=$3
shift 3
out=$build/release
rm -rf "$out"
mkdir -p "$out"

for name; do
	binary=$build/$name/avml
	# A binary of another commit may not get in between.
	grep -qaF "$commit" "$binary" || {
		echo "$binary is not of commit $commit" >&2
		exit 1
	}
	case $name in
	static | static-minimal) file=avml-$version-$name-$(uname -m) ;;
	*) file=avml-$version-$name ;;
	esac
	install -m 755 "$binary" "$out/$file"
	install -m 644 "$binary.cdx.json" "$out/$file.cdx.json"
done
install -m 644 "$build/dist/avml-$version.tar.gz" "$out"
install -m 644 "$build"/deb/*.deb "$out"

cd "$out"
export LC_ALL=C
sha256sum -- * >../SHA256SUMS.new
mv ../SHA256SUMS.new SHA256SUMS
