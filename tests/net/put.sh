#!/bin/bash
# SPDX-License-Identifier: MIT
# A file, and an image as a stream, by PUT: all of it arrives, in one request,
# or it is said why not and nothing is there.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

start_nginx
make_file 3000000
up=http://localhost:$http
gone=$(free_port)

# refused REGEX ARGUMENT...: it fails at once, and there is no such file.
refused()
{
	local regex=$1
	shift
	expect_error 1 "$regex" timeout_avml "$@"
	expect_again 0
	expect_absent "$www/up/new" "$www/small/new"
	[ "$(stat -c %s "$T/file")" = 3000000 ] || fail "the file has changed"
}

expect_status 0 avml upload put "$T/file" "$up/up/a"
expect_again 0
expect_arrived "$T/file" "$www/up/a"
expect_status 0 avml upload put "$T/file" "http://127.0.0.1:$http/up/b"
expect_arrived "$T/file" "$www/up/b"
expect_status 0 avml upload --quiet put "$T/file" "http://[::1]:$http/up/c"
[ ! -s "$T/err" ] || fail "--quiet says $(said)"
expect_arrived "$T/file" "$www/up/c"
# One over another that is there.
make_file 2000000 less
expect_status 0 avml upload put "$T/less" "$up/up/a"
expect_arrived "$T/less" "$www/up/a"
make_file 1 byte
expect_status 0 avml upload put "$T/byte" "$up/up/byte"
expect_arrived "$T/byte" "$www/up/byte"
expect_status 0 avml upload put "$T/file" "$up/up/with%20space+%c3%a4?a=b"
expect_arrived "$T/file" "$www/up/with space+ä"

# What is on the wire.
proxy "$http"
via=http://localhost:$proxied
expect_status 0 avml upload put "$T/file" "$via/up/d"
expect_header 1 'Content-Length: 3000000' 'x-ms-blob-type: BlockBlob'
expect_logged 0 'header 1 (Expect|Transfer-Encoding)'
expect_logged 1 'whole 1 3000000'
make_image --size 48
avml "${from[@]}" "$T/v1" 2>"$T/err"
avml "${from[@]}" --compress "$T/v2" 2>"$T/err"
expect_status 0 avml stream put "${from[@]}" "$via/up/v1"
expect_header 2 'Transfer-Encoding: chunked' 'x-ms-blob-type: BlockBlob'
expect_logged 0 'header 2 (Expect|Content-Length)'
expect_logged 2 request
expect_arrived "$T/v1" "$www/up/v1"
expect_image "$www/up/v1" "$T/memory" "$T/iomem"
expect_status 0 avml stream "${from[@]}" --compress put "$via/up/v2"
expect_arrived "$T/v2" "$www/up/v2"
expect_image "$www/up/v2" "$T/memory" "$T/iomem"

expect_status 0 avml stream put "${from[@]}" --compress --digest-file \
	"$T/sum" --report "$T/report" "$up/up/v3?sig=geheim"
reported --image "$www/up/v3" --status 0
[ "$(cut -d ' ' -f 1 "$T/sum")" = "$(sum "$www/up/v3")" ] || fail "the digest"

# Redirected: the same method, the same bytes.
for code in 301 302 307 308; do
	expect_status 0 avml upload put "$T/file" "$up/redirect/$code/$code"
	expect_arrived "$T/file" "$www/up/$code"
done
refused 'redirect|303' upload put "$T/file" "$up/redirect/303/new"
refused 'redirect' upload put "$T/file" "$up/again/new"
# An image cannot be begun again: it arrives, or it is said that it does not.
got=0
timeout_avml stream put "${from[@]}" "$up/redirect/307/streamed" 2>"$T/err" ||
	got=$?
case $got in
0) expect_arrived "$T/v1" "$www/up/streamed" ;;
1)
	expect_error_form
	expect_err redirect
	expect_absent "$www/up/streamed"
	;;
*) fail "status $got: $(said)" ;;
esac

# Refused by the server, in its words.
refused '413' upload put "$T/file" "$up/small/new"
expect_err 'at most 1 MiB, says the collector'
refused '413' stream put "${from[@]}" "$up/small/new"
expect_status 0 avml upload put "$T/byte" "$up/small/fits"
refused '403' upload put "$T/file" "$up/forbidden/new"
expect_err 'not for you, says the collector'
refused '404' upload put "$T/file" "$up/missing/new"
expect_err 'no such place, says the collector'
refused '403' stream put "${from[@]}" "$up/forbidden/new"
# No method of a place that is not for it.
refused '40[0-9]' upload put "$T/file" "$up/"
refused '500' upload put --retries 0 "$T/file" "$up/broken/new"
expect_err 'out of order, says the collector'

# No request can be made of these.
refused 'http' upload put "$T/file" "ftp://localhost/up/new"
refused 'URL' upload put "$T/file" "file://$T/new"
refused 'URL' upload put "$T/file" nonsense
refused 'URL' upload put "$T/file" "http://"
refused 'URL' upload put "$T/file" "http://localhost:port/up/new"
refused 'URL' upload put "$T/file" "http://localhost:99999/up/new"
refused 'URL' upload put "$T/file" "http://[::1/up/new"
refused 'URL' upload put "$T/file" "http://localhost:$http/up/ new"
refused 'http' stream put "${from[@]}" "ftp://localhost/up/new"
refused 'URL' stream put "${from[@]}" nonsense
refused 'refused|onnect' upload put --retries 0 "$T/file" \
	"http://localhost:$gone/up/new"
refused 'refused|onnect' stream put "${from[@]}" --retries 0 \
	"http://localhost:$gone/up/new"
refused 'no\.such\.invalid' upload put --retries 0 --connect-timeout 5 \
	"$T/file" "http://no.such.invalid/up/new"
: >"$T/empty"
refused 'empty' upload put "$T/empty" "$up/up/new"
refused 'No such file' upload put "$T/none" "$up/up/new"
mkdir "$T/dir"
refused 'regular' upload put "$T/dir" "$up/up/new"
mkfifo "$T/pipe"
refused 'regular' upload put "$T/pipe" "$up/up/new"
if modes_count; then
	: >"$T/secret"
	chmod 0 "$T/secret"
	refused 'Permission denied' upload put "$T/secret" "$up/up/new"
fi

# Wrong usage, before anything is done.
for words in 'put' "put $T/file $up/up/new more" "$T/file $up/up/new" \
	"tcp $T/file $up/up/new" "put blob $T/file $up/up/new" \
	"put --retries x $T/file $up/up/new" \
	"put --retries -1 $T/file $up/up/new" \
	"put --stall-timeout 0 $T/file $up/up/new" \
	"put --rate-limit 1Q $T/file $up/up/new" \
	"put --sas-block-size 8 $T/file $up/up/new" \
	"put --compress $T/file $up/up/new" \
	"put --no-such $T/file $up/up/new"; do
	# shellcheck disable=SC2086
	expect_status 2 timeout_avml upload $words
	expect_absent "$www/up/new"
done
expect_status 2 timeout_avml upload put "$T/file"
expect_err 'URL'
expect_status 2 timeout_avml stream put "${from[@]}"
