# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every script here begins with: hosts to log in to, and ansible-playbook.
#
# A host is a network, mount, process and host name space, with an sshd that
# is its first process; all of them are on a bridge in a network of the
# script's own, from which nothing leads out. When the script ends, all ends.
#
# No host can read this machine's memory, whatever it is told: the capabilities
# that this needs are taken away before sshd starts, for sudo too, and the
# files are covered by the null device. Besides, refuse_unsafe() looks at all
# options, as everywhere.
#
# shellcheck disable=SC2034 # what is set here is the scripts'

if [ -z "${AVML_TEST_FLEET-}" ]; then
	export AVML_TEST_FLEET=1
	fleet_spaces=(--net --mount --pid --fork --mount-proc --kill-child)
	if unshare "${fleet_spaces[@]}" true 2>/dev/null; then
		exec unshare "${fleet_spaces[@]}" "$BASH" "$0" "$@"
	fi
	echo "ok (without namespaces: not allowed here)"
	exit 0
fi

# shellcheck source=tests/net/servers.sh
. "${BASH_SOURCE[0]%/*}/../net/servers.sh"

need ansible-playbook ip ssh ssh-keygen sudo setpriv
sshd=/usr/sbin/sshd
[ -x "$sshd" ] || fail "no sshd (make deps-test)"

role=$(realpath "$tests/../contrib/ansible")
results=$T/results
fleet=$T/fleet
mkdir "$fleet"
# Where Debian has python3; what is first in PATH may be another one.
python=/usr/bin/python3

ip link set lo up
ip link add fleet type bridge
ip address add 192.0.2.1/24 dev fleet
ip link set fleet up
ssh-keygen -q -t ed25519 -N '' -f "$T/key"
declare -A sshds=()
number=1

# start_host NAME [SIZE [SEED]]: its disk is /mnt/disk, of that size; it has
# memory, iomem and proc below $fleet/NAME.
start_host()
{
	local name=$1 dir=$fleet/$1 pid
	number=$((number + 1))
	mkdir "$dir"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
	echo "[192.0.2.$number]:2222 $(cut -d ' ' -f 1,2 "$dir/key.pub")" >>"$T/known"
	cat >"$dir/config" <<-CONFIG
	Port 2222
	HostKey $dir/key
	AuthorizedKeysFile /mnt/keys
	ForceCommand /mnt/record
	Subsystem sftp /usr/lib/openssh/sftp-server
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	UsePAM no
	StrictModes no
	PidFile none
	UseDNS no
	MaxStartups 100
	CONFIG
	mkimage --size 48 --seed "${3-$number}" --proc "$dir/proc" \
		"$dir/memory" "$dir/iomem"
	unshare --net --mount --pid --uts --fork --mount-proc --kill-child \
		"$BASH" "$tests/fleet/host.sh" "$name" "$dir" \
		"192.0.2.$number" "${2-256M}" "$T/key.pub" 9>&- \
		>"$dir/said" 2>&1 &
	pid=$!
	sshds[$name]=$pid
	wait_until other_network "$pid"
	ip link add "veth$number" type veth peer name eth0 netns "$pid"
	ip link set "veth$number" master fleet up
	wait_until host_up "$name" "192.0.2.$number"
	expect_confined "$name"
	printf '%s ansible_host=%s\n' "$name" "192.0.2.$number" >>"$T/hosts"
}

other_network()
{
	kill -0 "$1" || fail "a host ended"
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# An address that is not there yet would be waited for.
host_up()
{
	kill -0 "${sshds[$1]}" || fail "$1 ended: $(tail -n 3 "$fleet/$1/said")"
	grep -q '^Server listening' "$fleet/$1/said" && listens 2222 "$2"
}

# expect_confined HOST: nobody there can have more than host.sh means to leave.
expect_confined()
{
	local pid said
	pid=$(cat "/proc/${sshds[$1]}/task/${sshds[$1]}/children")
	said=$(grep CapBnd "/proc/${pid%% *}/status" | cut -f 2)
	[ "$said" = 00000000200400eb ] || fail "$1 may do $said"
	said=$(on "$1" stat -c %t:%T /proc/kcore || echo none)
	[ "$said" = 1:3 ] || [ "$said" = none ] || fail "$1 has a kcore: $said"
}

# on HOST COMMAND [ARGUMENT...]: as its root.
on()
{
	local pid
	pid=$(cat "/proc/${sshds[$1]}/task/${sshds[$1]}/children")
	shift
	nsenter -t "${pid%% *}" -m -p -- setpriv --bounding-set=-all,+dac_override \
		--inh-caps=-all "$@"
}

# of HOST: the options that name its made-up memory.
of()
{
	from=(--source "$fleet/$1/memory" --iomem "$fleet/$1/iomem")
	refuse_unsafe "${from[@]}" "$T/image"
	refuse_unsafe sources --proc "$fleet/$1/proc"
}

# given HOST NAME VALUE: a variable of that host alone; a list is [...].
given()
{
	mkdir -p "$T/host_vars"
	case $3 in
	\[*) printf '%s: %s\n' "$2" "$3" ;;
	*) printf "%s: '%s'\n" "$2" "$3" ;;
	esac >>"$T/host_vars/$1.yml"
}

