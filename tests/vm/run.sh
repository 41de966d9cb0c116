#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs avml under real kernels and judges what it made of them.
#
#   tests/vm/run.sh AVML [BOOT...]
#
# AVML is the program to test, dynamic or static (for another processor:
# static); its processor is the guests'. Nothing is installed and no root is
# needed: the guests' kernels come by `apt-get download`, their disks are
# written by mke2fs and read by debugfs, QEMU emulates (KVM is not asked for:
# where it is nested it hangs). The guest's RAM is a file, so that the image can
# be held against the hypervisor's view of it.
#
# The boots are those of boot_setup(), by default all of the processor's.
# x86_64:
#   main          the cloud kernel of this machine's release: whole images
#   sources       its full kernel, with a /dev/crash: which source, and why
#   newer         the cloud kernel of a newer release
#   older         the full kernel of an older release, as long as there is one
#   la57          5 level page tables
#   la57_nokaslr  the same, and the kernel where it was linked to be
#   bpf           no kcore: memory by a program of BPF
#   bpf_nokaslr   the same, the kernel where it was linked to be, and with
#                 pages that are in no map of the kernel's
# and, only where it is named, and without a judge:
#   picture       what the picture of the README is made of (make picture)
# aarch64:
#   arm64         the cloud kernel of Debian 12: by kcore and by BPF
#   arm64_newer   the same of a newer release
# A kernel that cannot be had is a failure.
#
# Environment:
#   NET_AVML        a static program that has network code: it streams a guest's
#                   memory off it. Without, these cases are left out
#   KERNEL_DIR      cache of kernels, default build/vm
#   KERNEL_PACKAGE  default linux-image-cloud-amd64; a kernel's own package
#                   (linux-image-6.1.0-50-amd64) is good too
#   NEWER_SUITE     release of boots newer and arm64_newer, default trixie
#   OLDER_SUITE     release of boot older, default bullseye
#   KEEP            a directory that gets the results, to look at later
#   VM_TIMEOUT      seconds one boot may take, default 600
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
kernel_dir=${KERNEL_DIR:-$top/build/vm}
vm_timeout=${VM_TIMEOUT:-600}
disk_mib=8192
small_disk_mib=64
tmp=
net_avml=${NET_AVML:-}
vm_pid=
judge_pid=
judged=
passed=0
failed=0

say() { printf 'vm: %s\n' "$*"; }
die() { printf 'vm: error: %s\n' "$*" >&2; exit 1; }

# shellcheck source=contrib/static/apt.sh
. "$top/contrib/static/apt.sh"
# shellcheck source=tests/vm/machines.sh
. "$here/machines.sh"
# shellcheck source=tests/vm/kernels.sh
. "$here/kernels.sh"
# shellcheck source=tests/vm/root.sh
. "$here/root.sh"
# shellcheck source=tests/vm/receivers.sh
. "$here/receivers.sh"

cleanup()
{
	local pid
	# The first pid is timeout's, which hands the signal on to its QEMU.
	for pid in $vm_pid $judge_pid $nginx_pid; do
		kill -TERM "$pid" 2> /dev/null || true
		wait "$pid" 2> /dev/null || true
	done
	if [[ -n $tmp ]]; then
		rm -rf "$tmp"
	fi
}

