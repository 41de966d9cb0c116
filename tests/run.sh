#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs suites and counts: tests/run.sh SUITE...
#
#   includes     include directions and circles
#   docs         man pages linted, and the README's picture
#   ci           .ci/run fails where a suite does
#   lint         compilers' warnings, clang-tidy and cppcheck find nothing
#   vm-selftest  what judges a guest's images finds every fault
#   format       clang-format and shellcheck find nothing
#   threads:DIR  what starts threads, for a build that looks for races
#   unit:DIR     every check_* program below the build directory DIR
#   cli:AVML     every script of tests/cli with that binary; "cli:AVML NAME..."
#                only those
#   completions:AVML  every script of tests/completions: what shells offer is
#                what that binary takes
#   package:AVML  every script of tests/package, over what make check-package
#                made in BUILD
#   fuzz:DIR     every fuzz target of DIR over the inputs of tests/fuzz/corpus
#   static:AVML  every script of tests/static; "static:AVML NAME..." only those
#   net:AVML     every script of tests/net; "net:AVML NAME..." only those
#   fleet:AVML   every script of tests/fleet; "fleet:AVML NAME..." only those
#   faults:DIR   every call of libc made to fail; "faults:DIR --quick": a few
#
# RUNNER in the environment is a command that stands before each check_*
# program and fuzz target: RUNNER=qemu-s390x-static for those of another
# processor.
#
# Prints what fails in full, and at the end "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

count() {
	passed=$((passed + $1))
	failed=$((failed + $2))
}

# One command that is one test.
one() {
	local name=$1
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok $name"
		count 1 0
	else
		echo "not ok $name"
		cat "$log"
		count 0 1
	fi
}

# Test programs by name, one a processor; then what each of them said.
programs() {
	local dir=$1 logs name program
	shift
	logs=$(mktemp -d)
	# shellcheck disable=SC2016 # the inner shell's own
	printf '%s\n' "$@" | xargs -P "$(nproc)" -I NAME sh -c '
		timeout 300 $RUNNER "$1/tests/$2" >"$3/$2" 2>&1
		echo $? >"$3/$2.status"' sh "$dir" NAME "$logs"
	for name in "$@"; do
		program=$dir/tests/$name
		judge "$program" "$logs/$name" "$(cat "$logs/$name.status")"
	done
	rm -rf "$logs"
}

# Check's own line: "100%: Checks: 12, Failures: 0, Errors: 0"
judge() {
	local program=$1 said=$2 status=$3 line checks bad
	line=$(grep -E '^[0-9]+%: Checks: ' "$said" | tail -n 1)
	checks=$(sed -E 's/.*Checks: ([0-9]+),.*/\1/' <<<"$line")
	bad=$(sed -E 's/.*Failures: ([0-9]+), Errors: ([0-9]+).*/\1+\2/' \
		<<<"$line")
	bad=$((${bad:-1}))
	checks=${checks:-1}
	if [ "$status" -ne 0 ] && [ $bad -eq 0 ]; then
		bad=1
	fi
	[ "$checks" -gt 0 ] || bad=1
	if [ $bad -eq 0 ]; then
		echo "ok $program: $checks"
		count "$checks" 0
	else
		echo "not ok $program: status $status"
		cat "$said"
		count $((checks > bad ? checks - bad : 0)) $bad
	fi
}

# Those of a build without network code are without what tests that, as in the
# Makefile; any other program that is not there fails.
unit() {
	local names
	if [ -e "$1/flags" ] && ! grep -q -e -lcurl "$1/flags"; then
		mapfile -t names < <(grep -LE 'include ("(net/|sink/remote)|<avml/upload)' \
			tests/check_*.c | xargs basename -s .c)
	else
		mapfile -t names < <(basename -s .c tests/check_*.c)
	fi
	programs "$1" "${names[@]}"
}

# What can race: the tests that start threads, and a few whole runs.
threads() {
	local names
	mapfile -t names < <(grep -lE 'threads|pipeline' tests/check_*.c |
		xargs basename -s .c)
	programs "$1" "${names[@]}"
	cli "$1/avml" threads kcore stdout signal-file signal-stream \
		source-short convert-signal convert-endless compress-acquire
}

