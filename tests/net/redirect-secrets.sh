#!/bin/bash
# SPDX-License-Identifier: MIT
# A place that a server leads to has secrets of its own, and they are no more
# to be seen than those of the first.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

start_nginx
make_file 1000000
query='sig=geheim%2Fnis&sp=losungswort'
for to in "/forbidden/x?$query" "/broken/x?$query" \
	"http://sesamoeffne:parole99@localhost:$http/forbidden/x?$query" \
	"http://localhost:$(free_port)/x?$query" \
	"ftp://sesamoeffne:parole99@localhost/x?$query"; do
	proxy "$http" --answer 9:307 --match /up/ --location "$to"
	expect_error 1 . timeout_avml upload put --retries 1 "$T/file" \
		"http://localhost:$proxied/up/new"
	expect_no_err 'geheim|losungswort|sesamoeffne|parole99'
done