# play [OPTION...]: $T/played is what it says; its status.
play()
{
	local name status=0
	for name in "${!sshds[@]}"; do
		of "$name"
	done
	cat >"$T/inventory" <<-INVENTORY
	[avml]
	$(cat "$T/hosts")
	[avml:vars]
	ansible_user=root
	ansible_port=2222
	ansible_ssh_private_key_file=$T/key
	ansible_ssh_common_args=-F /dev/null -o UserKnownHostsFile=$T/known -o IdentitiesOnly=yes -o ConnectTimeout=5
	ansible_python_interpreter=$python
	avml_case=case-1
	avml_binary=$AVML
	avml_results=$results
	avml_remote_dir=/mnt/disk
	avml_min_free_mib=1
	avml_sources_args=["--proc", "$fleet/{{ inventory_hostname }}/proc"]
	avml_extra_args=["--source", "$fleet/{{ inventory_hostname }}/memory", "--iomem", "$fleet/{{ inventory_hostname }}/iomem"]
	$(cat "$T/variables" 2>/dev/null)
	INVENTORY
	mkdir -p "$T/home" "$T/cp"
	(cd "$role" && env -i PATH="$PATH" HOME="$T/home" LC_ALL=C.UTF-8 \
		ANSIBLE_SSH_CONTROL_PATH_DIR="$T/cp" ANSIBLE_NOCOLOR=1 \
		ANSIBLE_HOST_KEY_CHECKING=1 ANSIBLE_FORKS=10 \
		ansible-playbook -i "$T/inventory" avml.yml "$@") 9>&- \
		</dev/null >"$T/played" 2>&1 || status=$?
	return "$status"
}

# expect_play STATUS [OPTION...]
expect_play()
{
	local want=$1 got=0
	shift
	play "$@" || got=$?
	[ "$got" = "$want" ] || fail "ansible-playbook ended with $got:" \
		"$(grep -E -A 3 'fatal|ERROR' "$T/played" | cut -c 1-300)" \
		"$(tail -n 8 "$T/played")"
}

# expect_recap HOST WORD...: such as changed=0.
expect_recap()
{
	local host=$1 word
	shift
	for word; do
		sed '1,/^PLAY RECAP/d' "$T/played" | grep "^$host " |
			grep -q " $word " ||
			fail "$host: not $word: $(tail -n 6 "$T/played")"
	done
}

# expect_line HOST NAME=VALUE... NAME~REGEX...: its last line in the results.
expect_line()
{
	"$python" -IS "$tests/lib/fleet.py" "$results/case-1/results.jsonl" \
		"$@" >"$T/wrong" 2>&1 ||
		fail "$(tail -n 1 "$T/wrong"), played: $(tail -n 5 "$T/played")"
}

# expect_lines N: so many.
expect_lines()
{
	[ "$(wc -l <"$results/case-1/results.jsonl")" = "$1" ] ||
		fail "not $1 lines: $(cat "$results/case-1/results.jsonl")"
}

# expect_clean HOST...: no file of ours is there, and nothing at all where the
# image was.
expect_clean()
{
	local host left
	for host; do
		left=$(on "$host" find /mnt/disk /mnt/root /mnt/responder /tmp \
			-xdev ! -type d)$(on "$host" ls -A /mnt/disk)
		[ -z "$left" ] || fail "left on $host: $left"
	done
}

# expect_fetched HOST: its image is here, of its memory, and only ours.
expect_fetched()
{
	local image=$results/case-1/$1.avml
	[ -e "$image" ] || fail "no image of $1"
	expect_image "$image" "$fleet/$1/memory" "$fleet/$1/iomem"
	[ "$(stat -c %a "$image" "$results/case-1" | tr '\n' ' ')" = \
		"600 700 " ] || fail "others may read the image of $1"
	expect_line "$1" status=ok sink=fetch "image=$image" error=null \
		left=null "sha256=$(sum "$image")" \
		"bytes=$(stat -c %s "$image")" unreadable_bytes=0
	cp "$results/case-1/$1.jsonl" "$T/report"
	reported --image "$image" --status 0
}

# reachable PORT: what listens on loopback is there for the hosts.
reachable()
{
	socat "TCP-LISTEN:$1,bind=192.0.2.1,fork,reuseaddr" \
		"TCP:127.0.0.1:$1" 9>&- 2>>"$T/socat" &
	wait_until listens "$1" 192.0.2.1
}
