#!/bin/bash
# SPDX-License-Identifier: MIT
# Command lines written for AVML run as they stand; tests/net/drop-in.sh has
# those for which there has to be a server.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/lib/as-written.sh
. "$tests/lib/as-written.sh"

if can_hide; then
	prepare_written
	each_written -
fi
