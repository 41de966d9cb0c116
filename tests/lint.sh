#!/bin/bash
# SPDX-License-Identifier: MIT
# One tool of static analysis over the C code: tests/lint.sh TOOL
#
#   gcc         its warnings and those of its analyzer
#   clang       its warnings
#   tidy        clang-tidy over src, with .clang-tidy
#   tidy-tests  clang-tidy over tests, bench and contrib, with tests/.clang-tidy
#   cppcheck    over all, with tests/cppcheck.txt
#
# Files and flags come from the Makefile. A process for each processor.
set -euo pipefail
cd "$(dirname "$0")/.."
# Of the make that called; this one has jobs of its own.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

# A build of its own: what has not changed since is not looked at again.
objects() {
	make -s -k -j"$(nproc)" LINTER="$1" CC="$1" BUILD="build/lint/$1" objects
}

flags=()
read_flags() {
	local text
	text=$(make -s --no-print-directory lint-flags)
	# They are quoted for a shell.
	eval "flags=($text)"
}

sources() {
	make -s --no-print-directory lint-sources | tr ' ' '\n' | grep -E "$1"
}

# How far the analyzer goes in one function. It goes first where it has not
# been, so that the last of its usual 225000 nodes are many paths through the
# same lines, and most of the time. What it finds in src with faults sown all
# over is the same from 20000 on.
nodes=(-Xclang -analyzer-config -Xclang max-nodes=40000)

tidy() {
	read_flags
	# Without its counts of what it did not show, whole or torn.
	sources "$1" |
		xargs -P "$(nproc)" -I FILE clang-tidy --quiet FILE -- \
			"${flags[@]}" "${nodes[@]}" 2>&1 |
		sed -E '/^[0-9]*( warnings? (generated|treated).*)?$/d'
}

check() {
	local flag known=()
	read_flags
	for flag in "${flags[@]}"; do
		[[ $flag != -[DI]* ]] || known+=("$flag")
	done
	# Named ones leave out the compiler's own.
	known+=(-D__x86_64__=1 -D__LP64__=1 -D__linux__=1 -D__GLIBC__=2
		-D__GNUC__=12)
	sources . | cppcheck -j"$(nproc)" --quiet --file-list=- --std=c11 \
		--inline-suppr --enable=warning,style,performance,portability \
		--suppressions-list=tests/cppcheck.txt --error-exitcode=1 \
		"${known[@]}"
}

case ${1:-} in
gcc | clang) objects "$1" ;;
tidy) tidy '^src/' ;;
tidy-tests) tidy '^(tests|bench|contrib)/' ;;
cppcheck) check ;;
*)
	sed -n '3,11s/^# \?//p' "$0" >&2
	exit 2
	;;
esac
