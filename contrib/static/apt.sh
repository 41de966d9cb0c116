# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Debian's packages of other releases, other processors and as sources, by
# package lists of our own, from the servers that this machine is set up for;
# its own lists, sources, caches and architectures stay as they are. To be
# read in by a script that has a say().

# apt_servers: a line RELEASE|URI for each of Debian's archives here (bookworm,
# bookworm-updates, bookworm-security).
apt_servers()
{
	apt-get indextargets --format "\$(ORIGIN)|\$(RELEASE)|\$(REPO_URI)" \
		"Created-By: Packages" 2> /dev/null |
		awk -F '|' '$1 == "Debian" && !seen[$0]++ { print $2 "|" $3 }'
}

# apt_main_server: that of the releases themselves, which has other ones too
# (that of security updates has not).
apt_main_server()
{
	apt_servers | awk -F '|' '$1 !~ /-/ { print $2; exit }'
}

# apt_setup DIR ARCHITECTURES TYPE:RELEASE:URI...: sets $apt_conf, the
# configuration for these; TYPE is deb or deb-src. From the machine's comes
# only how to fetch (proxies and the like): its hooks would run too.
apt_setup()
{
	local dir=$1 archs=$2 entry type release uri signed=
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	shift 2
	# To apt, a relative path is one below /etc.
	mkdir -p "$dir"
	dir=$(cd "$dir" && pwd)
	apt_conf=$dir/apt.conf
	if (($# == 0)); then
		say "error: apt here has no package lists of Debian's:" \
			"apt-get update?"
		return 1
	fi
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/none"
	# That of this release has the keys of those around it.
	[[ ! -e $keyring ]] || signed="[signed-by=$keyring] "
	for entry; do
		type=${entry%%:*}
		entry=${entry#*:}
		release=${entry%%:*}
		uri=${entry#*:}
		echo "$type $signed$uri $release main"
	done > "$dir/sources.list"
	{
		apt-config dump --format "%F \"%v\";%n" Acquire |
			grep -v '^Acquire::IndexTargets'
		printf 'Dir::Etc::%s;\n' "sourcelist \"$dir/sources.list\"" \
			"sourceparts \"$dir/none\"" "parts \"$dir/none\"" \
			"main \"$dir/none/conf\"" \
			"preferences \"$dir/none/preferences\"" \
			"preferencesparts \"$dir/none\""
		printf 'Dir::%s;\n' "State \"$dir\"" "State::lists \"$dir/lists\"" \
			"State::status \"$dir/status\"" "Cache \"$dir/cache\""
		echo 'Acquire::Languages "none";'
		echo 'APT::Get::List-Cleanup "false";'
		# No user of apt's own gets into a directory of ours.
		echo 'APT::Sandbox::User "root";'
		for archs in $archs; do
			echo "APT::Architectures:: \"$archs\";"
		done
	} > "$apt_conf"
	: > "$dir/status"
}

# apt_update LOG: returns 2 where the server says that it has no such release
# (any more).
apt_update()
{
	local log=$1
	if APT_CONFIG=$apt_conf apt-get -q -o APT::Update::Error-Mode=any \
		update > "$log" 2>&1; then
		return 0
	fi
	cat "$log"
	if grep -q 'does not have a Release file' "$log" &&
		grep -qE '404 +Not Found' "$log"; then
		return 2
	fi
	return 1
}
