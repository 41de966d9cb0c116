#!/bin/bash
# SPDX-License-Identifier: MIT
# An object in S3, with a key of the environment: a real store takes it, in
# front of which every signature is judged.
# shellcheck source=tests/net/servers.sh disable=SC2119
. "${0%/*}/servers.sh"

mib=1048576
start_s3rver
start_s3
make_file $((12 * mib + 1)) whole

# upload BYTES PARTS [OPTION...]
upload()
{
	local bytes=$1 parts=$2
	shift 2
	head -c "$bytes" "$T/whole" >"$T/file"
	: >"$T/s3/log"
	with_keys
	expect_status 0 avml upload s3 "$@" "$T/file" "s3://evidence/up/$bytes"
	before=()
	asked 1 '^create 200$'
	asked "$parts" '^part [0-9]+ 200$'
	asked 1 '^complete 200$'
	# And whether there is an object already, before the end.
	asked $((parts + 3)) .
	expect_object "$T/file" "up/$bytes"
}
upload 1 1
upload $((5 * mib)) 1
upload $((10 * mib)) 2
upload $((12 * mib + 1)) 3 --part-concurrency 1
upload $((12 * mib + 1)) 3 --path-style
upload $((12 * mib + 1)) 2 --part-size 7
# Without checksums the payload is not signed, and that is.
upload $((12 * mib)) 3 --no-checksum

# Names with all that has to be encoded.
head -c 1000 "$T/whole" >"$T/file"
with_keys
expect_status 0 avml upload s3 "$T/file" "s3://evidence/a b+c%d/ä~(1)"
expect_object "$T/file" "a b+c%d/ä~(1)"

# By option and environment.
before=(env "AWS_ACCESS_KEY_ID=$s3_key" "AWS_SECRET_ACCESS_KEY=$s3_secret")
expect_status 0 avml upload s3 --endpoint-url "$s3" --region us-east-1 \
	"$T/file" s3://evidence/option
expect_object "$T/file" option
with_keys
before+=("AVML_S3=s3://evidence/variable")
expect_status 0 avml upload s3 "$T/file"
expect_object "$T/file" variable

# Images, while they are made, and when they are there.
make_image --size 80
avml "${from[@]}" "$T/v1" 2>"$T/err"
with_keys
avml "${from[@]}" --compress "$T/v2" 2>"$T/err"
with_keys
expect_status 0 avml stream s3 "${from[@]}" s3://evidence/v1
expect_object "$T/v1" v1
expect_image "$T/object" "$T/memory" "$T/iomem"
expect_status 0 avml stream s3 "${from[@]}" --compress --digest \
	--report "$T/report" s3://evidence/v2
expect_object "$T/v2" v2
expect_image "$T/object" "$T/memory" "$T/iomem"
grep -q "SHA-256 $(sum "$T/v2")" "$T/err" || fail "another digest"
grep -q '"type":"upload","kind":"s3","to":"s3://evidence/v2","confirmed":true' \
	"$T/report" || fail "not in the report: $(grep upload "$T/report")"
expect_status 0 avml "${from[@]}" --compress --s3 s3://evidence/after \
	--delete "$T/after"
expect_object "$T/v2" after
expect_absent "$T/after"

# A session, by another region's name.
s3_token='to/ken+=='
s3_region=auto
start_s3
with_keys
expect_status 0 avml upload s3 "$T/file" s3://evidence/session
expect_object "$T/file" session
before=(env "AWS_ACCESS_KEY_ID=$s3_key" "AWS_SECRET_ACCESS_KEY=$s3_secret"
	"AWS_REGION=auto")
expect_error 1 'answered 4[0-9]+: [A-Z]' avml upload s3 --endpoint-url "$s3" \
	"$T/file" s3://evidence/no-token
expect_no_object no-token

# ---- What is refused ----

s3_token=
s3_region=us-east-1
start_s3
secret=notTheSecret1234
before=(env "AWS_ACCESS_KEY_ID=$s3_key" "AWS_SECRET_ACCESS_KEY=$secret"
	"AWS_ENDPOINT_URL=$s3")
expect_error 1 'answered 403: SignatureDoesNotMatch' \
	avml upload s3 "$T/file" s3://evidence/wrong
expect_no_err "$secret"
expect_error 1 'answered 403' avml "${from[@]}" --s3 s3://evidence/wrong \
	--delete --report "$T/report2" "$T/stays"
[ -s "$T/stays" ] || fail "the image is gone"
! grep -q "$secret" "$T/report2" "$T/err" || fail "the secret is told"
expect_no_object wrong
before=(env "AWS_ENDPOINT_URL=$s3")
expect_error 1 AWS_ACCESS_KEY_ID avml upload s3 "$T/file" s3://evidence/none
before+=("AWS_ACCESS_KEY_ID=$s3_key")
expect_error 1 AWS_SECRET_ACCESS_KEY avml upload s3 "$T/file" s3://evidence/none
for to in s3://evidence s3:///key s3://evidence/ s3://Evi_dence/k; do
	with_keys
	expect_error 1 . avml upload s3 "$T/file" "$to"
done
with_keys
expect_status 2 avml upload s3 "$T/file"
expect_status 2 avml upload put --part-size 5 "$T/file" "$s3/x"
expect_status 2 avml upload s3 --part-size 5121 "$T/file" s3://evidence/x

# ---- A signal ----

proxy "$s3_port" --rate 300000
before=(env "AWS_ACCESS_KEY_ID=$s3_key" "AWS_SECRET_ACCESS_KEY=$s3_secret")
s3=http://127.0.0.1:$proxied
: >"$T/s3/log"
begin upload s3 --endpoint-url "$s3" "$T/whole" s3://evidence/stopped
wait_until grep -q '^create' "$T/s3/log"
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
[ "$status" = 143 ] || fail "status $status: $(said)"
expect_no_object stopped

# Alone the judge shows that nothing is left: of an upload, which cannot go on
# by itself, and of a stream.
s3rver_port=
for words in upload stream; do
	start_s3
	what=("$T/whole")
	[ "$words" = upload ] || what=("${from[@]}")
	with_keys
	begin "$words" s3 "${what[@]}" --rate-limit 6M \
		--part-concurrency 1 s3://evidence/stopped
	wait_until grep -q '^part 1 200' "$T/s3/log"
	kill -TERM "$pid"
	expect_ended 143 "$pid"
	expect_error_form
	expect_no_key "$T/err"
	asked 1 '^abort 204'
	expect_no_object stopped
	expect_no_upload
done
