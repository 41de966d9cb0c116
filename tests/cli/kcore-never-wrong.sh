#!/bin/bash
# SPDX-License-Identifier: MIT
# What may be read rightly or refused, but never believed: kernels before 4.11
# put 0 in every p_paddr, and a table too long for its place runs on into
# memory's own bytes.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

for lie in paddr-zero phnum-many; do
	make_proc --size 16 --lie "$lie"
	status=0
	avml "${from[@]}" "$T/out" 2>"$T/err" || status=$?
	check_sanitizer
	case $status in
	0)
		expect_image "$T/out" "$T/memory" "$T/iomem"
		rm "$T/out"
		;;
	1)
		expect_error_form
		expect_err kcore
		expect_absent "$T/out"
		;;
	*) fail "$lie: status $status: $(said)" ;;
	esac
done
