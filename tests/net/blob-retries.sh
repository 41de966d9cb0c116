#!/bin/bash
# SPDX-License-Identifier: MIT
# A blob's blocks are sent again one by one, over a service that ends and
# comes back, connections cut and answers lost; and committed once, or not.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

mib=1048576
start_azurite
azure make box
make_file $((22 * mib + 12345))
count=0

# sends [OPTION...]: it arrives, through the proxy, as $blob.
sends()
{
	count=$((count + 1))
	blob=box/$count
	expect_status 0 avml upload blob "$@" "$T/file" \
		"$(via_proxy "$(sas "$blob")")"
	expect_blob "$T/file" "$blob"
}
# fails REGEX [OPTION...]
fails()
{
	count=$((count + 1))
	blob=box/$count
	expect_error 1 "$1" avml upload blob "${@:2}" "$T/file" \
		"$(via_proxy "$(sas "$blob")")"
	expect_no_blob "$blob"
}

# Cut in every block, at many places.
proxy "$azurite_port" --cut 300,100000,2500000,4000000,$((5 * mib)),700000
sends
expect_logged 6 ' cut [0-9]+'
expect_err "^note: .*block .*; attempt 2 of 11"
for how in 1 3; do
	proxy "$azurite_port" --cut $((7 * mib)),$((8 * mib)),1000
	sends --sas-block-concurrency $how
	expect_logged 3 ' cut [0-9]+'
done
proxy "$azurite_port" --answer 4:503
sends
expect_again 4
expect_logged 10 request
proxy "$azurite_port" --answer 1:503:3 --match comp=blocklist
timed sends
expect_again 1
expect_took 2900 9000
expect_logged 2 'comp=blocklist'
# A block of which the answer is lost is sent twice, and is in there once.
proxy "$azurite_port" --lose 2 --match comp=block\&
sends
expect_logged 7 'comp=block&'
# So is the list of them.
proxy "$azurite_port" --lose 1 --match comp=blocklist
sends
expect_logged 2 'comp=blocklist'
proxy "$azurite_port" --stall $mib --stalls 2
sends --stall-timeout 2
expect_logged 2 ' stalled [0-9]+'

# What goes on failing is not committed.
proxy "$azurite_port" --answer 99:503 --text 'out of order'
fails '503' --retries 1
expect_err 'out of order'
expect_logged 0 comp=blocklist
fails '503' --retry-time 2
fails '503' --retries 0
proxy "$azurite_port" --answer 99:500 --match comp=blocklist
fails '500' --retries 1
expect_logged 2 comp=blocklist
proxy "$azurite_port" --answer 1:403 --match "blockid" --text 'not for you'
fails '403'
expect_err 'not for you'
expect_logged 0 comp=blocklist

# The service ends in the middle, and comes back with what it had.
make_image --size 80
avml "${from[@]}" "$T/v1" 2>"$T/err"
wait_whole()
{
	wait_until grep -q 'whole 2' "$T/proxy"
}
proxy "$azurite_port"
begin upload blob --rate-limit 6M --sas-block-concurrency 2 "$T/file" \
	"$(via_proxy "$(sas box/back)")"
wait_whole
end_azurite
wait_until grep -q '^note: ' "$T/err"
start_azurite
expect_ended 0 "$pid"
expect_blob "$T/file" box/back
proxy "$azurite_port"
begin stream blob "${from[@]}" --rate-limit 8M "$(via_proxy "$(sas box/stream)")"
wait_whole
end_azurite
wait_until grep -q '^note: ' "$T/err"
start_azurite
expect_ended 0 "$pid"
expect_blob "$T/v1" box/stream
expect_image "$T/blob" "$T/memory" "$T/iomem"

# A stream with cuts; one whose service is gone for good.
proxy "$azurite_port" --cut 3000000,-,100,6000000
expect_status 0 avml stream blob "${from[@]}" "$(via_proxy "$(sas box/cut)")"
expect_blob "$T/v1" box/cut
expect_logged 3 ' cut [0-9]+'
proxy "$azurite_port"
begin stream blob "${from[@]}" --rate-limit 8M --retry-time 2 \
	"$(via_proxy "$(sas box/gone)")"
wait_whole
end_azurite
expect_ended 1 "$pid"
expect_error_form
start_azurite
expect_no_blob box/gone
