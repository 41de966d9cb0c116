#!/bin/bash
# SPDX-License-Identifier: MIT
# URLs of parts for hosts without a key: contrib/avml-part-urls, against a store
# that judges every signature.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

python()
{
	"${PYTHON:-python3}" -ISB "$@"
}

# The judge itself first.
python "$tests/lib/sigv4.py" selftest >"$T/selftest" ||
	fail "$(tail -n 1 "$T/noise")"
[ "$(grep -c '^ok ' "$T/selftest")" = 4 ] || fail "$(cat "$T/selftest")"

# start_store NAME OPTION...: sets $port.
start_store()
{
	local dir=$T/$1 tries=100
	shift
	mkdir "$dir"
	# Not by a shell of its own, which alone would be ended with the script.
	"${PYTHON:-python3}" -ISB "$tests/lib/s3store.py" --keys "$T/keys" \
		--dir "$dir" "$@" 9>&- &
	until [ -s "$dir/port" ]; do
		((tries-- > 0)) || fail "the store does not begin"
		sleep 0.1
	done
	port=$(cat "$dir/port")
}

# urls OPTION...: with the keys of $T/keys in its environment.
urls()
{
	local id secret token region
	{
		read -r id
		read -r secret
		read -r token
		read -r region
	} <"$T/keys"
	env -i PATH="$PATH" AWS_ACCESS_KEY_ID="$id" \
		AWS_SECRET_ACCESS_KEY="$secret" AWS_SESSION_TOKEN="$token" \
		AWS_REGION="$region" "$tests/../contrib/avml-part-urls" "$@"
}

# As a host would do it that has nothing but the list.
cat >"$T/fill.py" <<'END'
import json, sys, urllib.request

def call(method, url, body=None):
    made = urllib.request.Request(url, data=body, method=method)
    # What urllib adds by itself is not signed, and need not be.
    return urllib.request.build_opener(
        urllib.request.ProxyHandler({})).open(made)

made = json.load(open(sys.argv[1], encoding="utf-8"))
if sys.argv[2] == "abort":
    call("DELETE", made["abort"])
    sys.exit()
memory, done = open(sys.argv[2], "rb").read(), []
for number, url in enumerate(made["parts"], 1):
    at = (number - 1) * made["part_size"]
    if at >= len(memory):
        break
    answer = call("PUT", url, memory[at:at + made["part_size"]])
    done.append((number, answer.headers["ETag"]))
call("POST", made["complete"], (
    "<CompleteMultipartUpload>" + "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>"
        for n, etag in done) + "</CompleteMultipartUpload>").encode())
END
head -c 12000000 /dev/urandom >"$T/memory"

# A list is filled and finished; a key of a session, and a name that has to be
# encoded.
printf '%s\n' AKID 'sec/ret+' 'to/ken+==' eu-central-1 >"$T/keys"
start_store one
at=(--bucket evidence --endpoint-url "http://127.0.0.1:$port")
urls "${at[@]}" --key 'case 7/höst+1.lime' --part-size 5M --parts 4 \
	--output "$T/list" || fail "$(tail -n 1 "$T/noise")"
[ "$(stat -c %a "$T/list")" = 600 ] || fail "mode $(stat -c %a "$T/list")"
! grep -qF 'sec/ret' "$T/list" || fail "the secret is in the list"
python - "$T/list" <<'END' || fail "$(tail -n 1 "$T/noise")"
import datetime, json, sys
made = json.load(open(sys.argv[1], encoding="utf-8"))
end = datetime.datetime.strptime(made["expires"] + "+0000",
                                 "%Y-%m-%dT%H:%M:%SZ%z")
left = end.timestamp() - datetime.datetime.now().timestamp()
assert 86340 <= left <= 86400, left
assert made["version"] == 1 and made["part_size"] == 5 << 20, made
assert made["bucket"] == "evidence" and len(made["parts"]) == 4, made
assert made["key"] == "case 7/h\u00f6st+1.lime", made["key"]
assert set(made) == {"version", "bucket", "key", "endpoint", "upload_id",
                     "expires", "part_size", "parts", "complete", "abort",
                     "head"}
END
python "$T/fill.py" "$T/list" "$T/memory" || fail "$(tail -n 1 "$T/noise")"
cmp "$T/memory" "$T/one/objects/case%207%2Fh%C3%B6st%2B1.lime" ||
	fail "another object"
printf '%s\n' 'create 200' 'part 1 200' 'part 2 200' 'part 3 200' \
	'complete 200' | cmp - "$T/one/log" || fail "$(cat "$T/one/log")"

# As many parts as an image takes, and an end to it.
urls "${at[@]}" --key x --part-size 5M --size 15728641 >"$T/list.x" ||
	fail "$(tail -n 1 "$T/noise")"
[ "$(grep -c partNumber "$T/list.x")" = 4 ] || fail "not 4 parts"
python "$T/fill.py" "$T/list.x" abort || fail "$(tail -n 1 "$T/noise")"
[ "$(tail -n 1 "$T/one/log")" = 'abort 204' ] || fail "$(cat "$T/one/log")"

# What is expired is refused.
urls "${at[@]}" --key x --part-size 5M --parts 3 --expires 1 >"$T/list.y" ||
	fail "$(tail -n 1 "$T/noise")"
sleep 2
! python "$T/fill.py" "$T/list.y" "$T/memory" || fail "not expired"
tail -n 1 "$T/one/log" | grep -q 'PUT 403 RequestTimeTooSkewed' ||
	fail "$(cat "$T/one/log")"

