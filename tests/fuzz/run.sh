#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzes, one target after the other: run.sh DIR SECONDS TARGET...
#
# DIR is where the targets were built, with libFuzzer. What was found before
# is gone on with: DIR/corpus/TARGET has the new inputs, DIR/found/TARGET those
# that something is wrong with, DIR/log/TARGET all that was said. A target ends
# with its first finding. The status is 1 when there was any.
set -u
cd "$(dirname "$0")/../.." || exit 2

if [ $# -lt 3 ] || ! [ "$2" -gt 0 ]; then
	echo "usage: $0 DIR SECONDS TARGET..." >&2
	exit 2
fi
dir=$1
seconds=$2
shift 2

# Longer inputs are not tried. What is in them repeats itself sooner.
max_len() {
	case $1 in
	record) echo 64 ;;
	options) echo 512 ;;
	iomem | kpageflags) echo 4096 ;;
	framing) echo 70000 ;;
	*) echo 8192 ;;
	esac
}

count() {
	find "$1" -type f | wc -l
}

# The last number behind that word in the log.
said() {
	sed -nE "s/^#[0-9]+.*[[:space:]]$2: ([0-9]+).*/\1/p" "$1" | tail -n 1
}

# Freed memory is not kept out of use for ever: it would fill the caches.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16}
python3 -B tests/fuzz/seeds.py "$dir/seeds" || exit 2

fuzz() {
	local name=$1 log=$dir/log/$1 before begun status runs options=() kept=()
	mkdir -p "$dir/log" "$dir/corpus/$name" "$dir/found/$name"
	if [ -d "tests/fuzz/corpus/$name" ]; then
		kept=("tests/fuzz/corpus/$name")
	fi
	before=$(count "$dir/corpus/$name")
	begun=$SECONDS
	if [ -f "tests/fuzz/dict/$name" ]; then
		options+=("-dict=tests/fuzz/dict/$name")
	fi
	"$dir/tests/fuzz/fuzz-$name" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=2048 -max_len="$(max_len "$name")" \
		-len_control=100 -entropic_scale_per_exec_time=1 \
		-print_final_stats=1 "-artifact_prefix=$dir/found/$name/" \
		"${options[@]}" "$dir/corpus/$name" "${kept[@]}" \
		"$dir/seeds/$name" >"$log" 2>&1
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	summary+=("$(printf '%-10s %10s runs %6d s %6s edges %6s features %5d new' \
		"$name" "${runs:-no}" $((SECONDS - begun)) \
		"$(said "$log" cov)" "$(said "$log" ft)" \
		$(($(count "$dir/corpus/$name") - before)))")
	echo "${summary[-1]}"
	[ $status -eq 0 ] && return
	found=1
	tail -n 40 "$log"
}

found=0
summary=()
for name in "$@"; do
	fuzz "$name"
done
if [ $found -ne 0 ]; then
	printf '%s\n' "${summary[@]}"
	echo "something was found: it is in $dir/found"
fi
exit $found
