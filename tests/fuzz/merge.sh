#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the kept corpus of each target anew: merge.sh DIR TARGET...
#
# Out of what is kept, the seeds and all that was found in DIR/corpus it takes
# few and small inputs that reach the same code as all of them.
set -u
cd "$(dirname "$0")/../.." || exit 2

# What a corpus in the tree may be: files, and bytes in all.
FILES=300
BYTES=$((300 << 10))

if [ $# -lt 2 ]; then
	echo "usage: $0 DIR TARGET..." >&2
	exit 2
fi
dir=$1
shift
python3 -B tests/fuzz/seeds.py "$dir/seeds" || exit 2

# The shortest first, as long as there is room.
keep() {
	local from=$1 to=$2 files=0 bytes=0 size file
	while read -r size file; do
		files=$((files + 1))
		bytes=$((bytes + size))
		if [ $files -gt $FILES ] || [ $bytes -gt $BYTES ]; then
			continue
		fi
		cp "$from/$file" "$to/$file" || exit 2
	done < <(find "$from" -type f -printf '%s %f\n' | sort -n)
	echo "$files inputs of $bytes bytes, kept $(find "$to" -type f | wc -l)"
}

for name in "$@"; do
	kept=tests/fuzz/corpus/$name
	merged=$dir/merged/$name
	rm -rf "$merged" "$merged.kept"
	mkdir -p "$merged" "$merged.kept" "$kept" "$dir/corpus/$name"
	if ! "$dir/tests/fuzz/fuzz-$name" -set_cover_merge=1 -timeout=10 \
		-max_len=100000 "$merged" "$kept" "$dir/seeds/$name" \
		"$dir/corpus/$name" >"$dir/merged/$name.log" 2>&1; then
		tail -n 20 "$dir/merged/$name.log"
		exit 1
	fi
	printf '%-10s ' "$name"
	keep "$merged" "$merged.kept"
	rm -rf "$kept"
	mv "$merged.kept" "$kept"
done