# refuse MESSAGE OPTION...: nothing on stdout, and no upload is begun.
refuse()
{
	local message=$1 status=0 lines
	shift
	lines=$(wc -l <"$T/one/log")
	urls "$@" >"$T/out" 2>"$T/err" || status=$?
	[ "$status" != 0 ] || fail "$*: not refused"
	[ ! -s "$T/out" ] || fail "$*: $(head -c 100 "$T/out")"
	tail -n 1 "$T/err" | grep -qF -e "$message" ||
		fail "$*: $(tail -n 1 "$T/err")"
	! grep -q Traceback "$T/err" || fail "$*: a traceback"
	[ "$(wc -l <"$T/one/log")" = "$lines" ] || fail "$*: asked the store"
}
refuse 'is there already' "${at[@]}" --key x --output "$T/list"
refuse 'is no size' "${at[@]}" --key x --part-size 5MB
refuse '5M to 5G' "${at[@]}" --key x --part-size 4M
refuse '5M to 5G' "${at[@]}" --key x --part-size 6G
refuse 'whole ones' "${at[@]}" --key x --part-size 5242881
refuse '10000 at most' "${at[@]}" --key x --parts 10001
refuse 'at most 5T' "${at[@]}" --key x --parts 10000 --part-size 1G
refuse 'at most 5T' "${at[@]}" --key x --size 6T
refuse '604800' "${at[@]}" --key x --expires 604801
refuse 'bucket' --bucket a/b --key x
refuse '1024 bytes' "${at[@]}" --key "$(printf '%01025d' 0)"
refuse 'not allowed with' "${at[@]}" --key x --parts 1 --size 5M
refuse 'http or https' --bucket evidence --key x --endpoint-url ftp://127.0.0.1
refuse 'Connection refused' --bucket evidence --key x \
	--endpoint-url http://127.0.0.1:1

# What the store says is told: of a wrong key, and of an answer that is none.
cp "$T/keys" "$T/right"
sed -i '2s/.*/another/' "$T/keys"
! urls "${at[@]}" --key x >"$T/out" 2>"$T/err" || fail "a wrong key"
grep -q 'error: http://127.0.0.1:[0-9]*: 403 SignatureDoesNotMatch' "$T/err" ||
	fail "$(tail -n 1 "$T/err")"
cp "$T/right" "$T/keys"
start_store two --fault create=error
at=(--bucket evidence --endpoint-url "http://127.0.0.1:$port")
! urls "${at[@]}" --key x >"$T/out" 2>"$T/err" || fail "an error's answer"
grep -q 'no UploadId' "$T/err" || fail "$(tail -n 1 "$T/err")"
[ ! -s "$T/out" ] || fail "something on stdout"

# An upload that nobody will hear of is not left behind.
! urls "${at[@]}" --key x --output "$T/none/list" 2>"$T/err" || fail "no error"
grep -q 'none/list: No such file' "$T/err" || fail "$(tail -n 1 "$T/err")"
[ "$(tail -n 1 "$T/two/log")" = 'abort 204' ] || fail "$(cat "$T/two/log")"

# No part is larger than it has to be: a stream holds several in memory. Of AWS
# itself, and of other names: BUCKET.HOST, but where that cannot be.
cat >"$T/parsed.py" <<'END'
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("urls", sys.argv[1])
urls = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("urls", loader))
loader.exec_module(urls)
keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
MIB, TIB = 1 << 20, 1 << 40
for options, part, parts in (
        ([], 8 * MIB, 8000),
        (["--parts", "10000"], 8 * MIB, 10000),
        (["--part-size", "5G"], 5 << 30, 1024),
        (["--size", "1"], 5 * MIB, 1),
        (["--size", str(50000 * MIB)], 5 * MIB, 10000),
        (["--size", str(50000 * MIB + 1)], 6 * MIB, 8334),
        (["--size", "64G"], 7 * MIB, 9363),
        (["--size", str(70000 * MIB)], 7 * MIB, 10000),
        (["--size", "5T"], 525 * MIB, 9987),
        (["--size", "64G", "--part-size", "64M"], 64 * MIB, 1024)):
    args = urls.parse(["--bucket", "evidence", "--key", "k", *options])
    assert (args.part_size, args.parts) == (part, parts), (options, args)
for more, bucket, options, wanted in (
        ({}, "evidence", [],
         "https://evidence.s3.us-east-1.amazonaws.com/k%20y"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "evidence", [],
         "https://evidence.s3.eu-west-1.amazonaws.com/k%20y"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "evidence",
         ["--region", "us-west-2"],
         "https://evidence.s3.us-west-2.amazonaws.com/k%20y"),
        ({}, "evi.dence", [],
         "https://s3.us-east-1.amazonaws.com/evi.dence/k%20y"),
        ({}, "evidence", ["--path-style"],
         "https://s3.us-east-1.amazonaws.com/evidence/k%20y"),
        ({"AWS_ENDPOINT_URL": "https://minio.example:443"}, "evidence", [],
         "https://evidence.minio.example/k%20y"),
        ({"AWS_ENDPOINT_URL": "https://minio.example:9000/"}, "evi.dence", [],
         "https://minio.example:9000/evi.dence/k%20y"),
        ({"AWS_ENDPOINT_URL": "http://minio.example:80"}, "evi.dence", [],
         "http://evi.dence.minio.example/k%20y"),
        ({"AWS_ENDPOINT_URL": "http://b"}, "evidence",
         ["--endpoint-url", "http://[::1]:9000"],
         "http://[::1]:9000/evidence/k%20y")):
    args = urls.parse(["--bucket", bucket, "--key", "k y", *options])
    store = urls.Store(args, {**keys, **more})
    made = f"{store.scheme}://{store.host}{store.path}"
    assert made == wanted, f"{made} is not {wanted}"
END
python "$T/parsed.py" "$tests/../contrib/avml-part-urls" ||
	fail "$(tail -n 1 "$T/noise")"
