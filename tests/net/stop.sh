#!/bin/bash
# SPDX-License-Identifier: MIT
# A signal in the middle: status 143 and a message; the server has nothing
# that could be taken for the whole.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

mib=1048576
make_certificates
start_nginx
start_azurite
azure make box
make_file $((24 * mib))
make_image --size 96
avml "${from[@]}" "$T/v1" 2>"$T/err"
total=$(stat -c %s "$T/v1")
slow=(--rate-limit 8M)
# Blocks one after the other: else all of them are whole at the same time.
row=("${slow[@]}" --sas-block-concurrency 1)

stopped()
{
	expect_ended 143 "$pid"
	check_sanitizer
	expect_error_form
	expect_err 'signal|stopped|interrupted|SIGTERM'
}
# stop_at REGEX: once that is in the log of the proxy.
stop_at()
{
	wait_until grep -qE "$1" "$T/proxy"
	sleep 0.7
	kill -TERM "$pid"
	stopped
}

proxy "$http"
begin upload put "${slow[@]}" "$T/file" "http://localhost:$proxied/up/new"
stop_at 'request 1'
expect_logged 1 broken
expect_absent "$www/up/new"
proxy "$http"
begin stream put "${from[@]}" "${slow[@]}" "http://localhost:$proxied/up/new"
stop_at 'request 1'
# The last chunk, which would make it whole, is not sent.
wait_until grep -q broken "$T/proxy"
expect_logged 0 whole
expect_absent "$www/up/new"
for words in 'upload blob' 'stream blob'; do
	what=("$T/file")
	[ "${words% *}" = upload ] || what=("${from[@]}")
	proxy "$azurite_port"
	# shellcheck disable=SC2086
	begin ${words% *} ${words#* } "${what[@]}" "${row[@]}" \
		"$(via_proxy "$(sas box/new)")"
	stop_at 'whole 1'
	expect_logged 0 comp=blocklist
	expect_no_blob box/new
done
# While it waits to try again, or for an answer.
proxy "$http" --answer 99:503:60
begin upload put "$T/file" "http://localhost:$proxied/up/new"
wait_until grep -q '^note: ' "$T/err"
kill -TERM "$pid"
timed stopped
expect_took 0 3000
for how in '--stall 1000' --mute; do
	for words in 'upload put' 'upload blob'; do
		# shellcheck disable=SC2086
		proxy "$http" $how
		# shellcheck disable=SC2086
		begin $words "$T/file" "http://localhost:$proxied/up/new"
		wait_until grep -qE 'stalled|whole' "$T/proxy"
		kill -TERM "$pid"
		timed stopped
		expect_took 0 3000
	done
done

# acquire: the image is whole, and stays.
proxy "$http"
begin "${from[@]}" "${slow[@]}" --delete --url \
	"http://localhost:$proxied/up/new" "$T/out"
stop_at 'request 1'
expect_same "$T/v1" "$T/out"
expect_absent "$www/up/new"
proxy "$azurite_port"
begin "${from[@]}" "${row[@]}" --delete --sas-url \
	"$(via_proxy "$(sas box/new)")" "$T/out"
stop_at 'whole 1'
expect_same "$T/v1" "$T/out"
expect_no_blob box/new

# A stream of bytes ends with a whole record; a second signal does not wait.
port=$(free_port)
partial()
{
	wait_until test -s "$T/got"
	sleep 0.7
	kill -TERM "$pid"
	stopped
	wait "$receiver" || :
	expect_prefix 1 "$T/got" "$T/memory" "$T/iomem"
	[ "$(stat -c %s "$T/got")" -lt "$total" ] || fail "it went on"
}
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
begin stream tcp "${from[@]}" --rate-limit 12M "localhost:$port"
partial
receive openssl s_server -accept "$port" -cert "$tls/right.pem" \
	-key "$tls/right.key" -naccept 1 -quiet
begin stream tls "${from[@]}" --cacert "$tls/ca.pem" --rate-limit 12M \
	"localhost:$port"
partial
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
begin stream tcp "${from[@]}" --rate-limit 1M "localhost:$port"
wait_until test -s "$T/got"
kill -TERM "$pid"
sleep 0.3
kill -TERM "$pid"
timed stopped
expect_took 0 3000
# One signal, and a receiver that takes nothing any more: the record is not
# waited for longer than otherwise.
end_server "$receiver"
receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
kill -STOP "$receiver"
begin stream tcp "${from[@]}" --stall-timeout 2 "localhost:$port"
sleep 0.5
kill -TERM "$pid"
timed expect_ended 1 "$pid"
expect_err 'took no byte for 2 s'
expect_took 0 8000
expect_absent "$www/up/new"
expect_no_blob box/new
