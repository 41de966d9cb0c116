#!/bin/bash
# SPDX-License-Identifier: MIT
# A file that others have by another name, own or wait in front of does not
# get the memory; a device is judged before it is opened.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_image --size 4
lime write "$T/v2" 0x1000-0x41000 --format v2
# A second name: it keeps what it had.
for run in acquire convert; do
	words=("${from[@]}")
	[ $run = acquire ] || words=(convert "$T/v2")
	echo precious >"$T/out"
	ln "$T/out" "$T/second"
	expect_status 0 avml "${words[@]}" "$T/out"
	[ "$(cat "$T/second")" = precious ] || fail "$run: the other name has it"
	[ "$(stat -c '%h %a' "$T/out")" = '1 600' ] || fail "$run: links, mode"
	rm "$T/out" "$T/second"
done
expect_status 0 avml "${from[@]}" "$T/want"

# Another's file, which another still has open.
if [ "$(id -u)" = 0 ]; then
	echo precious >"$T/out"
	chown 65534 "$T/out"
	exec 5<"$T/out"
	expect_status 0 avml "${from[@]}" "$T/out"
	[ "$(cat <&5)" = precious ] || fail "the open descriptor has it"
	exec 5<&-
	[ "$(stat -c '%u %a' "$T/out")" = "0 600" ] || fail "owner or mode"
	expect_same "$T/want" "$T/out"
	rm "$T/out"
else
	skip_part "a file of another: not root"
fi

# A device that is no good place is not even opened.
if ! mknod "$T/device" c 10 183 2>/dev/null; then
	skip_part "devices: may not be made"
	exit 0
fi
if ! strace -o "$T/trace" true 2>/dev/null; then
	skip_part "strace: not there"
	exit 0
fi
trace=(strace -f -e "trace=open,openat,openat2" -o "$T/trace")
for run in acquire convert; do
	words=("${from[@]}")
	# A leak cannot be looked for while another traces.
	before=(env "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0")
	if [ $run = acquire ]; then
		before+=("${trace[@]}")
	else
		words=(convert "$T/v2")
		# Names in what is confined can be read by capabilities alone.
		drop=("${trace[@]}" ${drop[@]+"${drop[@]}"})
	fi
	expect_error 1 "$T/device is a device" avml "${words[@]}" "$T/device"
	before=()
	grep -q "$T/device" "$T/trace" || fail "$run: the device is not looked at"
	! grep -v 'O_EXCL' "$T/trace" | grep "$T/device" >"$T/found" ||
		fail "$run: opened: $(cat "$T/found")"
done
