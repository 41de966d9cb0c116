#!/bin/bash
# SPDX-License-Identifier: MIT
# Nobody reads the messages: the image is made, and no SIGPIPE ends the run.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_sources --size 4
lime write "$T/v1" --memory "$T/memory" --iomem "$T/iomem"
mkfifo "$T/gone"
# A pipe whose reader has gone.
for action in default ignore; do
	before=(env "--$action-signal=PIPE")
	for run in acquire convert sources; do
		case $run in
		acquire) words=("${from[@]}" "$T/out") ;;
		convert) words=(convert --format lime_compressed "$T/v1" "$T/out") ;;
		sources) words=(sources "${from[@]}") ;;
		esac
		exec 6<>"$T/gone"
		exec 5>"$T/gone"
		exec 6<&-
		status=0
		avml "${words[@]}" 2>&5 >"$T/stdout" || status=$?
		exec 5>&-
		[ "$status" = 0 ] || fail "$run: status $status"
		[ $run = sources ] && continue
		expect_image "$T/out" "$T/memory" "$T/iomem"
		rm "$T/out"
	done
	# An error's status is kept, too.
	exec 6<>"$T/gone"
	exec 5>"$T/gone"
	exec 6<&-
	status=0
	avml --proc "$T/none" "$T/out" 2>&5 || status=$?
	exec 5>&-
	[ "$status" = 1 ] || fail "status $status of an error nobody reads"
done
