#!/bin/bash
# SPDX-License-Identifier: MIT
# A blob by https, and not to whom nobody vouches for.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

make_certificates
start_azurite https
azure make box
make_file 12000000
trust=(--cacert "$tls/ca.pem")
expect_status 0 avml upload blob "${trust[@]}" "$T/file" "$(sas box/file)"
expect_blob "$T/file" box/file
make_image --size 48
avml "${from[@]}" "$T/v1" 2>"$T/err"
expect_status 0 avml stream blob "${from[@]}" "${trust[@]}" \
	--pin "$(pin right)" "$(sas box/v1)"
expect_blob "$T/v1" box/v1
expect_error 1 'certificate' timeout_avml upload blob "$T/file" "$(sas box/new)"
expect_again 0
expect_error 1 'pin|public key' timeout_avml upload blob "${trust[@]}" \
	--pin "$(pin other)" "$T/file" "$(sas box/new)"
expect_no_blob box/new