need_tools()
{
	local tool missing=() net=()
	[[ -z $net_avml ]] || net=(nginx openssl socat)
	for tool in bpftool apt-cache apt-config apt-get busybox "$compiler" cpio \
		debugfs dpkg ldd make mke2fs python3 "$qemu" tar timeout xz \
		"${net[@]}"; do
		PATH=$PATH:/usr/sbin type -P "$tool" > /dev/null || missing+=("$tool")
	done
	((${#missing[@]} == 0)) ||
		die "not found: ${missing[*]} (packages: tests/vm/deps)"
}

# --- what makes a boot ------------------------------------------------------

# boot_setup NAME: which kernel, how much memory, which modules that the init
# loads later, what more of QEMU and on the kernel's command line, what QEMU's
# monitor is told, whether the guest has a /boot, whether it has a network, and
# which instructions to copy by the processor lacks.
boot_setup()
{
	[[ " ${all_boots[*]} ${named_boots[*]} " == *" $1 "* ]] ||
		die "no boot of the name '$1' for $machine"
	kernel_key=cloud
	memory_mib=256
	below_4g_mib=128
	# With 5 level page tables some readers of images find nothing.
	cpu=max,-la57
	monitor=
	later=()
	slots=
	devices=()
	words=()
	kernel_files=
	network=
	net_devices=()
	slow_copies=,-erms,-fsrm
	case $1 in
	main)
		kernel_files=yes
		network=yes
		memory_mib=384
		below_4g_mib=256
		[[ -z $net_avml ]] || later=(virtio_net)
		;;
	sources)
		kernel_key=full
		words=(secretmem.enable=1 memhp_default_state=offline)
		slots=,maxmem=4G,slots=1
		devices=(-object "memory-backend-ram,id=more,size=128M"
			-device "pc-dimm,memdev=more")
		;;
	newer)
		kernel_key=newer
		words=(memhp_default_state=offline)
		later=(virtio_mem virtio_balloon)
		monitor="balloon 240"
		slots=,maxmem=4G
		devices=(-device virtio-balloon-pci
			-object "memory-backend-ram,id=more,size=128M"
			-device "virtio-mem-pci,memdev=more,requested-size=128M")
		;;
	older) kernel_key=older ;;
	la57) cpu=max ;;
	la57_nokaslr)
		cpu=max
		words=(nokaslr)
		;;
	bpf)
		memory_mib=512
		below_4g_mib=256
		# As processors have it, for what it costs to copy.
		slow_copies=
		;;
	bpf_nokaslr)
		kernel_key=newer
		words=(nokaslr kfence.sample_interval=100)
		;;
	picture)
		memory_mib=512
		below_4g_mib=256
		# A terminal on which nobody else writes: the guest's ttyS1.
		devices=(-chardev
			"file,id=terminal,path=$tmp/boots/picture/terminal"
			-device "isa-serial,chardev=terminal,index=1")
		;;
	arm64 | arm64_newer)
		kernel_key=$1
		# All RAM is below 4 GiB: the machine has no gap there.
		below_4g_mib=$memory_mib
		# Later ones sign pointers, which takes an emulator its time.
		cpu=cortex-a72
		;;
	esac
}

# --- the guest --------------------------------------------------------------

make_disk()
{
	local path=$1 mib=$2
	rm -f "$path"
	truncate -s "${mib}M" "$path"
	# Without a journal and reserved blocks the size is known and the
	# writing quick; the disk lives for one boot.
	mke2fs -q -F -t ext4 -O ^has_journal -m 0 "$path"
}

# The guest of boot NAME, until it powers off.
run_guest()
{
	local name=$1 status=0
	local ram="memory-backend-file,id=ram,share=on,mem-path=$tmp/ram"
	ram+=",size=${memory_mib}M"
	make_disk "$tmp/disk" "$disk_mib"
	make_disk "$tmp/small" "$small_disk_mib"
	truncate -s "${memory_mib}M" "$tmp/ram"
	machine_options
	timeout -k 5 "$vm_timeout" "$qemu" \
		-nodefaults -no-user-config -display none -no-reboot \
		-accel tcg,thread=multi -smp 2 "${machine_options[@]}" \
		-object "$ram" \
		-m "${memory_mib}M$slots" "${devices[@]}" "${net_devices[@]}" \
		-drive "file=$tmp/disk,format=raw,if=virtio,cache=unsafe" \
		-drive "file=$tmp/small,format=raw,if=virtio,cache=unsafe" \
		-serial "file:$tmp/console" -monitor stdio \
		-kernel "$kernel/boot/vmlinuz-$release" -initrd "$tmp/initramfs" \
		-append "console=$console panic=-1 quiet vmtest.boot=$name ${words[*]}" \
		<<< "$monitor" > "$tmp/qemu.log" 2>&1 &
	vm_pid=$!
	wait "$vm_pid" || status=$?
	vm_pid=
	return $status
}

# boot NAME: runs boot_NAME of the init; what is left is in $tmp/boots/NAME.
boot()
{
	local name=$1 status=0 began=$SECONDS dir=$tmp/boots/$1
	say "boot $name: $memory_mib MiB, of it $below_4g_mib below 4 GiB"
	mkdir -p "$dir/host"
	if [[ -n $network && -n $net_avml ]]; then
		receivers_start
	fi
	run_guest "$name" || status=$?
	receivers_end "$dir"
	say "boot $name: ended with status $status after $((SECONDS - began)) s"
	tr -d '\r' < "$tmp/console" | sed -n 's/^.*vmtest: /vm: guest: /p'
	if ((status)); then
		cat "$tmp/qemu.log"
	fi
	if [[ -n $network && -z $net_avml ]]; then
		say "boot $name: LEFT OUT, for want of NET_AVML: $net_cases"
		echo "$net_cases" > "$dir/host/left_out"
	fi
	tr -d '\r' < "$tmp/console" > "$dir/console"
	echo "$name" > "$dir/host/boot"
	echo "$((below_4g_mib << 20))" > "$dir/host/below_4g"
	echo "$ram_base" > "$dir/host/ram_base"
	mv "$tmp/ram" "$dir/host/ram"
	mv "$tmp/disk" "$dir/disk"
}

