#!/bin/bash
# SPDX-License-Identifier: MIT
# The inside of a host, see hosts.sh: host.sh NAME DIR ADDRESS SIZE KEY.
set -eu
name=$1 dir=$2 address=$3 size=$4 key=$(cat "$5")

hostname "$name"
# What a source of memory is, or tells of it, is the null device.
for file in /proc/kcore /proc/kpageflags /proc/kpagecount /dev/mem \
	/dev/crash /dev/kmem /dev/port; do
	[ ! -e "$file" ] || mount --bind /dev/null "$file"
done

mount -t tmpfs -o mode=755 none /mnt
# A /tmp of its own, in which the script's directory is where it was.
mkdir /mnt/script
mount --bind "${dir%/*}" /mnt/script
mount -t tmpfs -o mode=1777 none /tmp
mkdir -p "${dir%/*}"
mount --move /mnt/script "${dir%/*}"
mkdir -m 1777 /mnt/disk
mount -t tmpfs -o "size=$size,mode=1777" none /mnt/disk
mkdir -m 700 /mnt/root /mnt/responder
chown 1999:1999 /mnt/responder
echo "$key" >/mnt/keys
# What sshd is asked to run is what others see in the command line of a shell.
cat >/mnt/record <<'RECORD'
#!/bin/sh
printf '%s\n' "$SSH_ORIGINAL_COMMAND" >>/mnt/commands
exec sh -c "$SSH_ORIGINAL_COMMAND"
RECORD
chmod 755 /mnt/record
: >/mnt/commands
chmod 666 /mnt/commands

# Two users: root, and one who becomes root by sudo.
cat >/mnt/passwd <<'USERS'
root:x:0:0::/mnt/root:/bin/sh
responder:x:1999:1999::/mnt/responder:/bin/sh
sshd:x:1998:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
USERS
printf '%s\n' root:x:0: responder:x:1999: nogroup:x:65534: >/mnt/group
printf '%s:*:1::::::\n' root responder sshd nobody >/mnt/shadow
printf '%s\n' 'Defaults !log_allowed,!use_pty' \
	'root ALL=(ALL) ALL' 'responder ALL=(ALL) NOPASSWD: ALL' >/mnt/sudoers
chmod 440 /mnt/sudoers
printf '127.0.0.1 localhost %s\n' "$name" >/mnt/names
for file in passwd group shadow sudoers names; do
	case $file in
	names) mount --bind /mnt/names /etc/hosts ;;
	*) mount --bind "/mnt/$file" "/etc/$file" ;;
	esac
done
mount -t tmpfs -o mode=755 none /run
mkdir /run/sshd

ip link set lo up
while ! ip link set eth0 up 2>/dev/null; do
	sleep 0.02
done
ip address add "$address/24" dev eth0

# No CAP_SYS_RAWIO, CAP_SYS_ADMIN or the like for anybody here, for good.
kept=-all
for capability in chown dac_override fowner kill setgid setuid sys_chroot \
	audit_write; do
	kept=$kept,+$capability
done
exec setpriv --bounding-set="$kept" --inh-caps=-all \
	/usr/sbin/sshd -D -e -f "$dir/config"
