#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/roots.sh DIR: Debian 11, 12 and 13 in DIR/bullseye, bookworm
# and trixie, as their packages unpack, without any of their scripts run. In
# bookworm, names are looked up by nss-resolve and nss-mdns too.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'roots: %s\n' "$*" >&2; }

# shellcheck source=contrib/static/apt.sh
. "$here/../contrib/static/apt.sh"

# Whether the server has the release: 2 if it says that it has not.
release_there()
{
	local release=$1 server=$2 lists=$3
	apt_setup "$lists" "$(dpkg --print-architecture)" \
		${server:+"deb:$release:$server"} || return 1
	apt_update "$lists/log"
}

make_root()
{
	local release=$1 dir=$2 server packages=libc6,libc-bin,dash,coreutils
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg status=0
	[[ ! -e $dir/complete ]] || return 0
	say "$release"
	server=$(apt_main_server)
	release_there "$release" "$server" "$dir.apt" >&2 || status=$?
	rm -rf "$dir.apt"
	if ((status == 2)); then
		say "SKIPPED: the server has no release $release any more"
		touch "$dir.gone"
		return 0
	fi
	((status == 0)) || return 1
	if [[ $release == bookworm ]]; then
		packages+=,libnss-resolve,libnss-mdns
	fi
	rm -rf "$dir" "$dir.gone"
	mmdebstrap --quiet --variant=extract --include="$packages" "$release" \
		"$dir" "deb [signed-by=$keyring] $server $release main" ||
		return 1
	# What runs there shall find nothing of the machine's.
	find "$dir/dev" -mindepth 1 -delete
	if [[ $release == bookworm ]]; then
		cat > "$dir/etc/nsswitch.conf" <<- END
		passwd: files systemd
		hosts: resolve [!UNAVAIL=return] files mdns4_minimal [NOTFOUND=return] dns
		services: db files
		END
	fi
	touch "$dir/complete"
}

mkdir -p "$1"
for release in bullseye bookworm trixie; do
	make_root "$release" "$1/$release" || {
		say "error: no $release"
		exit 1
	}
done
