#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Part of the guest's init: images that leave the machine. The program is the
# one that has network code; without it these cases are left out, which run.sh
# tells the judge. Who receives is in receivers.sh.

has_net()
{
	[ -x /bin/avml-net ]
}

net_up()
{
	[ ! -e /sys/class/net/eth0 ] || return 0
	load virtio_net
	for _ in $(seq 100); do
		[ -e /sys/class/net/eth0 ] && break
		sleep 0.1
	done
	ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up || die "no network"
}

case_stream_tcp()
{
	has_net || return 0
	net_up
	mkdir -p /mnt/stream_tcp
	run stream_tcp avml-net stream --digest --compress \
		--report /mnt/stream_tcp/report tcp 10.0.2.100:9001
}

case_stream_put()
{
	has_net || return 0
	net_up
	mkdir -p /mnt/stream_put
	run stream_put avml-net stream --digest --compress \
		--report /mnt/stream_put/report --cacert /etc/collector.pem \
		put https://10.0.2.100/stream_put/out.v2
}
