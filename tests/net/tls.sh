#!/bin/bash
# SPDX-License-Identifier: MIT
# An image over TLS: to who can show for it, with a certificate of ours where
# that is asked for.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

make_certificates
make_image --size 48
avml "${from[@]}" "$T/v1" 2>"$T/err"
avml "${from[@]}" --compress "$T/v2" 2>"$T/err"
port=$(free_port)
trust=(--cacert "$tls/ca.pem")
mine=(--cert "$tls/client.pem" --key "$tls/client.key")

# s_server NAME [OPTION...]
s_server()
{
	receive openssl s_server -accept "$port" -cert "$tls/$1.pem" \
		-key "$tls/$1.key" -naccept 1 -quiet "${@:2}"
}
# arrives IMAGE TO [OPTION...]
arrives()
{
	expect_status 0 timeout_avml stream tls "${from[@]}" "${@:3}" "$2"
	expect_again 0
	wait "$receiver" || :
	expect_arrived "$1" "$T/got"
	expect_image "$T/got" "$T/memory" "$T/iomem"
}
# refused REGEX TO [OPTION...]: before a byte of the image.
refused()
{
	expect_error 1 "$1" timeout_avml stream tls "${from[@]}" "${@:3}" "$2"
	expect_again 0
	kill "$receiver" || :
	wait "$receiver" || :
	[ ! -s "$T/got" ] || fail "$(stat -c %s "$T/got") bytes got there"
}

s_server right
arrives "$T/v1" "localhost:$port" "${trust[@]}"
s_server right -tls1_2
arrives "$T/v2" "127.0.0.1:$port" "${trust[@]}" --compress
s_server right
arrives "$T/v1" "[::1]:$port" "${trust[@]}" --pin "$(pin right)"
s_server right
before=(env "SSL_CERT_FILE=$tls/ca.pem")
arrives "$T/v1" "localhost:$port"
before=()
receive ncat -l --recv-only --ssl --ssl-cert "$tls/right.pem" \
	--ssl-key "$tls/right.key" localhost "$port"
arrives "$T/v1" "localhost:$port" "${trust[@]}"
shown=cert=$tls/right.pem,key=$tls/right.key
receive socat -u "OPENSSL-LISTEN:$port,reuseaddr,$shown,verify=0" -
arrives "$T/v1" "localhost:$port" "${trust[@]}"

s_server right
refused certificate "localhost:$port"
s_server right
refused certificate "localhost:$port" --cacert "$tls/other-ca.pem"
s_server other
refused 'name|subject|localhost' "localhost:$port" "${trust[@]}"
s_server expired
refused expired "localhost:$port" "${trust[@]}"
s_server right
refused 'pin|public key' "localhost:$port" "${trust[@]}" --pin "$(pin other)"
receive socat -U "TCP-LISTEN:$port,reuseaddr" "EXEC:echo not TLS"
refused 'SSL|TLS' "localhost:$port" "${trust[@]}" --retries 0

for version in -tls1_2 -tls1_3; do
	mutual=("$version" -Verify 1 -verify_return_error -CAfile "$tls/ca.pem")
	s_server right "${mutual[@]}"
	arrives "$T/v1" "localhost:$port" "${trust[@]}" "${mine[@]}"
	s_server right "${mutual[@]}"
	expect_error 1 . timeout_avml stream tls "${from[@]}" "${trust[@]}" \
		--retries 0 "localhost:$port"
	wait "$receiver" || :
	[ ! -s "$T/got" ] || fail "bytes without a certificate"
done
expect_error 1 "$tls/none" timeout_avml stream tls "${from[@]}" "${trust[@]}" \
	--cert "$tls/none" --key "$tls/client.key" "localhost:$port"

# An end without TLS's own close is one that anybody can make.
s_server right
begin stream tls "${from[@]}" "${trust[@]}" --rate-limit 4M "localhost:$port"
wait_until test -s "$T/got"
end_server "$receiver"
expect_ended 1 "$pid"
expect_error_form
s_server right
proxy "$port" --raw --cut 3000000
expect_error 1 . timeout_avml stream tls "${from[@]}" "${trust[@]}" \
	"localhost:$proxied"
end_server "$receiver"
s_server right
proxy "$port" --raw --stall 3000000
expect_error 1 'took no byte for [0-9]+ s' timeout_avml stream tls \
	"${from[@]}" "${trust[@]}" --stall-timeout 2 "localhost:$proxied"
end_server "$receiver"
