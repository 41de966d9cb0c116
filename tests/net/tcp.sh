#!/bin/bash
# SPDX-License-Identifier: MIT
# An image over TCP: every byte of it, to whoever listens, or no success.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

make_image --size 48
avml "${from[@]}" "$T/v1" 2>"$T/err"
avml "${from[@]}" --compress "$T/v2" 2>"$T/err"
port=$(free_port)

# arrives IMAGE TO [OPTION...]
arrives()
{
	expect_status 0 timeout_avml stream tcp "${from[@]}" "${@:3}" "$2"
	expect_again 0
	wait "$receiver" || fail "the receiver: $(cat "$T/receiver")"
	expect_arrived "$1" "$T/got"
	expect_image "$T/got" "$T/memory" "$T/iomem"
}
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
arrives "$T/v1" "127.0.0.1:$port"
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
arrives "$T/v1" "localhost:$port"
receive socat -u "TCP6-LISTEN:$port,reuseaddr,bind=[::1]" -
arrives "$T/v2" "[::1]:$port" --compress
receive socat -u "TCP6-LISTEN:$port,reuseaddr,bind=[::1]" -
arrives "$T/v1" "localhost:$port" --threads 1
receive ncat -4 -l --recv-only 127.0.0.1 "$port"
arrives "$T/v1" "localhost:$port"
receive ncat -6 -l --recv-only ::1 "$port"
arrives "$T/v2" "localhost:$port" --compress
# By the environment.
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
before=(env "AVML_URL=localhost:$port")
expect_status 0 avml stream tcp "${from[@]}"
before=()
wait "$receiver"
expect_arrived "$T/v1" "$T/got"

# What is told of it.
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
arrives "$T/v1" "localhost:$port" --digest --report "$T/report"
expect_err "SHA-256 $(sum "$T/got")"
reported --image "$T/got" --status 0
grep -qE '"type":"upload","kind":"tcp".*"confirmed":true' "$T/report" ||
	fail "the report: $(grep upload "$T/report")"

# So fast and no faster.
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
timed arrives "$T/v1" "localhost:$port" --rate-limit 10M
needs=$(($(stat -c %s "$T/v1") / 10486)) # milliseconds
expect_took $((needs * 8 / 10)) $((needs * 2 + 3000))
# A receiver that is slow is one that works.
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
proxy "$port" --raw --rate 16000000
expect_status 0 avml stream tcp "${from[@]}" --stall-timeout 1 "localhost:$proxied"
wait "$receiver"
expect_arrived "$T/v1" "$T/got"

# One that comes late.
begin stream tcp "${from[@]}" "localhost:$port"
wait_until grep -q '^note: ' "$T/err"
receive_at_once socat -u "TCP4-LISTEN:$port,reuseaddr" -
expect_ended 0 "$pid"
wait "$receiver"
expect_arrived "$T/v1" "$T/got"

# fails REGEX TO [OPTION...]
fails()
{
	expect_error 1 "$1" timeout_avml stream tcp "${from[@]}" "${@:3}" "$2"
}
fails 'refused|onnect' "localhost:$port" --retries 0
expect_again 0
timed fails 'refused|onnect' "localhost:$port" --retries 2
expect_again 2
expect_took 1400 6000
fails 'no\.such\.invalid' no.such.invalid:1 --retries 0 --connect-timeout 5
for to in localhost localhost: :1 localhost:0 localhost:65536 localhost:x \
	"::1:1" "[::1]" "http://localhost:1/"; do
	fails 'PORT|port|HOST' "$to"
	expect_again 0
done
# One that takes a part of it, and ends.
receive socat -u "TCP4-LISTEN:$port,reuseaddr" EXEC:'head -c 1000000'
fails 'reset|pipe|closed' "localhost:$port"
expect_again 0
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
begin stream tcp "${from[@]}" --rate-limit 4M "localhost:$port"
wait_until test -s "$T/got"
end_server "$receiver"
expect_ended 1 "$pid"
expect_error_form
# One that does not take any more.
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
kill -STOP "$receiver"
timed fails 'took no byte for [0-9]+ s' "localhost:$port" --stall-timeout 2
expect_took 1900 8000
end_server "$receiver"
# One that has all and does not close; one that had closed its side before:
# what they have, only their systems tell.
receive socat -t 30 "TCP4-LISTEN:$port,reuseaddr" SYSTEM:'cat >&2; exec sleep 30'
expect_status 0 timeout_avml stream tcp "${from[@]}" "localhost:$port"
expect_err '^note: .*did not show by closing'
kill -TERM "$receiver"
wait "$receiver" || :
receive sh -c "exec ncat -4 -l 127.0.0.1 $port </dev/null"
expect_status 0 timeout_avml stream tcp "${from[@]}" "localhost:$port"
expect_err '^note: .*did not show by closing'
wait "$receiver"
expect_arrived "$T/v1" "$T/got"
# Of TLS nothing may be asked here.
for option in --cacert --cert --key --pin; do
	expect_status 2 avml stream tcp "${from[@]}" "$option" "$T/x" "localhost:$port"
done

# An image that lacks something arrives, and the status tells.
truncate -s $(($(stat -c %s "$T/memory") - 140000)) "$T/memory"
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
expect_status 3 avml stream tcp "${from[@]}" "localhost:$port"
wait "$receiver"
expect_image "$T/got" "$T/memory" "$T/iomem"
