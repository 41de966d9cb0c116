#!/bin/bash
# SPDX-License-Identifier: MIT
# static-minimal has no network code, and says so before anything is acquired.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

[ "$(avml --version --verbose | sed -n 's/^build: //p')" = static-minimal ] ||
	exit 0

make_image --size 4
echo precious >"$T/out"
# refused ARGUMENT...
refused()
{
	expect_error 1 'network' timeout_avml "$@" >"$T/stdout"
	[ ! -s "$T/stdout" ] || fail "something on stdout: $*"
	expect_absent "$T/new"
	[ "$(cat "$T/out")" = precious ] || fail "the file is touched: $*"
}
for url in http://localhost:1/x https://localhost:1/x; do
	refused upload put "$T/memory" "$url"
	refused upload blob "$T/memory" "$url"
	refused stream put "${from[@]}" "$url"
	refused stream blob "${from[@]}" "$url"
	for file in "$T/new" "$T/out"; do
		refused "${from[@]}" --url "$url" "$file"
		refused "${from[@]}" --sas-url "$url" --delete "$file"
		before=(env "AVML_URL=$url")
		refused "${from[@]}" "$file"
		before=()
	done
done
refused stream tcp "${from[@]}" localhost:1
refused stream tls "${from[@]}" localhost:1
program=$AVML
AVML=$T/avml-upload
ln -s "$program" "$AVML"
refused put "$T/memory" http://localhost:1/x
AVML=$program
# What has nothing to do with it works.
expect_status 0 avml "${from[@]}" "$T/new"
expect_image "$T/new" "$T/memory" "$T/iomem"
