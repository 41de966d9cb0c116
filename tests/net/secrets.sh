#!/bin/bash
# SPDX-License-Identifier: MIT
# What is secret of a URL (query, user, password) is seen by nobody: not in
# arguments or environment of the process, not in messages or the report, and
# nothing of its memory gets into a core file.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

start_nginx
make_file 12000000
make_image --size 48
up=http://localhost:$http
# As it is written, and what it means.
query='sig=geheim%2Fnis%3D&sp=losung'
secrets='geheim|losung|parole|sesam'

# clean FILE...: none of these has any of it.
clean()
{
	local file
	for file; do
		! grep -qaE "$secrets" "$file" ||
			fail "a secret in ${file##*/}: $(tr '\0\n' '  ' <"$file" |
				grep -aoE ".{0,60}($secrets)")"
	done
}

# The server gets them all the same.
proxy "$http"
expect_status 0 avml upload put "$T/file" \
	"http://sesam:parole%2F@localhost:$proxied/up/a?$query"
clean "$T/err"
expect_logged 1 'request 1 PUT /up/a\?sig=geheim%2Fnis%3D&sp=losung '
expect_header 1 "Authorization: Basic $(printf sesam:parole/ | base64)"
expect_logged 0 'request .*sesam'
expect_header 1 'User-Agent: avml.*'

# Three other ways to tell it, by which nobody else ever sees it.
echo "$up/up/b?$query" >"$T/url"
expect_status 0 avml upload put --url-file "$T/url" "$T/file"
expect_arrived "$T/file" "$www/up/b"
rm "$www/up/b"
printf '%s\r\nmore\n' "$up/up/b?$query" >"$T/url"
expect_status 0 avml upload put --url-file="$T/url" "$T/file"
expect_arrived "$T/file" "$www/up/b"
expect_status 0 avml upload put --url-file - "$T/file" <<<"$up/up/c?$query"
expect_arrived "$T/file" "$www/up/c"
before=(env "AVML_URL=$up/up/d?$query")
expect_status 0 avml upload put "$T/file"
expect_arrived "$T/file" "$www/up/d"
# An operand comes first.
before=(env "AVML_URL=$up/up/new?$query")
expect_status 0 avml upload put "$T/file" "$up/up/e"
expect_arrived "$T/file" "$www/up/e"
expect_absent "$www/up/new"
before=()
: >"$T/none"
expect_error 1 "$T/none" avml upload put --url-file "$T/none" "$T/file"
expect_error 1 "$T/no/such" avml upload put --url-file "$T/no/such" "$T/file"

# Nothing is said of them in any failure.
fails()
{
	expect_status 1 timeout_avml "$@"
	expect_error_form
	clean "$T/err"
}
with=sesam:parole@localhost
for words in "http://$with:$http/forbidden/x?$query" \
	"http://$with:$http/missing/x?$query" \
	"http://$with:$http/redirect/303/x?$query" \
	"http://$with:$http/again/x?$query" \
	"https://$with:$http/up/x?$query" \
	"http://$with:$(free_port)/x?$query" \
	"http://sesam:parole@no.such.invalid/x?$query" \
	"http://$with:port/x?$query" "ftp://$with/x?$query" \
	"http://$with:$http/up/x y?$query"; do
	fails upload put --retries 0 --connect-timeout 5 "$T/file" "$words"
	fails upload blob --retries 0 --connect-timeout 5 "$T/file" "$words"
	fails stream put "${from[@]}" --retries 0 --connect-timeout 5 "$words"
done
# Nor when it is tried again, nor where it is said how far it is.
proxy "$http" --answer 1:500 --text "sig=geheim/nis=, geheim%2Fnis%3D"
expect_status 0 avml upload put --progress=always "$T/file" \
	"http://$with:$proxied/up/f?$query"
expect_again 1
clean "$T/err"
expect_status 2 avml upload put "$T/file" "$up/up/x?$query" "$up/x?$query"
clean "$T/err"
expect_status 2 avml upload put --no-such "$T/file" "$up/up/x?$query"
clean "$T/err"

