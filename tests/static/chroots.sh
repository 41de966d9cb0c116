#!/bin/bash
# SPDX-License-Identifier: MIT
# On any host: in an empty directory and in Debian 11, 12 and 13 as their
# packages unpack, in one of them with name services by nss-mdns and
# nss-resolve, the binary starts and does what it does here.
#
# static has libraries for the network: by name, over TLS, a file gets to a
# server. The name is known to a server of DNS alone.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

roots=$tests/../build/roots
build=$(avml --version --verbose | sed -n 's/^build: //p')

# To send, it is begun anew in a network of its own.
if [ "$build" = static ] && [ -z "${AVML_TEST_NET-}" ]; then
	for how in -n -rn; do
		if unshare "$how" true; then
			rm -rf "$T"
			AVML_TEST_NET=1 exec unshare "$how" "$BASH" "$0" >&9 9>&-
		fi
	done
	skip_part "sending: no network of its own to be had"
fi

# There, nothing of this machine is within reach: no proc, no device of its
# memory, and nobody's rights.
in_root()
{
	local root=$1 path
	shift
	for path in "$root"/proc/* "$root"/sys/* "$root"/dev/{mem,crash,kmem}; do
		[ ! -e "$path" ] || fail "unsafe to run: $path is there"
	done
	if setpriv --reuid=65534 --regid=65534 --clear-groups true; then
		chroot --userspec=65534:65534 "$root" "$@"
	elif [ "$(id -u)" = 0 ]; then
		# Of a user namespace alone.
		chroot "$root" "$@"
	else
		unshare -r chroot "$root" "$@"
	fi
}

# In $root/t, which anybody may write to, is what the runs read.
prepare()
{
	t=$root/t
	rm -rf "$t"
	mkdir "$t"
	chmod 777 "$t"
	cp "$AVML" "$t/avml"
	ln -s avml "$t/avml-convert"
	cp -r "$T/proc" "$T/dev" "$T/v2.avml" "$t"
	chmod -R a+rX "$t"
}

same()
{
	local got=0
	in_root "$root" "${@:2}" >"$T/stdout" 2>"$T/err" || got=$?
	[ "$got" = 0 ] || fail "$name: status $got: ${*:2}: $(said)"
	[ "$1" = . ] || cmp "$t/out" "$1" >"$T/cmp" 2>&1 ||
		fail "$name: ${*:2}: $(cat "$T/cmp")"
	rm -f "$t/out"
}

make_sources --size 32
lime write "$T/v2.avml" --memory "$T/memory" --iomem "$T/iomem" --format v2
expect_status 0 avml "${from[@]}" "$T/v1"
expect_status 0 avml "${from[@]}" --compress "$T/v2"
expect_status 0 avml convert "$T/v2.avml" "$T/converted"
expect_image "$T/v1" "$T/memory" "$T/iomem"
expect_image "$T/v2" "$T/memory" "$T/iomem"

try_root()
{
	local from=(--proc /t/proc --dev /t/dev)
	prepare
	same . /t/avml --version
	avml --version | cmp -s - "$T/stdout" || fail "$name: another version"
	same "$T/v1" /t/avml "${from[@]}" /t/out
	same "$T/v2" /t/avml "${from[@]}" --threads 3 --compress /t/out
	same "$T/converted" /t/avml-convert /t/v2.avml /t/out
	same . /t/avml sources "${from[@]}"
	grep -qE "^/t/proc/kcore +yes" "$T/stdout" || fail "$name: $(head -n 1 "$T/stdout")"
	[ -z "${AVML_TEST_NET-}" ] || try_sending
	rm -rf "$t"
}

# --- a collector, in a network of its own -------------------------------------

certificate()
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=collector \
		-addext "subjectAltName=DNS:collector.example" \
		-keyout "$T/key.pem" -out "$T/cert.pem"
}

# A collector that takes what is PUT, and a server of DNS that knows its name.
serve()
{
	mkdir "$T/www"
	"${PYTHON:-python3}" -IS - "$T" 9>&- <<-'END' &
	import http.server, os, ssl, sys

	class Collector(http.server.BaseHTTPRequestHandler):
	    def do_PUT(self):
	        body = self.rfile.read(int(self.headers["Content-Length"]))
	        path = os.path.join(sys.argv[1], "www", os.path.basename(self.path))
	        with open(path, "xb") as out:
	            out.write(body)
	        self.send_response(201)
	        self.send_header("Content-Length", "0")
	        self.end_headers()

	server = http.server.HTTPServer(("127.0.0.1", 8443), Collector)
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain(sys.argv[1] + "/cert.pem", sys.argv[1] + "/key.pem")
	server.socket = context.wrap_socket(server.socket, server_side=True)
	server.serve_forever()
	END
	ip link set lo up
	dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts \
		--no-resolv --pid-file= --user=root --listen-address=127.0.0.1 \
		--bind-interfaces --address=/collector.example/127.0.0.1 \
		9>&- &
	wait_until listens 8443
	wait_until listens 53
}

listens()
{
	(: <"/dev/tcp/127.0.0.1/$1")
}

try_sending()
{
	local put=${AVML%/avml}/tests/put
	cp "$put" "$t/put"
	cp "$T/cert.pem" "$t/cert.pem"
	mkdir -p "$root/etc"
	echo "nameserver 127.0.0.1" >"$root/etc/resolv.conf"
	rm -f "$T/www/v1"
	same . /t/put /t/v2.avml https://collector.example:8443/v1 /t/cert.pem
	expect_same "$T/v2.avml" "$T/www/v1"
	# By a name that the certificate has not, it does not.
	! in_root "$root" /t/put /t/v2.avml https://127.0.0.1:8443/v2 \
		/t/cert.pem 2>"$T/err" || fail "$name: any certificate will do"
	expect_err 'SSL peer certificate'
	expect_absent "$T/www/v2"
}

if [ -n "${AVML_TEST_NET-}" ]; then
	certificate
	serve
fi

for name in empty bullseye bookworm trixie; do
	root=$roots/$name
	if [ "$name" = empty ]; then
		root=$T/empty
		mkdir "$root"
		chmod 755 "$T"
	fi
	if [ -e "$root.gone" ]; then
		skip_part "$name: the server has no such release any more"
		continue
	fi
	[ -d "$root" ] || fail "no $root (make roots)"
	try_root
done
grep -qE '^hosts:.*resolve .*mdns4' "$roots/bookworm/etc/nsswitch.conf" ||
	fail "no nss-resolve and nss-mdns in bookworm"
ls "$roots"/bookworm/usr/lib/*/libnss_resolve.so.2 \
	"$roots"/bookworm/lib/*/libnss_mdns4_minimal.so.2 >"$T/nss" ||
	fail "name services are named, but not there"
