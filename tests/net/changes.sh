#!/bin/bash
# SPDX-License-Identifier: MIT
# A file that shrinks or grows while it is sent: said, and no success.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

mib=1048576
start_nginx
start_azurite
azure make box

# changes REGEX SIZE put|blob URL: the file gets that size on its way.
changes()
{
	make_file $((16 * mib))
	begin upload "$3" "$T/file" "$4"
	wait_until grep -q 'request 1' "$T/proxy"
	truncate -s "$2" "$T/file"
	expect_ended 1 "$pid"
	check_sanitizer
	expect_error_form
	expect_err "$1"
	expect_again 0
	[ "$(stat -c %s "$T/file")" = "$2" ] || fail "the file is another"
}
# Slow, so that there is time.
slow=(--rate $((4 * mib)))

proxy "$http" "${slow[@]}"
changes 'shr[aiu]nk|shorter|short|chang' $((9 * mib)) put \
	"http://localhost:$proxied/up/new"
expect_absent "$www/up/new"
proxy "$http" "${slow[@]}"
changes 'shr[aiu]nk|shorter|short|chang' 0 put "http://localhost:$proxied/up/new"
expect_absent "$www/up/new"
# All that was promised arrives before it is known, where it grows.
proxy "$http" "${slow[@]}"
changes 'gr[oe]w|longer|chang' $((17 * mib)) put \
	"http://localhost:$proxied/up/new"

for size in 9 0; do
	proxy "$azurite_port" --rate $mib
	changes 'shr[aiu]nk|shorter|short|chang' $((size * mib)) blob \
		"$(via_proxy "$(sas box/new)")"
	expect_no_blob box/new
done
proxy "$azurite_port" --rate $mib
changes 'gr[oe]w|longer|chang' $((17 * mib)) blob "$(via_proxy "$(sas box/new)")"
expect_no_blob box/new

# The name may go, and come again for another.
make_file $((16 * mib))
cp "$T/file" "$T/copy"
proxy "$http" "${slow[@]}"
begin upload put "$T/file" "http://localhost:$proxied/up/gone"
wait_until grep -q 'request 1' "$T/proxy"
mv "$T/file" "$T/elsewhere"
echo other >"$T/file"
expect_ended 0 "$pid"
expect_arrived "$T/copy" "$www/up/gone"
