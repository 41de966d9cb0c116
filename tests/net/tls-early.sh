#!/bin/bash
# SPDX-License-Identifier: MIT
# A receiver that says the end of TLS before the image's, and drops what still
# comes: every byte is acknowledged, and it has none of them. No success.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

make_certificates
make_image --size 48
port=$(free_port)
for version in -tls1_2 -tls1_3; do
	# At the end of its input.
	receive sh -c "exec openssl s_server -accept $port -naccept 1 -quiet \
		-cert $tls/right.pem -key $tls/right.key $version </dev/null"
	expect_error 1 . timeout_avml stream tls "${from[@]}" \
		--cacert "$tls/ca.pem" "localhost:$port"
	wait "$receiver" || :
	[ ! -s "$T/got" ] || fail "it has $(stat -c %s "$T/got") bytes"
done
