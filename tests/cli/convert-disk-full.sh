#!/bin/bash
# SPDX-License-Identifier: MIT
# A disk that fills up in mid-conversion: whole records are left.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


lime batch <<END
write $T/v2 --format v2 --how stored 0x1000000+6M:fill=text 0x2000000+6M:fill=text 0x3000000+6M:fill=text
END
expect_status 0 avml convert "$T/v2" "$T/v1"
if ! small_disk "$T/disk" 16m; then
	skip_part "a small disk: may not mount"
	exit 0
fi
expect_error 1 "$T/disk/out" avml convert "$T/v2" "$T/disk/out"
expect_err 'No space left' 'cut back to its 2 whole records'
head -c $((2 * (6291456 + 32))) "$T/v1" >"$T/want"
expect_same "$T/want" "$T/disk/out"
expect_error 1 'No space left' avml convert --format raw "$T/v2" "$T/disk/out"
expect_error 1 'No space left' avml convert "$T/v2" - >"$T/disk/stream"
