#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/cross.sh DIR...: runs what is in build directories of other processors
# (build/static-minimal-s390x) by QEMU's emulation of these: the unit tests,
# scripts of acquisitions from files and of conversions, and processors.sh,
# which holds the images against those that this machine's binary writes.
#
# Prints what tests/run.sh prints, and at the end "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2

# Emulation shows in traces, and in what may be denied, so not all scripts do.
scripts=(acquire-file compress-acquire compress-random convert-formats
	convert-oddities convert-words iomem-forms kcore kcore-legacy page-filter
	page-filter-short salvage-damage sources-fallback threads)
passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for dir; do
	arch=${dir##*-}
	order=little
	[ "$arch" != s390x ] || order=big
	# Stands for the binary, called by whatever name.
	mkdir -p "$dir/qemu"
	cat >"$dir/qemu/avml" <<-END
	#!/bin/sh
	exec qemu-$arch-static -0 "\$0" "$(realpath "$dir/avml")" "\$@"
	END
	chmod +x "$dir/qemu/avml"
	echo "## $dir"
	RUNNER=qemu-$arch-static BINARY=$(realpath "$dir/avml") \
		AVML_TEST_BYTE_ORDER=$order tests/run.sh "unit:$dir" \
		"cli:$dir/qemu/avml ${scripts[*]}" \
		"static:$dir/qemu/avml elf libraries processors" 2>&1 |
		tee "$log" | grep -vE '^[0-9]+ passed, '
	if ! read -r good _ bad _ < <(grep -E '^[0-9]+ passed, ' "$log" |
		tail -n 1); then
		echo "not ok $dir: it did not come to its end"
		good=0
		bad=1
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
