#!/bin/bash
# SPDX-License-Identifier: MIT
# PUT by https: to whom the certificate says it is, by an authority that is
# trusted, and to nobody else; what fails there is not tried again.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

make_certificates
start_nginx
make_file 1000000
up=https://localhost:$https/up
trust=(--cacert "$tls/ca.pem")

arrives()
{
	expect_status 0 timeout_avml upload put "${@:2}" "$T/file" "$1"
	expect_again 0
	expect_arrived "$T/file" "$www/up/${1##*/}"
	rm "$www/up/${1##*/}"
}
# refused REGEX URL [OPTION...]
refused()
{
	expect_error 1 "$1" timeout_avml upload put "${@:3}" "$T/file" "$2"
	expect_again 0
	expect_absent "$www/up/${2##*/}"
}

arrives "$up/a" "${trust[@]}"
arrives "https://127.0.0.1:$https/up/a" "${trust[@]}"
arrives "https://[::1]:$https/up/a" "${trust[@]}"
before=(env "SSL_CERT_FILE=$tls/ca.pem")
arrives "$up/a"
before=(env "SSL_CERT_FILE=$tls/other-ca.pem")
arrives "$up/a" "${trust[@]}"
refused 'certificate' "$up/a"
before=(env "SSL_CERT_FILE=$tls/ca.pem")
refused 'certificate' "$up/a" --cacert "$tls/other-ca.pem"
# Nothing of the environment makes it trust more.
before=(env "CURL_CA_BUNDLE=$tls/ca.pem" "SSL_CERT_DIR=$tls")
refused 'certificate' "$up/a"
before=()
refused 'certificate' "$up/a"
refused 'other-ca|certificate' "$up/a" --cacert "$tls/other-ca.pem"
refused "$tls/none" "$up/a" --cacert "$tls/none"
refused "$T/file|file" "$up/a" --cacert "$T/file"
refused 'name|subject|localhost' "https://localhost:$other/up/a" "${trust[@]}"
refused 'expired' "https://localhost:$expired/up/a" "${trust[@]}"
# What speaks another protocol.
refused 'SSL|TLS' "https://localhost:$http/up/a" "${trust[@]}" --retries 0
refused '400' "http://localhost:$https/up/a"

arrives "$up/a" "${trust[@]}" --pin "$(pin right)"
arrives "$up/a" "${trust[@]}" --pin "$(pin other);$(pin right)"
refused 'pin|public key' "$up/a" "${trust[@]}" --pin "$(pin other)"
# A pin is no reason to trust.
refused 'certificate' "$up/a" --pin "$(pin right)"
refused 'pin' "$up/a" "${trust[@]}" --pin nonsense

refused '400' "https://localhost:$mutual/up/a" "${trust[@]}"
arrives "https://localhost:$mutual/up/a" "${trust[@]}" \
	--cert "$tls/client.pem" --key "$tls/client.key"
cat "$tls/client.pem" "$tls/client.key" >"$tls/both.pem"
arrives "https://localhost:$mutual/up/a" "${trust[@]}" \
	--cert "$tls/both.pem" --key "$tls/both.pem"
refused 'key' "https://localhost:$mutual/up/a" "${trust[@]}" \
	--cert "$tls/client.pem" --key "$tls/right.key"
refused "$tls/none" "https://localhost:$mutual/up/a" "${trust[@]}" \
	--cert "$tls/none" --key "$tls/client.key"

# Out of TLS nothing is led.
refused 'redirect|protocol' "https://localhost:$https/down/a" "${trust[@]}"

make_image --size 20
avml "${from[@]}" "$T/v1" 2>"$T/err"
expect_status 0 avml stream put "${from[@]}" "${trust[@]}" "$up/v1"
expect_arrived "$T/v1" "$www/up/v1"
expect_image "$www/up/v1" "$T/memory" "$T/iomem"