# A target without inputs fails: nothing was tried.
replay() {
	local target name
	for target in tests/fuzz/fuzz_*.c; do
		name=$(basename -s .c "$target")
		name=${name#fuzz_}
		# shellcheck disable=SC2086 # a command and its arguments
		one "$1/tests/fuzz/replay-$name" timeout 120 ${RUNNER-} \
			"$1/tests/fuzz/replay-$name" "tests/fuzz/corpus/$name"
	done
}

# A runner that counts for itself: its closing line is ours.
runner() {
	local line good bad status=0
	"$@" >"$log" 2>&1 || status=$?
	grep -vE '^[0-9]+ passed, ' "$log"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	if [ -z "$line" ]; then
		echo "not ok $*: it did not come to its end"
		count 0 1
		return
	fi
	read -r good _ bad _ <<<"$line"
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
		echo "not ok $*: status $status"
		bad=1
	fi
	count "$good" "$bad"
}

cli() {
	runner env AVML="$(realpath "$1")" tests/cli/run.sh "${@:2}"
}

faults() {
	one "the server of runs" python3 -B tests/fault/selftest.py
	runner python3 -B tests/fault/run.py "${@:2}" "$1"
}

# What ships to a user must render without a complaint.
lint_man() {
	local page bad=0
	for page in man/*.[1-8]; do
		mandoc -Tlint -Wstyle "$page" || bad=1
	done
	return $bad
}

shell_files() {
	git ls-files -co --exclude-standard | while read -r file; do
		if [ -f "$file" ] && head -n 1 "$file" |
			grep -aqE '^(#!/bin/(ba)?sh|# shellcheck shell=)'; then
			echo "$file"
		fi
	done
}

# Few files at a time, so that no processor waits for another's last ones.
# Without any, xargs would run it once, and it fails.
shell_check() {
	printf '%s\0' "$@" | xargs -0 -n 5 -P "$(nproc)" shellcheck -x
}

format() {
	local files
	mapfile -t files < <(git ls-files -co --exclude-standard '*.[ch]')
	if [ ${#files[@]} -eq 0 ]; then
		one "format: outside a git tree there is nothing to check" false
		return
	fi
	one "clang-format" clang-format --dry-run -Werror "${files[@]}"
	mapfile -t files < <(shell_files)
	one "shellcheck" shell_check "${files[@]}"
}

lint() {
	one "gcc -fanalyzer and warnings" tests/lint.sh gcc
	one "clang warnings" tests/lint.sh clang
	one "clang-tidy src" tests/lint.sh tidy
	one "clang-tidy tests" tests/lint.sh tidy-tests
	one "cppcheck" tests/lint.sh cppcheck
}

for suite in "$@"; do
	echo "# $suite"
	case $suite in
	includes) one "include directions" python3 tests/includes.py ;;
	docs)
		one "man pages lint" lint_man
		one "the README's picture" python3 -B tests/picture.py
		;;
	ci) one "what a suite comes to shows in .ci/run" tests/ci.sh ;;
	format) format ;;
	lint) lint ;;
	vm-selftest) one "the judge of check-vm" python3 -B tests/vm/selftest.py ;;
	threads:*) threads "${suite#threads:}" ;;
	unit:*) unit "${suite#unit:}" ;;
	fuzz:*) replay "${suite#fuzz:}" ;;
	static:*)
		read -ra words <<<"${suite#static:}"
		SCRIPTS=tests/static LIMIT=600 cli "${words[@]}"
		;;
	completions:*)
		SCRIPTS=tests/completions cli "${suite#completions:}"
		;;
	package:*)
		read -ra words <<<"${suite#package:}"
		SCRIPTS=tests/package LIMIT=300 cli "${words[@]}"
		;;
	net:*)
		read -ra words <<<"${suite#net:}"
		SCRIPTS=tests/net LIMIT=300 cli "${words[@]}"
		;;
	fleet:*)
		read -ra words <<<"${suite#fleet:}"
		SCRIPTS=tests/fleet LIMIT=300 cli "${words[@]}"
		;;
	faults:*)
		read -ra words <<<"${suite#faults:}"
		faults "${words[@]}"
		;;
	cli:*)
		read -ra words <<<"${suite#cli:}"
		cli "${words[@]}"
		;;
	*)
		echo "unknown suite $suite" >&2
		exit 2
		;;
	esac
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
