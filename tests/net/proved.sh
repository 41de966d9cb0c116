#!/bin/bash
# SPDX-License-Identifier: MIT
# The servers here, and what spoils connections, do what the other scripts
# rely on: by curl, which is not what is tested.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

# send STATUS CURL [OPTION...] URL: "000" is none.
send()
{
	local want=$1 got
	shift
	got=$(curl -sS -m 10 --noproxy '*' -H Expect: -T "$T/file" -o "$T/answer" \
		-w '%{http_code}' "$@" 2>"$T/err") || :
	[ "$got" = "$want" ] || fail "$got, not $want: $*: $(said)"
}

make_certificates
start_nginx
make_file 3000000
up=http://localhost:$http
send 201 "$up/up/a"
expect_arrived "$T/file" "$www/up/a"
send 201 -H 'Transfer-Encoding: chunked' "$up/up/b"
expect_arrived "$T/file" "$www/up/b"
send 201 "http://[::1]:$http/up/c"
send 413 "$up/small/a"
grep -q 'says the collector' "$T/answer" || fail "no text with 413"
expect_absent "$www/small/a"
send 403 "$up/forbidden/a"
send 404 "$up/missing/a"
send 500 "$up/broken/a"
for code in 301 302 307 308; do
	send "$code" "$up/redirect/$code/$code"
	send 201 -L "$up/redirect/$code/$code"
	expect_arrived "$T/file" "$www/up/$code"
done
send 303 "$up/redirect/303/303"
trust=(--cacert "$tls/ca.pem")
send 201 "${trust[@]}" "https://localhost:$https/up/d"
expect_arrived "$T/file" "$www/up/d"
send 000 --cacert "$tls/other-ca.pem" "https://localhost:$https/up/e"
send 000 "${trust[@]}" "https://localhost:$other/up/e"
expect_err 'subject'
send 000 "${trust[@]}" "https://localhost:$expired/up/e"
expect_err expired
send 400 "${trust[@]}" "https://localhost:$mutual/up/e"
expect_absent "$www/up/e"
send 201 "${trust[@]}" --cert "$tls/client.pem" --key "$tls/client.key" \
	--pinnedpubkey "$(pin right)" "https://localhost:$mutual/up/e"
send 000 "${trust[@]}" --pinnedpubkey "$(pin other)" \
	"https://localhost:$https/up/f"

# A connection cut is one that the server has no file of.
proxy "$http" --cut 1000000,2000000
via=http://localhost:$proxied
send 000 "$via/up/f"
send 000 -H 'Transfer-Encoding: chunked' "$via/up/f"
expect_absent "$www/up/f"
send 201 "$via/up/f"
expect_arrived "$T/file" "$www/up/f"
expect_header 1 'Content-Length: 3000000'
expect_header 2 'Transfer-Encoding: chunked'
expect_logged 2 broken
expect_logged 1 'cut 2000000'
expect_logged 1 'whole 3 3000000'
proxy "$http" --answer 2:503:7 --text sorry --match /up/
via=http://localhost:$proxied
send 404 "$via/missing/f"
send 503 "$via/up/g"
[ "$(cat "$T/answer")" = sorry ] || fail "no text with 503"
expect_absent "$www/up/g"
send 503 "$via/up/g"
send 201 "$via/up/g"
proxy "$http" --answer 1:413 --early
send 413 "http://localhost:$proxied/up/h"
proxy "$http" --lose 1
send 000 "http://localhost:$proxied/up/h"
wait_until test -e "$www/up/h"
expect_arrived "$T/file" "$www/up/h"
proxy "$http" --rate 2000000
began=$(date +%s%N)
send 204 "http://localhost:$proxied/up/h"
took=$((($(date +%s%N) - began) / 1000000))
[ "$took" -ge 1300 ] || fail "took $took ms"
for how in '--stall 1000000' '--stall 0' --mute; do
	# shellcheck disable=SC2086
	proxy "$http" $how
	send 000 -m 1 "http://localhost:$proxied/up/i"
	expect_err 'timed out'
done

# The service signs, checks and keeps.
for scheme in http https; do
	start_azurite "$scheme"
	azure make "$scheme"
	blob=("${trust[@]}" -H 'x-ms-blob-type: BlockBlob')
	send 201 "${blob[@]}" "$(sas "$scheme/a")"
	expect_blob "$T/file" "$scheme/a"
	send 201 "${blob[@]}" "$(azure sas "$scheme" | sed 's/?/\/b&/')"
	expect_blob "$T/file" "$scheme/b"
	for option in --spoiled '--minutes -5' '--permissions r'; do
		# shellcheck disable=SC2086
		send 403 "${blob[@]}" "$(sas "$scheme/c" $option)"
	done
	send 403 "${blob[@]}" "$(sas "$scheme/a" | sed 's/\/a?/\/c?/')"
	send 404 "${blob[@]}" "$(sas none/c)"
	send 201 "${trust[@]}" "$(sas "$scheme/d")&comp=block&blockid=MDAw"
	# The checksum of a block is held against it.
	send 400 "${trust[@]}" -H 'Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==' \
		"$(sas "$scheme/d")&comp=block&blockid=MDAx"
	expect_no_blob "$scheme/c"
	expect_no_blob "$scheme/d"
	end_azurite
	start_azurite "$scheme"
	azure blocks "$scheme/d" >"$T/blocks"
	[ "$(cat "$T/blocks")" = "uncommitted MDAw 3000000" ] ||
		fail "blocks: $(cat "$T/blocks")"
	end_azurite
	unset azurite_port
	rm -r "$T/azurite"
done
