# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every script here begins with: lib.sh of tests/cli, and real servers on
# loopback to send to. Each has its files below $T, a port that was free, and is
# a child of the script, which ends it by its process number at the latest in
# finish().
#
# shellcheck disable=SC2034 # what is set here is the scripts'

# shellcheck source=tests/cli/lib.sh
. "${BASH_SOURCE[0]%/*}/../cli/lib.sh"

www=$T/www # what was PUT

# What is not there is a failure where it has to be: see make deps-test.
need()
{
	local tool
	for tool; do
		[ -n "$(command -v "$tool")" ] || fail "no $tool (make deps-test)"
	done
}
need nginx socat ncat openssl curl

free_port()
{
	"${PYTHON:-python3}" -IS - <<-'PYTHON'
	import random, socket
	while True:
	    # Below those that connections get of themselves.
	    port = random.SystemRandom().randrange(12000, 32000)
	    try:
	        with socket.socket(socket.AF_INET6) as both:
	            both.bind(("::", port))
	    except OSError:
	        continue
	    print(port)
	    break
	PYTHON
}

# listens PORT [HOST]
listens()
{
	(: <"/dev/tcp/${2-127.0.0.1}/$1") 2>/dev/null
}

# A connection would use up one that takes a single one.
listens_unseen()
{
	local port
	printf -v port '%04X' "$1"
	cat /proc/net/tcp /proc/net/tcp6 |
		awk -v port=":$port" '$4 == "0A" && $2 ~ port "$" { found = 1 }
			END { exit !found }'
}

# end_server PID: it is gone when this returns.
end_server()
{
	kill -KILL "$1" || :
	wait "$1" || :
}

sum()
{
	sha256sum <"$1" | cut -d ' ' -f 1
}

# begin ARGUMENT...: the binary in the background, $pid; see expect_ended.
begin()
{
	before=(env --default-signal=TERM "${before[@]}")
	avml_exec "$@" <&0 >"$T/stdout" 2>"$T/err" &
	pid=$!
	before=()
}

# expect_again N: so many attempts failed and were made again; said at the end
# of an upload, and by notes, of which there are fewer where many come at a
# time. '': any number.
expect_again()
{
	local notes
	[ -n "$1" ] || return 0
	notes=$(grep -cE '^note: .*; attempt [0-9]+ of' "$T/err" || :)
	if grep -q ' requests made again' "$T/err"; then
		grep -q "; $1 requests made again" "$T/err" ||
			fail "not $1 times again: $(said)"
	fi
	if [ "$notes" -gt "$1" ] || [ "$((notes > 0))" != "$(($1 > 0))" ]; then
		fail "not $1 times again: $(tr '\n' ' ' <"$T/err")"
	fi
}

# reported [OPTION...]: see report.sh of tests/cli; without a secret.
reported()
{
	"${PYTHON:-python3}" -I -B "$tests/lib/report.py" check "$T/report" \
		"$@" >"$T/wrong" 2>&1 ||
		fail "report: $* $(tail -n 1 "$T/wrong"), of: $(said)"
	! grep -qE 'geheim|sig=' "$T/report" || fail "a secret in the report"
}

# timed COMMAND...: $took is how many milliseconds it took.
timed()
{
	local began
	began=$(date +%s%N)
	"$@"
	took=$((($(date +%s%N) - began) / 1000000))
}

# expect_took LEAST MOST: milliseconds.
expect_took()
{
	if [ "$took" -lt "$1" ] || [ "$took" -gt "$2" ]; then
		fail "took $took ms, not $1 to $2"
	fi
}

# expect_arrived SENT ARRIVED
expect_arrived()
{
	[ -e "$2" ] || fail "nothing arrived as ${2##*/}: $(said)"
	[ "$(sum "$1")" = "$(sum "$2")" ] ||
		fail "${2##*/}: $(stat -c %s "$2") other bytes than the" \
			"$(stat -c %s "$1") of ${1##*/}"
}

# make_file BYTES [NAME]: $T/file, that no other is like.
make_file()
{
	head -c "$1" /dev/urandom >"$T/${2-file}"
}

# ---- Certificates ----

tls=$T/tls

# certificate NAME SUBJECT-ALT-NAMES [BEGIN END]: by the authority here.
certificate()
{
	local begin=${3-20200101000000Z} end=${4-20491231000000Z}
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj "/CN=$1" -keyout "$tls/$1.key" -out "$tls/$1.csr"
	openssl ca -batch -notext -config "$tls/ca.cnf" -startdate "$begin" \
		-enddate "$end" -in "$tls/$1.csr" -out "$tls/$1.pem" \
		-extfile <(echo "subjectAltName=$2")
}

