#!/bin/bash
# SPDX-License-Identifier: MIT
# An object in S3 from a host that has no key: by a list of URLs that were made
# elsewhere.
# shellcheck source=tests/net/servers.sh disable=SC2119
. "${0%/*}/servers.sh"

mib=1048576
start_s3rver
start_s3
make_file $((12 * mib + 1))

make_list file --parts 3
expect_status 0 avml upload s3 --part-urls "$T/list" "$T/file"
expect_object "$T/file" file
make_list stdin --parts 10
expect_status 0 avml upload s3 --part-urls - "$T/file" <"$T/list"
expect_object "$T/file" stdin
asked 0 '^(create|part|complete).* 4'

make_image --size 80
avml "${from[@]}" --compress "$T/v2" 2>"$T/err"
make_list stream --size 200M
expect_status 0 avml stream s3 "${from[@]}" --part-urls "$T/list" --compress \
	--report "$T/report"
expect_object "$T/v2" stream
expect_image "$T/object" "$T/memory" "$T/iomem"
! grep -qE 'X-Amz-Signature' "$T/report" "$T/err" || fail "a URL is told"
make_list after --size 200M
expect_status 0 avml "${from[@]}" --compress --part-urls "$T/list" --delete \
	"$T/after"
expect_object "$T/v2" after
expect_absent "$T/after"

# The judge alone from here on: it takes back what is aborted.
s3rver_port=
start_s3

# A stream that is longer than the list: it is tried, and nothing is left.
make_list short --parts 1
expect_error 1 'more than 1 blocks' avml stream s3 "${from[@]}" \
	--part-urls "$T/list" --keep-zeros
expect_err 'might not fit'
expect_absent "$T/s3/objects/short"
asked 1 '^abort 204'
# Of a file that is known before.
make_list small --parts 2
expect_error 1 'are more than the 10485760 that fit' \
	avml upload s3 --part-urls "$T/list" "$T/file"

# Signed for a moment alone.
make_list late --parts 3 --expires 1
sleep 2
expect_error 1 'answered 403' avml upload s3 --part-urls "$T/list" "$T/file"
expect_no_err Signature=
for bad in 'no JSON' '[]' '{"version": 2}' '{"version": 1, "parts": []}'; do
	echo "$bad" >"$T/list"
	expect_error 1 'no list of avml-part-urls' \
		avml upload s3 --part-urls "$T/list" "$T/file"
done
expect_error 1 "$T/none" avml upload s3 --part-urls "$T/none" "$T/file"
make_list twice --parts 3
expect_status 2 avml upload s3 --part-urls "$T/list" "$T/file" s3://evidence/x \
	--endpoint-url "$s3"
expect_status 2 avml upload s3 --part-urls "$T/list" --part-size 5 "$T/file"
