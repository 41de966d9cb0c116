#!/bin/bash
# SPDX-License-Identifier: MIT
# S3: what the store refuses is told in its words and without a secret; the image
# stays, and nothing is left at the store.
# shellcheck source=tests/net/servers.sh disable=SC2119
. "${0%/*}/servers.sh"

s3_region=us-east-1
make_image --size 48
avml "${from[@]}" "$T/v1" 2>"$T/err"

# not_kept WHAT REGEX: no object, and the image stays.
not_kept()
{
	start_s3 --fault "$1"
	with_keys
	rm -f "$T/out"
	expect_error 1 "$2" avml "${from[@]}" --retries 0 --delete \
		--report "$T/report" --s3 s3://evidence/not "$T/out"
	expect_same "$T/v1" "$T/out"
	expect_no_object not
	expect_no_upload
	reported --image "$T/out" --status 1
	expect_no_key "$T/err"
}
not_kept create=403 403
not_kept part=403 'SlowDown.*Reduce your rate'
not_kept complete=denied 'AccessDenied.*Not yours'
not_kept complete=odd 'confirmed nothing'

# What the store refuses, in its words: the key, its session, the region.
# refused REGEX [NAME=VALUE...]
refused()
{
	local regex=$1
	shift
	rm -f "$T/out"
	with_keys
	before+=("$@")
	: >"$T/s3/log"
	expect_error 1 "$regex" timeout_avml upload s3 "$T/v1" \
		s3://evidence/not
	expect_again 0
	expect_no_key "$T/err"
	expect_error 1 "$regex" timeout_avml stream s3 "${from[@]}" \
		s3://evidence/not
	expect_no_key "$T/err"
	expect_error 1 "$regex" timeout_avml "${from[@]}" \
		--s3 s3://evidence/not --delete --report "$T/report" "$T/out"
	expect_no_key "$T/err"
	with_keys
	expect_no_object not
	expect_no_upload
}
start_s3
refused 403.*SignatureDoesNotMatch AWS_SECRET_ACCESS_KEY=geheim
asked 3 'SignatureDoesNotMatch'
expect_same "$T/v1" "$T/out"
reported --image "$T/out" --status 1
refused 403.*InvalidAccessKeyId AWS_ACCESS_KEY_ID=AKIDELSE
refused 403.*InvalidToken AWS_SESSION_TOKEN=token/geheim
refused 403.*AuthorizationHeaderMalformed AWS_REGION=eu-north-1

# What is wrong before anything is asked, or acquired.
wrong()
{
	refused "$@"
	asked 0 '^(create|POST|PUT)'
	expect_absent "$T/out"
}
for name in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
	wrong "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" "$name="
done
wrong region 'AWS_REGION=no region'
for to in s3://evidence s3://evidence/ s3:///key s3://Evidence/key \
	s3://ev/key s3://-evidence/key s3://evi_dence/key nonsense \
	"s3://evidence/$(printf '%01025d' 0)" "http://127.0.0.1:$s3_port/key"; do
	expect_error 1 's3://BUCKET/KEY|no bucket' avml upload s3 "$T/v1" \
		"$to"
done
for to in 127.0.0.1 ftp://127.0.0.1 http://127.0.0.1/path \
	http://127.0.0.1/?a=b http://geheim:losung@127.0.0.1; do
	expect_error 1 'endpoint' avml upload s3 --endpoint-url "$to" \
		"$T/v1" s3://evidence/not
	expect_no_key "$T/err"
done
expect_error 2 missing avml upload s3 "$T/v1"
expect_error 1 "$T/none" avml upload s3 "$T/none" s3://evidence/not
expect_no_object not

