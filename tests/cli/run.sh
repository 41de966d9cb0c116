#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs all scripts here, or those named (`run.sh stdout sparse`), one a
# processor at a time (JOBS), and prints a line each.  From anywhere; the binary
# is ./avml at the repository's top, or AVML=/path/to/avml.  SCRIPTS=DIR names
# another directory of scripts of this kind.

set -u
cd "$(dirname "$0")/../.." || exit 1
export AVML=${AVML:-./avml}
export SCRIPTS=${SCRIPTS:-tests/cli}

# How xargs below calls this script again.
if [ "${1-}" = --one ]; then
	# A script that hangs is ended with all it started.
	said=$(timeout -k 5 "${LIMIT:-120}" "$SCRIPTS/$2.sh" 2>&1)
	status=$?
	[ "$status" != 124 ] || said="took longer than ${LIMIT:-120} s"
	if [ "$status" = 0 ] && [ "${said%% *}" = ok ]; then
		echo "PASS $2${said#ok}"
	else
		echo "FAIL $2: $said"
	fi
	exit 0
fi

if [ ! -x "$AVML" ]; then
	echo "$AVML: no such program (make first, or set AVML)" >&2
	exit 1
fi
if [ $# = 0 ]; then
	set -- "$SCRIPTS"/*.sh
fi
names=()
for script; do
	script=${script##*/}
	script=${script%.sh}
	case $script in
	host | hosts | lib | run | servers) ;;
	*) names+=("$script") ;;
	esac
done

# Where python3 is a wrapper that picks one, it is picked once.
PYTHON=$(python3 -c 'import sys; print(sys.executable)')
export PYTHON

results=$(mktemp)
trap 'rm -f "$results"' EXIT
printf '%s\0' "${names[@]}" |
	xargs -0 -n 1 -P "${JOBS:-$(nproc)}" tests/cli/run.sh --one | tee "$results"
failed=$(grep -c '^FAIL' "$results")
echo "$(grep -c '^PASS' "$results") passed, $failed failed"
# A script that vanished without a line has not passed.
[ "$(grep -c '^PASS' "$results")" = "${#names[@]}" ]
