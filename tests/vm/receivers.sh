#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Part of run.sh: who takes what a guest streams off itself.
#
# The guest has a network of its own, in QEMU's own process, that leads to
# nothing but two addresses: behind each is a program here. One keeps what
# comes by TCP; the other leads to a server that takes PUT, by TLS, on a socket
# in the file system. So there is no port, and nothing else can be reached.
#
# shellcheck disable=SC2034,SC2154 # run.sh has $tmp and die(), and uses the rest

# As the guest's cases_net.sh has it.
receiver_address=10.0.2.100
net_cases="stream_tcp stream_put"
nginx_pid=

# receivers_start: sets $nginx_pid and $net_devices, which QEMU gets. What
# arrives is in $tmp/net/arrived, in a directory of its case.
receivers_start()
{
	local dir=$tmp/net netdev="user,id=net,restrict=on,ipv6=off"
	rm -rf "$dir"
	mkdir -p "$dir/arrived/stream_tcp" "$dir/arrived/stream_put"
	cp "$tmp/collector.key" "$tmp/root/etc/collector.pem" "$dir"
	start_nginx "$dir"
	write_receivers "$dir"
	netdev+=",guestfwd=tcp:$receiver_address:9001-cmd:$dir/take_tcp"
	netdev+=",guestfwd=tcp:$receiver_address:443-cmd:$dir/take_put"
	# The firmware that could boot from it is a package of its own.
	net_devices=(-netdev "$netdev"
		-device "virtio-net-pci,netdev=net,romfile=")
}

# A line for each connection, and one for each that ended well.
write_receivers()
{
	local dir=$1
	cat > "$dir/take_tcp" <<-END
		#!/bin/sh
		cd '$dir/arrived/stream_tcp' || exit 1
		echo begin >> connections
		socat -u STDIN OPEN:out.v2,creat,excl,mode=600 &&
			echo end >> connections
	END
	cat > "$dir/take_put" <<-END
		#!/bin/sh
		exec socat STDIO UNIX-CONNECT:'$dir/socket'
	END
	chmod +x "$dir/take_tcp" "$dir/take_put"
}

# Key and certificate, which is its own authority, for the guest to trust.
make_certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-days 30 -subj /CN=collector \
		-addext "subjectAltName=IP:$receiver_address" \
		-keyout "$tmp/collector.key" \
		-out "$tmp/root/etc/collector.pem" 2> "$tmp/openssl.log" ||
		die "no certificate: $(cat "$tmp/openssl.log")"
}

start_nginx()
{
	local dir=$1 user=''
	# It does not give up being root.
	[[ $(id -u) != 0 ]] || user='user root;'
	cat > "$dir/conf" <<-END
		daemon off; master_process off; $user
		pid $dir/pid; error_log $dir/error;
		events { }
		http {
			log_format taken '\$request_method \$uri \$status '
				'\$http_transfer_encoding \$ssl_protocol';
			access_log $dir/arrived/stream_put/requests taken;
			client_max_body_size 0; client_body_temp_path $dir/body;
			proxy_temp_path $dir/p; fastcgi_temp_path $dir/f;
			uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
			server {
				listen unix:$dir/socket ssl;
				ssl_protocols TLSv1.2 TLSv1.3;
				ssl_certificate $dir/collector.pem;
				ssl_certificate_key $dir/collector.key;
				location /stream_put/ {
					root $dir/arrived; dav_methods PUT;
				}
			}
		}
	END
	nginx -e "$dir/error" -p "$dir" -c "$dir/conf" > "$dir/said" 2>&1 &
	nginx_pid=$!
	for _ in {1..100}; do
		[[ ! -S $dir/socket ]] || return 0
		kill -0 "$nginx_pid" 2> /dev/null || break
		sleep 0.1
	done
	die "nginx: $(cat "$dir/said" "$dir/error")"
}

# receivers_end DIR: what arrived goes there, to arrived.
receivers_end()
{
	[[ -n $nginx_pid ]] || return 0
	kill -TERM "$nginx_pid" 2> /dev/null || true
	wait "$nginx_pid" || true
	nginx_pid=
	grep -v '\[notice\]' "$tmp/net/error" || true
	mv "$tmp/net/arrived" "$1/arrived"
}

# receivers_hand_over DIR: to where the guest's part of each case is by now.
receivers_hand_over()
{
	local dir=$1 path name
	for path in "$dir"/arrived/*/*; do
		[[ -e $path ]] || continue
		name=${path#"$dir"/arrived/}
		mkdir -p "$dir/${name%/*}"
		mv "$path" "$dir/$name"
	done
	rm -rf "$dir/arrived"
}
