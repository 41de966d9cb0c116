#!/bin/bash
# SPDX-License-Identifier: MIT
# Memory is not poured onto a terminal.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 4
before=("${PYTHON:-python3}" -c '
import os, sys
master, slave = os.openpty()
os.set_inheritable(master, True)
os.dup2(slave, 1)
os.execvp(sys.argv[1], sys.argv[1:])')
expect_error 1 'terminal' avml "${from[@]}" -
expect_error 1 'terminal' avml "${from[@]}" /dev/stdout
