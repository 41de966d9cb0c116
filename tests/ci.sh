#!/bin/bash
# SPDX-License-Identifier: MIT
# .ci/run is red, and its last line counts a failure, for whatever a suite
# comes to; tests/run.sh for whatever a script does. In the place of make is a
# program that says what suites would.
set -u
cd "$(dirname "$0")/.." || exit 2

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cat >"$T/make" <<'END'
#!/bin/bash
case $1 in
-* | deps-test) exit 0 ;;
esac
[ "$1" = check ] || [ "${AFTER_CHECK-}" != 1 ] || echo "after check"
if [ "$1" = "$SUITE" ]; then
	case $DOES in
	fails) echo "3 passed, 2 failed" && exit 2 ;;
	stops) echo "cc: error" && exit 2 ;;
	# With its row: those behind it never begin.
	vanishes) kill -KILL "$PPID" && exit 0 ;;
	esac
fi
echo "7 passed, 0 failed"
END
chmod +x "$T/make"
# Or it would be all suites that run.
[ "$(PATH=$T:$PATH type -P make)" = "$T/make" ] || {
	echo "programs in $T do not run"
	exit 1
}

unset AFTER_CHECK
bad=0
# try SUITE WHAT-IT-DOES STATUS LAST-LINE
try() {
	local status=0 last
	SUITE=$1 DOES=$2 PATH=$T:$PATH .ci/run >"$T/said" 2>&1 || status=$?
	last=$(tail -n 1 "$T/said")
	if [ "$status" != "$3" ] || ! grep -qx "$4" <<<"$last"; then
		echo "$1 $2: status $status, $last"
		bad=1
	fi
}

try none fails 0 "70 passed, 0 failed"
grep -q "^after check" "$T/said" || bad=1
for suite in check check-vm-arm64 check-lint; do
	try "$suite" fails 1 "66 passed, 2 failed"
	try "$suite" stops 1 "63 passed, 1 failed"
	try "$suite" vanishes 1 ".* passed, [1-9] failed"
done
try check fails 1 "66 passed, 2 failed"
! grep -q "^after check" "$T/said" || bad=1

# A script that vanishes with what would have told of it: of its parents the
# third, behind timeout and a subshell.
mkdir "$T/scripts"
printf '#!/bin/sh\necho ok\n' >"$T/scripts/good.sh"
cat >"$T/scripts/gone.sh" <<'END'
#!/bin/sh
pid=$PPID
for _ in 1 2; do
	pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
done
kill -KILL "$pid"
END
chmod +x "$T"/scripts/*.sh
SCRIPTS=$T/scripts tests/run.sh "cli:$(type -P true)" >"$T/said" 2>&1 && bad=1
if [ "$(tail -n 1 "$T/said")" != "1 passed, 1 failed" ]; then
	echo "a script that vanishes: $(cat "$T/said")"
	bad=1
fi
exit "$bad"
