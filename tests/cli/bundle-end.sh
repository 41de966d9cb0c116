#!/bin/bash
# SPDX-License-Identifier: MIT
# --bundle where the image fails, the disk gets full, or a signal comes.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# An image that fails, or is not whole, has its bundle all the same.
make_host
ln -s nowhere "$T/link"
expect_error 1 'symbolic link' avml "${from[@]}" --bundle "$T/refused" "$T/link"
expect_same "$T/proc/kallsyms" "$T/refused/kallsyms"
make_host --lie missing-range
expect_status 3 avml "${from[@]}" --max-unreadable 100 --bundle "$T/partial" \
	"$T/out"
expect_same "$T/proc/kallsyms" "$T/partial/kallsyms"

# A full disk: what is there is whole, and the image is none the worse.
make_host
if small_disk "$T/disk" 200k; then
	expect_status 0 avml "${from[@]}" --bundle "$T/disk/dir" "$T/out"
	expect_image "$T/out" "$T/memory" "$T/iomem"
	expect_err '^warning: bundle: kallsyms: .*No space left' \
		'^note: bundle: iomem: '
	expect_absent "$T/disk/dir/kallsyms" "$T/disk/dir/vmlinuz"
	expect_same "$T/proc/iomem" "$T/disk/dir/iomem"
	expect_same "$T/root/etc/os-release" "$T/disk/dir/os-release"
else
	skip_part "a small disk: may not mount"
fi

# The limit to the size of files is an error of one too, not a signal.
limited()
{
	(
		ulimit -f 100 # KiB
		avml_exec "$@"
	)
}
expect_status 0 limited "${from[@]}" --bundle "$T/limited" /dev/null
expect_err '^warning: bundle: vmlinuz: .*File too large'
expect_absent "$T/limited/vmlinuz"
expect_same "$T/proc/version" "$T/limited/version"

# ended_by_signal CONDITION...: once that holds, TERM ends the run.
ended_by_signal()
{
	wait_until "$@"
	kill -TERM "$pid"
	expect_ended 143 "$pid"
	check_sanitizer
	expect_error_form
}

# While the image is under way there is no bundle, and its directory goes.
make_host
mkfifo "$T/fifo"
before=(env --default-signal=TERM)
: >"$T/err"
avml_exec "${from[@]}" --bundle "$T/early" "$T/fifo" 2>"$T/err" &
pid=$!
ended_by_signal test -s "$T/err"
expect_absent "$T/early"
expect_no_err 'bundle: '

# While it is collected: what is there is whole, and the image is done.
truncate -s 900M "$T/root/boot/vmlinuz-6.1.0-test"
avml_exec "${from[@]}" --bundle "$T/late" "$T/out" 2>"$T/err" &
pid=$!
ended_by_signal test -e "$T/late/vmlinuz"
expect_err '^error: the image is done, but not the bundle in .*/late$'
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_absent "$T/late/vmlinuz"
expect_same "$T/proc/kallsyms" "$T/late/kallsyms"
