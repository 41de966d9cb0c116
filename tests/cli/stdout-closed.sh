#!/bin/bash
# SPDX-License-Identifier: MIT
# A closed stdout as target is an error, not a run into nowhere.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
expect_error 1 '(-|stdout)' avml "${from[@]}" - >&-
# Open for reading alone is no better.
expect_error 1 '(-|stdout)' avml "${from[@]}" - 1<"$T/iomem"
