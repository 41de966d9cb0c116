#!/bin/bash
# SPDX-License-Identifier: MIT
# Answers without an end, quick and slow, and some that end too early: what
# the head of an answer says is what counts, and a run comes to its end.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

start_nginx
make_file 3000000

# refused REGEX [OPTION...]
refused()
{
	expect_error 1 "$1" timeout_avml upload put --stall-timeout 1 "${@:2}" \
		"$T/file" "http://localhost:$proxied/up/new"
	expect_again 0
	expect_absent "$www/up/new"
}
for rate in 10000000 10; do
	for status in 403 500; do
		proxy "$http" --answer "9:$status" --text 'says the collector' \
			--endless "$rate"
		refused "$status" --retries 0
	done
	# Of that, nobody knows whether it is the server's word.
	proxy "$http" --answer 9:201 --endless "$rate"
	timeout_avml upload put --stall-timeout 1 --retries 0 "$T/file" \
		"http://localhost:$proxied/up/new" 2>"$T/err" && got=0 || got=$?
	[ "$got" -le 1 ] || fail "status $got: $(said)"
done
for status in 403 404 413; do
	proxy "$http" --answer "9:$status" --text 'says the collector' --short
	refused "$status"
done
