#!/bin/bash
# SPDX-License-Identifier: MIT
# A blob, by a SAS URL: blocks as the service wants them, put together at the
# end; or nothing of it, and the service's reason.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

mib=1048576
start_azurite
azure make box
make_file $((12 * mib + 1)) whole

# upload BYTES BLOCKS SIZE [OPTION...]: the blob is of so many blocks, each but
# the last of that size.
upload()
{
	local bytes=$1 blocks=$2 size=$3 name=box/$1
	shift 3
	head -c "$bytes" "$T/whole" >"$T/file"
	expect_status 0 avml upload blob "$@" "$T/file" "$(sas "$name")"
	expect_again 0
	expect_blob "$T/file" "$name"
	azure blocks "$name" >"$T/blocks"
	[ "$(grep -c '^committed' "$T/blocks")" = "$blocks" ] ||
		fail "$bytes bytes, not $blocks blocks: $(cat "$T/blocks")"
	[ "$(sed '$d' "$T/blocks" | grep -vc " $size$")" = 0 ] ||
		fail "blocks not of $size: $(cat "$T/blocks")"
}
upload 1 1 0
upload $mib 1 0
upload $((5 * mib)) 1 0
upload $((10 * mib)) 2 $((5 * mib))
upload $((12 * mib + 1)) 3 $((5 * mib))
upload $((12 * mib + 1)) 3 $((6 * mib)) --sas-block-size 6
upload $((12 * mib)) 2 $((6 * mib)) --sas-block-size=6 --sas-block-concurrency 1
upload $((12 * mib)) 1 0 --sas-block-size 100 --sas-block-concurrency 100

# What is on the wire.
proxy "$azurite_port"
head -c $((12 * mib + 1)) "$T/whole" >"$T/file"
expect_status 0 avml upload blob "$T/file" "$(via_proxy "$(sas box/wire)")"
expect_blob "$T/file" box/wire
expect_logged 4 request
expect_logged 0 'header . (Expect|Transfer-Encoding)'
for n in 1 2 3 4; do
	expect_header $n 'x-ms-version: 2019-12-12' 'Content-Length: [0-9]+'
done
for n in 1 2 3; do
	expect_header $n 'Content-MD5: [A-Za-z0-9+/]{22}=='
done
expect_logged 2 "whole [123] $((5 * mib))"
expect_logged 1 "whole [123] $((2 * mib + 1))"
expect_logged 3 'request [123] PUT .*[?&]comp=block&'
expect_logged 1 'request 4 PUT .*[?&]comp=blocklist'
grep -oE 'blockid=[^& ]*' "$T/proxy" | sort -u >"$T/ids"
[ "$(wc -l <"$T/ids")" = 3 ] || fail "ids: $(cat "$T/ids")"
while read -r id; do
	id=$(printf %b "${id#blockid=}" | sed 's/%3D/=/gI; s/%2B/+/gI; s/%2F/\//gI')
	base64 -d <<<"$id" | wc -c
done <"$T/ids" | sort -u >"$T/lengths"
[ "$(wc -l <"$T/lengths")" = 1 ] || fail "ids of different lengths"
[ "$(cat "$T/lengths")" -le 64 ] || fail "ids of $(cat "$T/lengths") bytes"

# One over another; a name with odd letters; by a signature of the container.
head -c 1000 "$T/whole" >"$T/file"
for name in box/wire box/with%20space+and%c3%a4/below box/1; do
	expect_status 0 avml upload blob "$T/file" "$(sas "$name")"
	expect_blob "$T/file" "$name"
done
expect_status 0 avml upload blob "$T/file" \
	"$(sas box --permissions racwl | sed 's/?/\/by-container?/')"
expect_blob "$T/file" box/by-container

# Images.
make_image --size 80
avml "${from[@]}" "$T/v1" 2>"$T/err"
avml "${from[@]}" --compress "$T/v2" 2>"$T/err"
expect_status 0 avml stream blob "${from[@]}" "$(sas box/v1)"
expect_blob "$T/v1" box/v1
expect_image "$T/blob" "$T/memory" "$T/iomem"
expect_status 0 avml stream blob "${from[@]}" --compress \
	--sas-block-concurrency 2 "$(sas box/v2)"
expect_blob "$T/v2" box/v2
expect_image "$T/blob" "$T/memory" "$T/iomem"
proxy "$azurite_port"
expect_status 0 avml stream "${from[@]}" blob --sas-block-size 8 \
	"$(via_proxy "$(sas box/v1)")"
expect_blob "$T/v1" box/v1
expect_logged $((($(stat -c %s "$T/v1") + 8 * mib - 1) / (8 * mib) + 1)) request
expect_logged 0 'header . (Expect|Transfer-Encoding)'

# What may not write: nothing is there, and it is said in the service's words.
head -c $((12 * mib)) "$T/whole" >"$T/file"
# refused REGEX URL
refused()
{
	local signature
	signature=$(sed 's/.*sig=//; s/&.*//' <<<"$2")
	expect_error 1 "$1" timeout_avml upload blob "$T/file" "$2"
	expect_again 0
	[ "$signature" = "$2" ] || ! grep -qF "${signature:0:20}" "$T/err" ||
		fail "the signature: $(said)"
	expect_no_err 'sig=' 'sp='
	expect_error 1 "$1" timeout_avml stream blob "${from[@]}" "$2"
	expect_no_err 'sig=' 'sp='
	expect_no_blob box/new
}
refused '403' "$(sas box/new --spoiled)"
expect_err 'AuthorizationFailure'
refused '403' "$(sas box/new --minutes -5)"
expect_err 'AuthorizationFailure'
refused '403' "$(sas box/new --permissions r)"
expect_err 'AuthorizationPermissionMismatch'
refused '403' "$(sas box/another | sed 's/another/new/')"
refused '40[34]' "$(sas none/new)"
refused '.' "http://localhost:$azurite_port/devstoreaccount1/box/new"
refused 'URL' 'nonsense'
: >"$T/file"
expect_error 1 'empty' timeout_avml upload blob "$T/file" "$(sas box/new)"
expect_no_blob box/new
head -c 1000 "$T/whole" >"$T/file"
for option in '--sas-block-concurrency 0' '--sas-block-concurrency x' \
	'--sas-block-size 0' '--sas-block-size x' '--sas-block-size 4001'; do
	# shellcheck disable=SC2086
	expect_status 2 timeout_avml upload blob $option "$T/file" "$(sas box/new)"
done
expect_no_blob box/new
