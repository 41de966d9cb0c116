#!/bin/bash
# SPDX-License-Identifier: MIT
# To S3 by a list of URLs: what is no list, or no more, is refused before
# anything is sent or acquired; what fails later is aborted by the list as well.
# shellcheck source=tests/net/servers.sh disable=SC2119
. "${0%/*}/servers.sh"

mib=1048576
start_s3
make_file $((12 * mib + 1))
make_image --size 48
avml "${from[@]}" "$T/v1" 2>"$T/err"

# No key is in the environment, and none of a list's is told.
# The sum of each part goes with it, for the store to judge, or does not; and
# nothing that is not signed.
proxy "$s3_port"
judge=$s3
s3=http://127.0.0.1:$proxied
make_list sums --parts 3
expect_status 0 avml upload s3 --part-urls "$T/list" "$T/file"
expect_no_key "$T/err"
expect_object "$T/file" sums
expect_logged 3 'header [0-9]+ Content-MD5: [A-Za-z0-9+/]{22}==$'
expect_logged 0 'header [0-9]+ (x-amz-.*|Authorization|Expect|Transfer-Encoding):'
make_list sums --parts 3
expect_status 0 avml upload s3 --no-checksum --part-urls "$T/list" "$T/file"
expect_object "$T/file" sums
expect_logged 3 'header [0-9]+ Content-MD5'
s3=$judge

# Another length of parts, and as many as the image takes, not one more.
make_list large --part-size 12M --parts 2
expect_status 0 avml upload s3 "--part-urls=$T/list" --part-concurrency 1 \
	"$T/file"
expect_object "$T/file" large
make_list exact --size "$(stat -c %s "$T/v1")"
expect_status 0 avml stream "${from[@]}" s3 --part-urls - <"$T/list"
expect_object "$T/v1" exact
expect_image "$T/object" "$T/memory" "$T/iomem"
expect_no_upload

# Options and keys that the list is in the place of.
make_list not --parts 12
: >"$T/s3/log"
for words in --region=x --endpoint-url=http://localhost:1 --path-style \
	--part-size=6; do
	expect_status 2 avml upload s3 --part-urls "$T/list" "$words" "$T/file"
done
expect_status 2 avml upload s3 --part-urls "$T/list" "$T/file" s3://evidence/x
expect_status 2 avml upload put --part-urls "$T/list" "$T/file"
expect_status 2 avml "${from[@]}" --part-urls "$T/list" --url \
	http://localhost:1/x "$T/new"
asked 0 .

# What is no list, before anything is sent or acquired.
# bad REGEX: of $T/bad.
bad()
{
	expect_error 1 "$1" avml upload s3 --part-urls "$T/bad" "$T/file"
	expect_no_key "$T/err"
	expect_error 1 "$1" avml stream s3 "${from[@]}" --part-urls "$T/bad"
	expect_error 1 "$1" avml "${from[@]}" --part-urls "$T/bad" "$T/new"
	expect_no_key "$T/err"
	expect_absent "$T/new"
	asked 0 .
}
: >"$T/bad"
bad 'no JSON|empty'
head -c 3000 "$T/list" >"$T/bad"
bad 'no JSON'
head -c 3000 /dev/urandom >"$T/bad"
bad 'no list|no JSON|NUL|bytes'
echo '[]' >"$T/bad"
bad 'no JSON object'
# spoil EXPRESSION REGEX: of Python, of the list `l`.
spoil()
{
	"${PYTHON:-python3}" -IS - "$T" "$1" <<-'PYTHON'
	import json, sys
	with open(sys.argv[1] + "/list", encoding="utf-8") as file:
	    l = json.load(file)
	exec(sys.argv[2])
	with open(sys.argv[1] + "/bad", "w", encoding="utf-8") as file:
	    json.dump(l, file)
	PYTHON
	bad "$2"
}
spoil 'l["version"] = 2' version
spoil 'del l["parts"]' parts
spoil 'l["parts"] = []' parts
spoil 'l["parts"] *= 1000' parts
spoil 'l["parts"][1] = 7' 'part has no URL'
spoil 'l["parts"][1] = ""' 'part has no URL'
for name in bucket key upload_id complete abort; do
	spoil "del l['$name']" missing
done
for size in 5242881 4194304 '"5M"' -1 1e300 6442450944 None; do
	spoil "l['part_size'] = $size" part_size
done
spoil 'l["expires"] = "2020-01-31T12:00:00Z"' 'expired at 2020-01-31T12:00:00Z'
spoil 'l["expires"] = "tomorrow"' 'expires is no time'
spoil 'l["parts"][1] = "ftp://localhost/x"' 'URL|http'
spoil 'l["complete"] = "nonsense"' 'URL|http'
rm "$T/bad"
expect_error 1 "$T/bad" avml upload s3 --part-urls "$T/bad" "$T/file"

# What the store refuses: the upload is aborted, nothing is there.
start_s3
# refused REGEX WORD...
refused()
{
	expect_error 1 "$1" timeout_avml "${@:2}"
	expect_again 0
	expect_no_key "$T/err"
}
make_list not --parts 12 --expires 1
sleep 2.1
refused '403.*RequestTimeTooSkewed' upload s3 --part-urls "$T/list" "$T/file"
refused '403.*RequestTimeTooSkewed' stream s3 "${from[@]}" --part-urls "$T/list"
refused '403.*RequestTimeTooSkewed' "${from[@]}" --part-urls "$T/list" \
	--delete --report "$T/report" "$T/out"
expect_same "$T/v1" "$T/out"
expect_no_key "$T/report"
# Such a list cannot end what it began, and that is told.
expect_err 'stay|abort'
start_s3
make_list not --parts 2
: >"$T/s3/log"
refused 'more than the 10485760 that fit' upload s3 --part-urls "$T/list" "$T/file"
# The list is still good for a file that does fit.
asked 0 .
: >"$T/s3/log"
make_list not --parts 2
refused 'more than 2 blocks' stream s3 "${from[@]}" --part-urls "$T/list"
asked 1 '^abort 204'
for fault in part=403 part=404 complete=denied complete=odd; do
	for words in upload stream; do
		start_s3 --fault "$fault"
		make_list not --parts 12
		what=("$T/file")
		[ "$words" = upload ] || what=("${from[@]}")
		refused . "$words" s3 "${what[@]}" --part-urls "$T/list"
		asked 1 '^abort 204'
		expect_no_object not
		expect_no_upload
		[ "$fault" != complete=denied ] || expect_err 'Not yours: '
	done
done
# One that was used is of no use any more.
start_s3
make_list once --parts 12
expect_status 0 avml upload s3 --part-urls "$T/list" "$T/file"
refused NoSuchUpload upload s3 --part-urls "$T/list" "$T/v1"
expect_object "$T/file" once
