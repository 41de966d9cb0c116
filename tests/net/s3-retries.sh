#!/bin/bash
# SPDX-License-Identifier: MIT
# Parts are sent again one by one; an answer of 200 may say that it failed, and
# one that is lost may have been a success. What fails is aborted.
# shellcheck source=tests/net/servers.sh disable=SC2119
. "${0%/*}/servers.sh"

mib=1048576
make_file $((22 * mib + 12345))
count=0

# sends: it arrives at the judge's own store.
sends()
{
	count=$((count + 1))
	with_keys
	expect_status 0 avml upload s3 "$T/file" "s3://evidence/$count"
	before=()
	expect_object "$T/file" "$count"
	expect_no_upload
}
# fails REGEX [OPTION...]: nothing is left, neither object nor upload.
fails()
{
	count=$((count + 1))
	with_keys
	expect_error 1 "$1" avml upload s3 "${@:2}" "$T/file" \
		"s3://evidence/$count"
	before=()
	expect_no_object "$count"
	[ -n "${left-}" ] || expect_no_upload
	expect_no_key "$T/err"
}

start_s3 --fault 'part=503*3' --fault create=503 --fault complete=500
sends
expect_again 5
asked 5 '^part [0-9]+ 200'
start_s3 --fault part=cut --fault part=lost --fault create=cut
sends
asked 5 '^part [0-9]+ 200'
start_s3 --fault complete=error
sends
asked 2 '^complete 200'
# Done, and nobody said so: asked again, it is not there any more.
start_s3 --fault complete=lost
sends

start_s3 --fault 'part=503*9'
fails 503 --retries 1
asked 1 '^abort 204'
start_s3 --fault part=403
fails 403
asked 1 '^abort 204'
start_s3 --fault complete=denied
fails 'AccessDenied'
asked 1 '^abort 204'
start_s3 --fault complete=odd
fails .
start_s3 --fault create=odd
fails 'began no upload'
asked 0 '^part'
start_s3 --fault part=403 --fault 'abort=503*9'
left=1 fails 403 --retries 0
expect_err 'id\+1'

# Cut on the way, at many places of the parts.
start_s3
proxy "$s3_port" --cut 300,100000,2500000,$((5 * mib)),700000
judge=$s3
s3=http://127.0.0.1:$proxied
sends
expect_logged 5 ' cut [0-9]+'
s3=$judge

# The real store ends in the middle, and comes back.
start_s3rver
start_s3
proxy "$s3_port" --rate 4000000
before=(env "AWS_ACCESS_KEY_ID=$s3_key" "AWS_SECRET_ACCESS_KEY=$s3_secret")
begin upload s3 --endpoint-url "http://127.0.0.1:$proxied" "$T/file" \
	s3://evidence/back
wait_until grep -q '^part' "$T/s3/log"
kill -KILL "$s3rver"
wait "$s3rver" || :
sleep 1
start_s3rver
status=0
wait "$pid" || status=$?
[ "$status" = 0 ] || fail "status $status: $(said)"
expect_object "$T/file" back

# Streams: through cuts, and answers that are lost or none, and to a
# store that is gone for good, which is told.
s3rver_port=
make_image --size 80
avml "${from[@]}" "$T/v1" 2>"$T/err"
start_s3 --fault 'part=503*2' --fault part=lost --fault complete=error
proxy "$s3_port" --cut 3000000,-,100
judge=$s3
s3=http://127.0.0.1:$proxied
with_keys
expect_status 0 avml stream s3 "${from[@]}" s3://evidence/stream
expect_logged 2 ' cut [0-9]+'
expect_object "$T/v1" stream
expect_image "$T/object" "$T/memory" "$T/iomem"
expect_no_upload
s3=$judge
: >"$T/s3/log"
with_keys
begin stream s3 "${from[@]}" --rate-limit 8M --retry-time 2 s3://evidence/gone
wait_until grep -q '^part 1' "$T/s3/log"
end_server "$s3_pid"
s3_pid=
expect_ended 1 "$pid"
expect_error_form
expect_no_key "$T/err"
expect_err 'refused|onnect' 'id\+[12].* is aborted'

# So is the end of an upload, where it fails or nobody confirms it. With no
# other part under way, which would be a reason of its own.
for how in lost cut 503 429; do
	start_s3 --fault part=403 --fault "abort=$how"
	fails 403 --part-concurrency 1
	asked 2 '^abort'
	expect_no_err 'is aborted'
done

# The judge says nothing of who goes away in the middle, as these have.
"${PYTHON:-python3}" -IS - "$s3_port" <<'PYTHON'
import socket, struct, sys
there = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
there.sendall(b"PUT /evidence/x HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
# Closed by a reset.
there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
there.close()
PYTHON
s3_look uploads >/dev/null
[ ! -s "$T/s3.err" ] || fail "the judge said: $(cat "$T/s3.err")"
