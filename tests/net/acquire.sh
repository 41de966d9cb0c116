#!/bin/bash
# SPDX-License-Identifier: MIT
# acquire with a URL: an image on the disk first, then sent; the file goes
# only where it was asked for and the other side has confirmed all of it.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

start_nginx
start_azurite
azure make box
up=http://localhost:$http/up
make_image --size 48
secret='sig=geheim%2Fnis'

expect_status 0 avml "${from[@]}" --url "$up/a" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_arrived "$T/out" "$www/up/a"
expect_status 0 avml acquire "${from[@]}" --compress --digest \
	--report "$T/report" --url "$up/b?$secret" "$T/out"
expect_arrived "$T/out" "$www/up/b"
reported --image "$T/out" --status 0
grep -q "$up/b" "$T/report" || fail "nothing of it in the report"
expect_no_err geheim
expect_status 0 avml "${from[@]}" --sas-url "$(sas box/a)" \
	--sas-block-size 6 --report "$T/report" "$T/out"
expect_blob "$T/out" box/a
expect_image "$T/blob" "$T/memory" "$T/iomem"
reported --image "$T/out" --status 0
for name in a b; do
	rm "$www/up/$name"
done
echo "$up/a" >"$T/url"
expect_status 0 avml "${from[@]}" --url-file "$T/url" "$T/out"
expect_arrived "$T/out" "$www/up/a"
sas box/b >"$T/url"
expect_status 0 avml "${from[@]}" --sas-url-file "$T/url" "$T/out"
expect_blob "$T/out" box/b
before=(env "AVML_URL=$up/b")
expect_status 0 avml "${from[@]}" "$T/out"
expect_arrived "$T/out" "$www/up/b"
before=(env "AVML_SAS_URL=$(sas box/c)")
expect_status 0 avml "${from[@]}" "$T/out"
expect_blob "$T/out" box/c

# Not both, not with a stream; nothing is acquired then.
before=(env "AVML_URL=$up/new" "AVML_SAS_URL=$(sas box/new)")
expect_status 2 avml "${from[@]}" "$T/new"
before=()
expect_status 2 avml "${from[@]}" --url "$up/new" --sas-url "$(sas box/new)" \
	"$T/new"
expect_status 2 avml "${from[@]}" --delete "$T/new"
expect_status 2 avml "${from[@]}" --url "$up/new" - >"$T/stdout"
[ ! -s "$T/stdout" ] || fail "something was acquired"
for url in nonsense ftp://localhost/ http://; do
	expect_error 1 'URL|http' avml "${from[@]}" --url "$url" "$T/new"
done
expect_error 1 "$T/none" avml "${from[@]}" --url-file "$T/none" "$T/new"
expect_error 1 "$T/none" avml "${from[@]}" --url "https://localhost:1/x" \
	--cacert "$T/none" "$T/new"
expect_absent "$T/new" "$www/up/new"

# --delete.
avml "${from[@]}" "$T/want" 2>"$T/err"
expect_status 0 avml "${from[@]}" --url "$up/c" --delete \
	--report "$T/report" "$T/new"
expect_absent "$T/new"
expect_arrived "$T/want" "$www/up/c"
reported --status 0
expect_status 0 avml "${from[@]}" --delete --sas-url "$(sas box/d)" "$T/new"
expect_absent "$T/new"
expect_blob "$T/want" box/d
# What is not confirmed stays, whatever failed.
# kept REGEX [OPTION...]
kept()
{
	rm -f "$T/new"
	expect_error 1 "$1" avml "${from[@]}" "${@:2}" --delete \
		--report "$T/report" "$T/new"
	expect_same "$T/want" "$T/new"
	reported --image "$T/new" --status 1
}
kept '403.*not for you|not for you' --url \
	"http://localhost:$http/forbidden/x?$secret"
expect_no_err geheim
kept '413' --url "http://localhost:$http/small/x"
kept '403' --sas-url "$(sas box/x --spoiled)"
kept 'refused|onnect' --retries 1 --url "http://localhost:$(free_port)/x"
proxy "$http" --cut-each 1000000
kept . --retries 0 --url "http://localhost:$proxied/up/x"
expect_absent "$www/up/x"
proxy "$http" --mute
kept . --retries 0 --stall-timeout 1 --url "http://localhost:$proxied/up/x"
# It has said so, and then that there is nothing.
for status in 404 410; do
	proxy "$http" --answer 1:$status --match 'HEAD '
	kept "now has nothing there.*$status" \
		--url "http://localhost:$proxied/up/x"
	expect_arrived "$T/want" "$www/up/x"
	rm "$www/up/x"
done
# A signal while that is asked is none either, and a server that does not
# know the question takes no time.
rm -f "$T/new"
proxy "$http" --answer 9:503 --match 'HEAD '
begin "${from[@]}" --url "http://localhost:$proxied/up/x" --delete "$T/new"
wait_until grep -q answered "$T/proxy"
kill -TERM "$pid"
expect_ended 143 "$pid"
check_sanitizer
expect_err 'was sent, but' SIGTERM
expect_same "$T/want" "$T/new"
expect_arrived "$T/want" "$www/up/x"
proxy "$http" --answer 9:501 --match 'HEAD '
timed expect_status 0 avml "${from[@]}" --url "http://localhost:$proxied/up/x" \
	--delete "$T/new"
expect_took 0 3000
expect_absent "$T/new"
rm "$www/up/x"
# What is written to it while that is asked is not over there.
proxy "$http" --answer 1:503:2 --match 'HEAD '
begin "${from[@]}" --url "http://localhost:$proxied/up/x" --delete "$T/new"
wait_until grep -q answered "$T/proxy"
printf x | dd of="$T/new" conv=notrunc status=none
expect_ended 1 "$pid"
check_sanitizer
expect_err 'was sent, but is not removed: it was written to'
[ -s "$T/new" ] || fail "it is gone"
rm "$www/up/x"
# It has all of it, and did not say so.
proxy "$http" --lose 1
kept 'whether .* was uploaded is not known' --retries 0 --url "http://localhost:$proxied/up/x"
expect_arrived "$T/want" "$www/up/x"
proxy "$azurite_port" --answer 9:500 --match comp=blocklist
kept 500 --retries 0 --sas-url "$(via_proxy "$(sas box/x)")"
expect_no_blob box/x

# An image that lacks something is sent; one that lacks too much is not.
truncate -s $(($(stat -c %s "$T/memory") - 140000)) "$T/memory"
expect_status 3 avml "${from[@]}" --url "$up/d" --report "$T/report" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_arrived "$T/out" "$www/up/d"
reported --image "$T/out" --status 3
expect_status 3 avml "${from[@]}" --sas-url "$(sas box/e)" --delete "$T/new2"
expect_blob "$T/out" box/e
expect_error 1 'max-unreadable' avml "${from[@]}" --url "$up/e" --delete \
	--max-unreadable 0 "$T/new2"
expect_absent "$www/up/e"
expect_error 1 'above the limit' avml "${from[@]}" --url "$up/e" --delete \
	--max-disk-usage 1 "$T/new3"
expect_absent "$www/up/e" "$T/new3"
expect_error 1 'max-unreadable' avml "${from[@]}" --sas-url "$(sas box/f)" \
	--max-unreadable 0 "$T/new2"
expect_no_blob box/f
