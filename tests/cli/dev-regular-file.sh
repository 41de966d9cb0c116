#!/bin/bash
# SPDX-License-Identifier: MIT
# In a DIR named with --dev, a file stands for a device: its offsets are
# physical addresses.  What cannot be that is refused.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_sources --size 4 --mark
lime batch <<END
write $T/v1 0x0-0x40000
write $T/v2 0x0-0x40000 --format v2
END
for name in crash mem; do
	expect_status 0 avml "${from[@]}" --source $name "$T/out"
	expect_image "$T/out" "$T/memory.$name" "$T/iomem"
	expect_status 0 avml "${from[@]}" "--source=$name" --compress "$T/out"
	expect_image "$T/out" "$T/memory.$name" "$T/iomem"
	cp "$T/dev/$name" "$T/$name.good"
	for bad in v1 v2 proc/kcore iomem; do
		rm -f "$T/dev/$name"
		cp "$T/$bad" "$T/dev/$name"
		expect_error 1 "$T/dev/$name" avml "${from[@]}" \
			--source $name "$T/new"
		expect_absent "$T/new"
	done
	rm "$T/dev/$name"
	mkfifo "$T/dev/$name"
	expect_error 1 "$T/dev/$name" timeout_avml "${from[@]}" \
		--source $name "$T/new"
	rm "$T/dev/$name"
	mkdir "$T/dev/$name"
	expect_error 1 "$T/dev/$name" avml "${from[@]}" --source $name "$T/new"
	expect_absent "$T/new"
	rmdir "$T/dev/$name"
	# A link to a copy is a copy.
	ln -s "$T/$name.good" "$T/dev/$name"
	expect_status 0 avml "${from[@]}" --source $name "$T/out"
	expect_image "$T/out" "$T/memory.$name" "$T/iomem"
	if mknod "$T/zero" c 1 5 2>/dev/null; then
		# A device that gives zeros for all of memory has none.
		rm "$T/dev/$name"
		mv "$T/zero" "$T/dev/$name"
		expect_error 1 'zero' avml "${from[@]}" --source $name "$T/new"
		expect_absent "$T/new"
		rm "$T/dev/$name"
		mknod "$T/dev/$name" c 1 3
		expect_error 1 "$T/dev/$name" avml "${from[@]}" \
			--source $name "$T/new"
		expect_absent "$T/new"
	else
		skip_part "devices: may not be made"
	fi
done