# A new authority has signed what is good for localhost (right), for another
# name, and no more (expired); the client's own certificate; another authority
# has signed nothing.
make_certificates()
{
	local name
	mkdir "$tls" "$tls/new"
	: >"$tls/index"
	cat >"$tls/ca.cnf" <<-CONFIG
	[ca]
	default_ca = own
	[own]
	database = $tls/index
	rand_serial = yes
	unique_subject = no
	new_certs_dir = $tls/new
	certificate = $tls/ca.pem
	private_key = $tls/ca.key
	default_md = sha256
	policy = any
	[any]
	commonName = supplied
	CONFIG
	for name in ca other-ca; do
		openssl req -x509 -newkey ec -pkeyopt \
			ec_paramgen_curve:P-256 -nodes -days 3650 \
			-subj "/CN=$name" -keyout "$tls/$name.key" \
			-out "$tls/$name.pem"
	done
	certificate right "DNS:localhost,IP:127.0.0.1,IP:::1"
	certificate other "DNS:elsewhere.example"
	certificate expired "DNS:localhost" 20200101000000Z 20210101000000Z
	certificate client "DNS:client.example"
	chmod a+r "$tls"/*.key
}

# pin NAME: of its key, as --pin takes it.
pin()
{
	echo "sha256//$(openssl x509 -in "$tls/$1.pem" -noout -pubkey |
		openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary |
		base64)"
}

# ---- A collector: nginx with WebDAV's PUT ----

nginx_server()
{
	local ssl=
	[ "$2" = http ] || ssl=" ssl"
	echo "server { listen 127.0.0.1:$1$ssl; listen [::1]:$1$ssl;"
	[ "$2" = http ] ||
		echo "ssl_certificate $tls/$2.pem;
			ssl_certificate_key $tls/$2.key;"
	echo "${3-} include $T/nginx/locations; }"
}

# /up takes anything, /small a MiB; /forbidden, /missing and /broken answer
# with a text; /redirect/CODE/NAME leads to /up/NAME, /again/NAME to itself,
# and /down/NAME away from https.
# $http, $https, and of https $other, $expired, $mutual (wants a certificate)
# are ports. The https ones are there if there are certificates.
start_nginx()
{
	local code user=''
	http=${http-$(free_port)}
	https=$(free_port)
	other=$(free_port)
	expired=$(free_port)
	mutual=$(free_port)
	mkdir -p "$T/nginx" "$www/up" "$www/small"
	# It does not give up being root.
	[ "$(id -u)" != 0 ] || user="user root;"
	{
		cat <<-CONFIG
		location /up/ { root $www; dav_methods PUT; }
		location /small/ {
			root $www; dav_methods PUT; client_max_body_size 1m;
			error_page 413 @large;
		}
		location @large { return 413 "at most 1 MiB, says the collector"; }
		location /forbidden/ {
			return 403 "not for you, says the collector: \$request_uri";
		}
		location /missing/ { return 404 "no such place, says the collector"; }
		location /broken/ { return 500 "out of order, says the collector"; }
		CONFIG
		for code in 301 302 303 307 308; do
			echo "location ~ ^/redirect/$code/(.*)$ {" \
				"return $code /up/\$1; }"
		done
		echo "location ~ ^/down/(.*)$ {" \
			"return 307 http://localhost:$http/up/\$1; }"
		echo "location ~ ^/again/(.*)$ { return 307 /again/\$1; }"
	} >"$T/nginx/locations"
	cat >"$T/nginx/conf" <<-CONFIG
	daemon off; master_process off; $user
	pid $T/nginx/pid; error_log $T/nginx/error;
	events { }
	http {
		access_log $T/nginx/access; client_max_body_size 0;
		client_body_temp_path $T/nginx/body; proxy_temp_path $T/nginx/p;
		fastcgi_temp_path $T/nginx/f; uwsgi_temp_path $T/nginx/u;
		scgi_temp_path $T/nginx/s;
		$(nginx_server "$http" http)
		$([ ! -d "$tls" ] || {
			nginx_server "$https" right
			nginx_server "$other" other
			nginx_server "$expired" expired
			nginx_server "$mutual" right "ssl_verify_client on;
				ssl_client_certificate $tls/ca.pem;"
		})
	}
	CONFIG
	nginx -e "$T/nginx/error" -p "$T/nginx" -c "$T/nginx/conf" 9>&- \
		>"$T/nginx/said" 2>&1 &
	nginx=$!
	wait_until server_up "$nginx" "$http" "$T/nginx/said"
}

# server_up PID PORT LOG: it listens, and has not ended.
server_up()
{
	kill -0 "$1" || fail "a server ended: $(tail -n 3 "$3")"
	listens "$2"
}

# ---- Azure's blob service: Azurite ----

# shellcheck disable=SC2120 # https is for those that want it
# start_azurite [http|https]: $azurite is its process, $blobs the URL of the
# account. Once ended, it is started again with what it had.
start_azurite()
{
	local scheme=${1-http} program options=()
	program=$tests/../build/npm/node_modules/.bin/azurite-blob
	[ -e "$program" ] || fail "no azurite (make npm)"
	need node
	[ "$scheme" = http ] ||
		options=(--cert "$tls/right.pem" --key "$tls/right.key")
	mkdir -p "$T/azurite"
	azurite_port=${azurite_port-$(free_port)}
	node "$(realpath "$program")" --disableTelemetry \
		--location "$T/azurite" --blobPort "$azurite_port" \
		--debug "$T/azurite.debug" ${options[@]+"${options[@]}"} 9>&- \
		>>"$T/azurite.said" 2>&1 &
	azurite=$!
	blobs=$scheme://localhost:$azurite_port/devstoreaccount1
	wait_until server_up "$azurite" "$azurite_port" "$T/azurite.said"
}

# It writes down what it has when it is asked to end, and no sooner.
end_azurite()
{
	kill -TERM "$azurite"
	wait "$azurite" || :
}

# azure COMMAND [ARGUMENT...]: see azure.py, with the URL of the account.
azure()
{
	"${PYTHON:-python3}" -IS "$tests/lib/azure.py" "$1" "$blobs" "${@:2}"
}

# sas CONTAINER[/BLOB] [OPTION...]: a URL that lets write.
sas()
{
	azure sas "$@"
}

# via_proxy URL: the same, by way of the proxy.
via_proxy()
{
	# shellcheck disable=SC2001
	sed "s/:$azurite_port/:$proxied/" <<<"$1"
}

# expect_blob SENT CONTAINER/BLOB
expect_blob()
{
	rm -f "$T/blob"
	azure get "$2" "$T/blob" || fail "no blob $2: $(said)"
	expect_arrived "$1" "$T/blob"
}

# expect_no_blob CONTAINER/BLOB: nothing is committed. The service tells of a
# blob with blocks alone as of none.
expect_no_blob()
{
	! azure head "$1" >"$T/head" || fail "$1 is there: $(cat "$T/head")"
}

# ---- Receivers of plain bytes, or of TLS ----

# receive COMMAND...: it listens on $port, and what it gets is in $T/got;
# $receiver is its process. Nothing but the binary connects.
receive()
{
	receive_at_once "$@"
	wait_until receiver_up
}

# The same, of which somebody waits for it to listen already.
receive_at_once()
{
	rm -f "$T/got"
	# At the end of its input s_server would end as well.
	[ -p "$T/silence" ] || mkfifo "$T/silence"
	"$@" >"$T/got" 2>"$T/receiver" <>"$T/silence" 9>&- &
	receiver=$!
}

receiver_up()
{
	kill -0 "$receiver" || fail "a receiver ended: $(cat "$T/receiver")"
	listens_unseen "$port"
}

# ---- An object store: s3rver, behind one that judges signatures ----

# The one key that it knows; no region is another than its own.
s3_key=S3RVER
s3_secret=geh/eim+nis=losung # which only the judge looks at

# start_s3rver: the real store alone; $s3rver is its process. Once ended, it is
# started again with what it had.
start_s3rver()
{
	local program=$tests/../build/npm/node_modules/.bin/s3rver
	[ -e "$program" ] || fail "no s3rver (make npm)"
	need node
	mkdir -p "$T/s3rver"
	s3rver_port=${s3rver_port-$(free_port)}
	node "$(realpath "$program")" --directory "$T/s3rver" \
		--address 127.0.0.1 --port "$s3rver_port" \
		--configure-bucket evidence 9>&- >>"$T/s3rver.said" 2>&1 &
	s3rver=$!
	wait_until server_up "$s3rver" "$s3rver_port" "$T/s3rver.said"
}

# start_s3 [OPTION...]: what judges, see s3store.py, in front of s3rver if that
# is up; $s3 is its URL, $T/s3/log what it was asked. The one before is ended.
start_s3()
{
	local forward=()
	[ -z "${s3_pid-}" ] || end_server "$s3_pid"
	rm -rf "$T/s3"
	mkdir "$T/s3"
	printf '%s\n' "$s3_key" "$s3_secret" "${s3_token-}" \
		"${s3_region-us-east-1}" >"$T/s3/keys"
	[ -z "${s3rver_port-}" ] || forward=(--forward "$s3rver_port")
	"${PYTHON:-python3}" -ISB "$tests/lib/s3store.py" --keys "$T/s3/keys" \
		--dir "$T/s3" ${forward[@]+"${forward[@]}"} "$@" 9>&- \
		2>"$T/s3.err" &
	s3_pid=$!
	wait_until test -s "$T/s3/port"
	s3_port=$(cat "$T/s3/port")
	s3=http://127.0.0.1:$s3_port
}

# with_keys: the next run has them in its environment.
with_keys()
{
	before=(env "AWS_ACCESS_KEY_ID=$s3_key" "AWS_ENDPOINT_URL=$s3"
		"AWS_SECRET_ACCESS_KEY=$s3_secret"
		${s3_token:+"AWS_SESSION_TOKEN=$s3_token"}
		"AWS_REGION=${s3_region-us-east-1}")
}

# s3_look COMMAND [ARGUMENT...]: see s3.py.
s3_look()
{
	"${PYTHON:-python3}" -IS "$tests/lib/s3.py" "$T/s3/keys" \
		"http://127.0.0.1:$s3_port/evidence" "$@"
}

# expect_object SENT KEY: read back by a signed request.
expect_object()
{
	rm -f "$T/object"
	s3_look get "$2" "$T/object" || fail "no object $2: $(said)"
	expect_arrived "$1" "$T/object"
}

# expect_no_object KEY. That its parts go is not to be seen here: s3rver refuses
# aborts. The judge alone does them: expect_no_upload.
expect_no_object()
{
	local got=0
	s3_look get "$1" "$T/object" || got=$?
	[ "$got" = 1 ] || fail "$1 is there"
}

# Of any key: nothing is paid for.
expect_no_upload()
{
	s3_look uploads >"$T/uploads"
	[ ! -s "$T/uploads" ] || fail "left over: $(cat "$T/uploads"), of:" \
		"$(tr '\n' ',' <"$T/s3/log")"
}

# expect_no_key FILE...: nothing of a key is in there, nor of a signature.
expect_no_key()
{
	local file
	for file; do
		! grep -qaE "$s3_secret|to/ken|to%2Fken|geheim|Signature=[^[]" "$file" ||
			fail "a secret in ${file##*/}: $(cat "$file")"
	done
}

