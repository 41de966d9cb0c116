#!/bin/bash
# SPDX-License-Identifier: MIT
# What fails and may pass is tried again, later each time and not for ever;
# what was not confirmed is never success.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

start_nginx
make_file 3000000
gone=$(free_port)

# sends NOTES [OPTION...]: it arrives, through the proxy.
sends()
{
	rm -f "$www/up/file"
	timed expect_status 0 avml upload put "${@:2}" "$T/file" \
		"http://localhost:$proxied/up/file"
	expect_again "$1"
	expect_arrived "$T/file" "$www/up/file"
}
# fails NOTES REGEX [OPTION...]: it does not.
fails()
{
	rm -f "$www/up/file"
	timed expect_error 1 "$2" avml upload put "${@:3}" "$T/file" \
		"http://localhost:$proxied/up/file"
	expect_again "$1"
	expect_absent "$www/up/file"
}
# expect_wait FROM TO LEAST MOST: milliseconds between two requests.
expect_wait()
{
	local ms
	ms=$(waited "$1" "$2")
	if [ "$ms" -lt "$3" ] || [ "$ms" -gt "$4" ]; then
		fail "$ms ms between requests $1 and $2, not $3 to $4"
	fi
}

proxy "$http" --answer 3:500
sends 3
expect_logged 4 request
expect_logged 4 'whole . 3000000'
expect_wait 1 2 490 1500
expect_wait 2 3 990 2500
expect_wait 3 4 1990 4500
expect_header 4 'Content-Length: 3000000' 'x-ms-blob-type: BlockBlob'
proxy "$http" --answer 1:429:3
sends 1
expect_wait 1 2 2990 5000
proxy "$http" --answer "1:503:$(LC_ALL=C date -u -d '+4 seconds' \
	'+%a, %d %b %Y %H:%M:%S GMT')"
sends 1
expect_wait 1 2 1900 6000
proxy "$http" --answer 1:408
sends 1
proxy "$http" --answer 1:502 --early
sends 1
for status in 400 401 403 404 409 411 413; do
	proxy "$http" --answer "9:$status" --text 'says the collector'
	fails 0 "$status"
	expect_err 'says the collector'
	expect_logged 1 request
done

# Cut at every tenth, and when all was sent.
cuts=
for tenth in 1 2 3 4 5 6 7 8 9; do
	cuts=$cuts$((tenth * 300000)),-,
done
proxy "$http" --cut "${cuts%,}"
for tenth in 1 2 3 4 5 6 7 8 9; do
	sends 1
	expect_logged "$tenth" ' cut [0-9]+'
	expect_logged "$tenth" 'whole .* 3000000'
done
proxy "$http" --lose 1
sends 1
expect_logged 2 'whole . 3000000'

# So often and no more.
proxy "$http" --answer 99:500 --text 'out of order'
fails 0 '500' --retries 0
expect_logged 1 request
fails 2 '500' --retries 2
expect_err 'out of order'
expect_logged 4 request
fails "" '500' --retry-time 2
expect_took 500 5000
[ "$(logged request)" -ge 6 ] || fail "not tried again in 2 s"
proxy "$http" --cut-each 1000000
fails 1 'onnection|reset|recv|send' --retries 1
expect_logged 2 'broken . 999'

# No server at first.
end_server "$nginx"
begin upload put "$T/file" "http://localhost:$http/up/file"
wait_until grep -q '^note: ' "$T/err"
rm -f "$www/up/file"
start_nginx
expect_ended 0 "$pid"
expect_arrived "$T/file" "$www/up/file"

# Slow is not still.
make_file 12000000
proxy "$http" --rate 4000000
sends 0 --stall-timeout 2
expect_took 2500 9000
proxy "$http"
sends 0 --rate-limit 4M
expect_took 2300 6000
proxy "$http" --stall 1000000 --stalls 1
sends 1 --stall-timeout 2
expect_took 2400 9000
proxy "$http" --stall 0 --stalls 1
sends 1 --stall-timeout 1
proxy "$http" --stall 1000000
fails 0 'took no byte for [0-9]+ s' --stall-timeout 1 --retries 0
expect_took 900 6000
# An answer may take longer, and not for ever.
proxy "$gone" --mute
fails 0 'no answer came for [0-9]+ s' --stall-timeout 1 --retries 0
expect_took 900 9000

# An image cannot be begun again once a part of it is gone.
make_image --size 48
avml "${from[@]}" "$T/v1" 2>"$T/err"
proxy "$http" --cut 9000000
rm -f "$www/up/v1"
expect_error 1 . avml stream put "${from[@]}" "http://localhost:$proxied/up/v1"
expect_absent "$www/up/v1"
proxy "$http" --lose 1
expect_error 1 'whether the image is at .* is not known' avml stream put "${from[@]}" "http://localhost:$proxied/up/v1"
proxy "$http" --answer 1:403 --early --text 'not for you'
expect_error 1 'not for you' avml stream put "${from[@]}" \
	"http://localhost:$proxied/up/v1"
# A server that is late is waited for.
end_server "$nginx"
rm -f "$www/up/v1"
begin stream put "${from[@]}" "http://localhost:$http/up/v1"
wait_until grep -q '^note: ' "$T/err"
start_nginx
expect_ended 0 "$pid"
expect_arrived "$T/v1" "$www/up/v1"
