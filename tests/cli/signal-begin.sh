#!/bin/bash
# SPDX-License-Identifier: MIT
# A signal before the image is begun leaves what there was: a fifo for iomem
# keeps the run waiting until then.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_image --size 4
lime write "$T/v2" 0x1000-0x41000 --format v2
mkfifo "$T/fifo"
for run in acquire convert; do
	echo precious >"$T/old"
	before=(env --default-signal=TERM)
	if [ $run = acquire ]; then
		avml_exec --source "$T/memory" --iomem "$T/fifo" "$T/old" \
			2>"$T/err" &
	else
		avml_exec convert "$T/fifo" "$T/old" 2>"$T/err" &
	fi
	pid=$!
	before=()
	exec 5>"$T/fifo"
	sleep 0.2
	kill -TERM "$pid"
	sleep 0.2
	exec 5>&-
	expect_ended 143 "$pid"
	check_sanitizer
	[ "$(cat "$T/old")" = precious ] || fail "$run: the old file is gone"
done
