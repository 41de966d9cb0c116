#!/bin/bash
# SPDX-License-Identifier: MIT
# A reader that goes away is an error of the write, not a death by SIGPIPE.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 20
set +e
avml "${from[@]}" - 2>"$T/err" | head -c 1000 >"$T/out"
status=("${PIPESTATUS[@]}")
set -e
[ "${status[0]}" = 1 ] || fail "status ${status[0]}"
expect_error_form
expect_err 'Broken pipe|gone away'

# The same whatever is done with SIGPIPE outside, for each kind of run.
lime write "$T/v1" --memory "$T/memory" --iomem "$T/iomem"
broken()
{
	set +e
	avml "$@" 2>"$T/err" | head -c 1000 >"$T/out"
	status=("${PIPESTATUS[@]}")
	set -e
	[ "${status[0]}" = 1 ] || fail "status ${status[0]}: $*"
	expect_error_form
	expect_err 'Broken pipe|gone away'
}
for action in default ignore; do
	before=(env "--$action-signal=PIPE")
	broken "${from[@]}" --compress -
	broken "${from[@]}" --keep-zeros --threads 1 /dev/stdout
	broken convert --format lime_compressed "$T/v1" -
	broken convert --source-format raw "$T/memory" -
	broken convert --format raw "$T/v1" -
done

# A named pipe whose reader goes.
mkfifo "$T/fifo"
for run in acquire convert; do
	words=("${from[@]}")
	[ $run = acquire ] || words=(convert --format raw "$T/v1")
	avml_exec "${words[@]}" "$T/fifo" 2>"$T/err" &
	pid=$!
	head -c 1000 <"$T/fifo" >"$T/out"
	expect_ended 1 "$pid"
	check_sanitizer
	expect_error_form
	expect_err 'Broken pipe|gone away'
	[ -p "$T/fifo" ] || fail "$run: the pipe is gone"
done