# --- the run ----------------------------------------------------------------

# Nothing of it is judged but that it came to its end: people look at it.
judge_picture()
{
	local what="boot picture: it came to its end"
	if [[ -e $1/guest/complete ]]; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		return 1
	fi
}

# In the background: the results of boot NAME, and what they are worth.
judge()
{
	local dir=$tmp/boots/$1 child
	trap 'kill "$child" 2> /dev/null; exit 143' TERM
	# Also of a guest that was killed: whatever reached the disk.
	debugfs -R "rdump / $dir" "$dir/disk" > "$dir/debugfs.log" 2>&1 &
	child=$!
	wait "$child" || cat "$dir/debugfs.log"
	rm "$dir/disk"
	mkdir -p "$dir/guest"
	mv "$dir"/host/* "$dir/guest"
	receivers_hand_over "$dir"
	if [[ ! -e $dir/guest/complete ]]; then
		say "boot $1: DID NOT COMPLETE"
	fi
	if [[ $1 == picture ]]; then
		judge_picture "$dir"
		return
	fi
	python3 -B "$here/check.py" "$dir" &
	child=$!
	wait "$child"
}

# The judge works while the next guest runs.
judge_start()
{
	judged=$1
	judge "$1" > "$tmp/verdict" 2>&1 &
	judge_pid=$!
}

# Its verdict; the counts of all boots are added up.
judge_end()
{
	local status=0 dir=$tmp/boots/$judged
	[[ -n $judge_pid ]] || return 0
	wait "$judge_pid" || status=$?
	judge_pid=
	say "verdict on boot $judged"
	if ((status)); then
		say "console of the guest:"
		tail -n 60 "$dir/console"
	fi
	cat "$tmp/verdict"
	passed=$((passed + $(grep -c '^ok ' "$tmp/verdict" || true)))
	failed=$((failed + $(grep -c '^not ok ' "$tmp/verdict" || true)))
	# A check that ended without a verdict is a failure too.
	if ((status > 1)) || { ((status)) && ! grep -q '^not ok ' "$tmp/verdict"; }
	then
		failed=$((failed + 1))
	fi
	if [[ -n ${KEEP:-} ]]; then
		mkdir -p "$KEEP"
		cp -r --sparse=always "$dir" "$KEEP/"
	fi
	rm -rf "$dir"
}

# Says so loudly, and fails, unless there is no such release any more.
no_kernel()
{
	local name=$1 status=$2
	if [[ $name == older && $status == 2 ]]; then
		say "SKIPPED boot $name: the server has no release" \
			"${OLDER_SUITE:-bullseye} any more (OLDER_SUITE)"
		return
	fi
	echo "not ok - boot $name: there is a kernel $kernel_key:" \
		"it could not be had, nothing of this boot was tested"
	failed=$((failed + 1))
}

run_boot()
{
	local name=$1 status=0
	boot_setup "$name"
	use_kernel "$kernel_key" || status=$?
	if ((status)); then
		no_kernel "$name" "$status"
		return
	fi
	if ! pack_initramfs; then
		echo "not ok - boot $name: its modules can be had"
		failed=$((failed + 1))
		return
	fi
	boot "$name"
	judge_end
	judge_start "$name"
}

main()
{
	local name
	(($# > 0)) || die "usage: tests/vm/run.sh AVML [BOOT...]"
	avml=$1
	shift
	[[ -x $avml ]] || die "$avml: not a program"
	machine=$(machine_of "$avml") ||
		die "$avml: not a program of a processor that guests have"
	machine_setup "$machine"
	need_tools
	mkdir -p "$kernel_dir"
	kernel_dir=$(cd "$kernel_dir" && pwd)
	tmp=$(mktemp -d)
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	make_root
	for name in "${@:-${all_boots[@]}}"; do
		run_boot "$name"
	done
	judge_end
	say "all boots took $SECONDS s"
	echo "$passed passed, $failed failed"
	((failed == 0 && passed > 0))
}

main "$@"
