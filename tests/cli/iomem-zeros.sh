#!/bin/bash
# SPDX-License-Identifier: MIT
# Zeros are what the unprivileged see: then root is what is missing, and that
# is said.  A kcore that can be read all the same tells its own ranges.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 4
sed 's/[0-9a-f]*-[0-9a-f]* :/00000000-00000000 :/' "$T/iomem" >"$T/proc/iomem"
expect_status 0 avml "${from[@]}" "$T/out"
expect_err "^warning: $T/proc/iomem .*(root|CAP_SYS_ADMIN)"
expect_image "$T/out" "$T/memory" "$T/iomem"
rm "$T/out"
expect_error 1 'root|CAP_SYS_ADMIN' avml --source "$T/memory" \
	--iomem "$T/proc/iomem" "$T/out"
expect_absent "$T/out"
