#!/bin/bash
# SPDX-License-Identifier: MIT
# Servers that answer with nonsense, lead elsewhere, or do not answer at all.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

start_nginx
make_file 3000000
make_image --size 8
port=$(free_port)
secret='sig=geheim%2Fnis'

# refused REGEX [OPTION...]: by what the proxy does, at once.
refused()
{
	expect_error 1 "$1" timeout_avml upload put "${@:2}" "$T/file" \
		"http://sesam:parole@localhost:$proxied/up/new?$secret"
	expect_again 0
	expect_no_err 'geheim|sesam|parole'
	expect_absent "$www/up/new"
}

# Led elsewhere: nobody there is told who was to be told here.
proxy "$http" --answer 1:307 --match /up/first \
	--location "http://127.0.0.1:$http/up/led"
expect_status 0 avml upload put "$T/file" \
	"http://sesam:parole@localhost:$proxied/up/first"
expect_arrived "$T/file" "$www/up/led"
# From one name of the proxy to another.
proxy "$http" --answer 1:308 --match /up/first --location "/up/led"
expect_status 0 avml upload put "$T/file" \
	"http://sesam:parole@localhost:$proxied/up/first"
expect_header 1 "Authorization: Basic .*"
expect_arrived "$T/file" "$www/up/led"
for to in file:///etc/passwd ftp://localhost/ nonsense:// http:// ''; do
	proxy "$http" --answer 9:307 --location "$to"
	refused 'redirect|where to go'
done

# What it says is shown as a text.
proxy "$http" --answer 9:403 --text $'\e[31mred\x9b31m\xc2\x9b\x07 end'
refused 'red.* end'
! grep -qaP '[\x00-\x08\x0b-\x1f\x7f-\x9f]' "$T/err" ||
	fail "control characters: $(cat -v "$T/err")"
proxy "$http" --answer 9:500 --text "$(head -c 100000 /dev/zero | tr '\0' x)"
refused 'xxx' --retries 0
[ "$(stat -c %s "$T/err")" -lt 2000 ] || fail "all of it is shown"
proxy "$http" --answer 9:999
refused 999

# Later than will be waited for.
proxy "$http" --answer 9:503:86400
timed refused 503 --retry-time 5
expect_took 0 3000
for after in -1 0 x 99999999999999999999; do
	proxy "$http" --answer "1:503:$after"
	timed expect_status 0 timeout_avml upload put "$T/file" \
		"http://localhost:$proxied/up/file"
	expect_took 400 4000
	expect_again 1
done

# No HTTP, no TLS, no answer, no connection.
receive socat -U "TCP-LISTEN:$port,reuseaddr" EXEC:'echo garbage'
expect_error 1 . timeout_avml upload put --retries 0 "$T/file" \
	"http://localhost:$port/x"
receive socat "TCP-LISTEN:$port,reuseaddr,fork" EXEC:'sleep 60'
timed expect_error 1 'time' timeout_avml upload put --retries 0 \
	--connect-timeout 2 "$T/file" "https://localhost:$port/x"
expect_took 1900 5000
timed expect_error 1 'time' timeout_avml stream tls "${from[@]}" --retries 0 \
	--connect-timeout 2 "localhost:$port"
expect_took 1900 5000
# A server whose queue is full: connections are not answered.
"${PYTHON:-python3}" -IS - "$T/full" 9>&- <<-'PYTHON' &
	import os, socket, sys, time
	listener = socket.socket()
	listener.bind(("127.0.0.1", 0))
	listener.listen(0)
	waiting = []
	for _ in range(4):
	    waiting.append(socket.socket())
	    waiting[-1].setblocking(False)
	    waiting[-1].connect_ex(listener.getsockname())
	time.sleep(0.2)
	with open(sys.argv[1] + ".new", "w") as out:
	    print(listener.getsockname()[1], file=out)
	os.rename(sys.argv[1] + ".new", sys.argv[1])
	time.sleep(600)
PYTHON
wait_until test -s "$T/full"
full=$(cat "$T/full")
for words in "upload put $T/file http" "upload blob $T/file http"; do
	# shellcheck disable=SC2086
	timed expect_error 1 'onnect' timeout_avml $words://127.0.0.1:$full/x/y \
		--retries 0 --connect-timeout 2
	expect_took 1900 6000
done
timed expect_error 1 'onnect' timeout_avml stream tcp "${from[@]}" \
	--retries 0 --connect-timeout 2 "127.0.0.1:$full"
expect_took 1900 6000
begin stream tcp "${from[@]}" "127.0.0.1:$full"
sleep 0.5
kill -TERM "$pid"
timed expect_ended 143 "$pid"
expect_took 0 2000
begin upload put "$T/file" "http://127.0.0.1:$full/x"
sleep 0.5
kill -TERM "$pid"
timed expect_ended 143 "$pid"
expect_took 0 2000