# asked N REGEX: so many lines of the judge's log are so.
asked()
{
	[ "$(grep -cE -- "$2" "$T/s3/log" || :)" = "$1" ] ||
		fail "not $1 times $2: $(tr '\n' ';' <"$T/s3/log" | tail -c 300)"
}

# make_list KEY [OPTION...]: $T/list, by the script, where the key is.
make_list()
{
	local key=$1
	shift
	rm -f "$T/list"
	env -i PATH="$PATH" AWS_ACCESS_KEY_ID="$s3_key" \
		AWS_SECRET_ACCESS_KEY="$s3_secret" \
		${s3_token:+"AWS_SESSION_TOKEN=$s3_token"} \
		"$tests/../contrib/avml-part-urls" --bucket evidence \
		--key "$key" --endpoint-url "$s3" --part-size 5M \
		--output "$T/list" "$@" || fail "no list: $(tail -n 1 "$T/noise")"
}

# ---- What spoils ----

# proxy TO-PORT [OPTION...]: see proxy.py; $proxied is the port, $T/proxy the
# log. The one before is ended.
proxy()
{
	[ -z "${proxy_pid-}" ] || end_server "$proxy_pid"
	rm -f "$T/proxy" "$T/proxy.port"
	"${PYTHON:-python3}" -IS "$tests/lib/proxy.py" --to "localhost:$1" \
		--log "$T/proxy" --port-file "$T/proxy.port" "${@:2}" 9>&- \
		2>"$T/proxy.err" &
	proxy_pid=$!
	wait_until test -s "$T/proxy.port"
	proxied=$(cat "$T/proxy.port")
}

# logged REGEX: how many lines of the log are so.
logged()
{
	grep -cE -- "$1" "$T/proxy" || :
}

# expect_logged N REGEX
expect_logged()
{
	[ "$(logged "$2")" = "$1" ] ||
		fail "$(logged "$2") times $2, not $1, in:" \
			"$(grep -v header "$T/proxy" | head -n 20)"
}

# expect_header N HEADER...: the request with that number has it.
expect_header()
{
	local number=$1 header
	shift
	for header; do
		grep -qixE "[0-9.]+ header $number $header" "$T/proxy" ||
			fail "request $number: no $header in" \
				"$(grep " header $number " "$T/proxy")"
	done
}

# waited FROM TO: milliseconds between the ends of two attempts, the requests
# FROM and TO, as they came.
waited()
{
	awk -v from="$1" -v to="$2" '
		$3 == from && ($2 == "whole" || $2 == "broken" ||
			$2 == "answered") { start = $1 }
		$2 == "request" && $3 == to { end = $1 }
		END { printf "%d", (end - start) * 1000 }' "$T/proxy"
}