# A URL where a file belongs: no file of that name is looked for.
# misplaced WORD...
misplaced()
{
	expect_error 2 'http://localhost:[0-9]+/up/x"? is a URL, not (a file|[A-Z])' avml "$@"
	clean "$T/err"
}
url="http://$with:$http/up/x?$query"
misplaced upload put "$url" "$url"
misplaced upload put --url-file "$T/url" "$url"
misplaced upload blob "$url"
before=(env "AVML_SAS_URL=$up/up/x?$query")
misplaced upload blob "$url"
before=()
misplaced upload put "$T/file" --url-file "$url"
misplaced upload s3 "$T/file" --part-urls "$url"
misplaced stream blob "${from[@]}" "--url-file=$url"
misplaced stream s3 "${from[@]}" --part-urls "$url"
misplaced "${from[@]}" --url-file "$url" "$T/new"
misplaced "${from[@]}" --sas-url-file "$url" "$T/new"
misplaced "${from[@]}" --part-urls "$url" "$T/new"
misplaced "${from[@]}" "$url"
for option in cacert cert key pin region digest-file report; do
	misplaced stream put "${from[@]}" "--$option" "$url" "$url"
done
misplaced upload put --cacert "$url" "$T/file" "$url"
expect_absent "$T/new"
expect_absent "$www/up/x"

# What is to be seen of a process while it runs. The URL leads through a proxy
# that takes no more.
url=
seen()
{
	begin "$@"
	wait_until grep -q stalled "$T/proxy"
	tr '\0' '\n' <"/proc/$pid/cmdline" >"$T/cmdline"
	tr '\0' '\n' <"/proc/$pid/environ" >"$T/environ"
	[ -s "$T/cmdline" ] || fail "no command line"
	clean "$T/cmdline" "$T/environ" "/proc/$pid/comm"
	kill -KILL "$pid"
	wait "$pid" || :
}
new_url()
{
	proxy "$http" --stall 500
	url="http://$with:$proxied/up/new?$query"
	rm -f "$T/out"
}
new_url
seen upload put "$T/file" "$url"
new_url
seen upload blob --retries 3 "$T/file" "$url"
new_url
seen stream put "${from[@]}" "$url"
new_url
seen "${from[@]}" --url "$url" "$T/out"
new_url
seen acquire "${from[@]}" "--sas-url=$url" "$T/out"
new_url
echo "$url" >"$T/url"
seen upload put --url-file "$T/url" "$T/file"
new_url
seen upload put --url-file - "$T/file" <<<"$url"
new_url
before=(env "AVML_URL=$url")
seen upload put "$T/file"
new_url
before=(env "AVML_SAS_URL=$url")
seen "${from[@]}" "$T/out"

# A certificate's key is a secret too.
make_certificates
proxy "$http" --raw --stall 1
begin stream tls "${from[@]}" "localhost:$proxied" --cert "$tls/client.pem" \
	--key "$tls/client.key"
wait_until grep -q stalled "$T/proxy"
grep -qE '^Max core file size +0 +0 ' "/proc/$pid/limits" ||
	fail "a key may be in a core: $(grep core "/proc/$pid/limits")"
kill -KILL "$pid"
wait "$pid" || :

# A sanitizer takes that signal for itself.
! grep -qaE '__(a|t)san_init' "$AVML" || exit 0

# A core file has the memory of a process. Of another process there is one
# here, if the system makes any.
mkdir "$T/cores"
crashes()
{
	(
		cd "$T/cores"
		ulimit -c unlimited
		begin "$@"
		echo "$pid" >"$T/pid"
		wait_until grep -q stalled "$T/proxy"
		kill -SEGV "$pid"
		wait "$pid"
	) 2>"$T/crashed" || :
	grep -q 'Segmentation fault' "$T/crashed" ||
		fail "no crash: $(cat "$T/crashed")"
}
new_url
crashes upload put "$T/file" "$url"
! grep -q 'core dumped' "$T/crashed" || fail "it dumps core"
[ -z "$(ls "$T/cores")" ] || fail "a core file: $(ls "$T/cores")"
(
	cd "$T/cores"
	ulimit -c unlimited
	sleep 60 &
	kill -SEGV $!
	wait $!
) 2>"$T/crashed" || :
grep -q 'core dumped' "$T/crashed" ||
	skip_part "core files: the system makes none"
