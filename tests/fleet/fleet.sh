#!/bin/bash
# SPDX-License-Identifier: MIT
# Three hosts at a time, one of them with a disk that is too small, and a
# fourth that does not answer.
# shellcheck source=tests/fleet/hosts.sh
. "${0%/*}/hosts.sh"

start_host good
start_host sudo
start_host full 20M
# Nobody has this address.
echo 'gone ansible_host=192.0.2.99' >>"$T/hosts"
sed -i 's/^sudo .*/& ansible_user=responder/' "$T/hosts"

# In check mode nothing changes, here or there.
expect_play 0 --check
expect_absent "$results"
for host in good sudo full; do
	expect_clean "$host"
done
grep -q "would push $AVML to /mnt/disk, .*fetch .*case-1/good.avml" \
	"$T/played" || fail "not said what would be done"
expect_recap good changed=1 failed=0

expect_play 2
expect_lines 4
expect_fetched good
expect_fetched sudo
expect_line full status=failed image=null sha256=null bytes=null left=null \
	'error~[0-9]+ KiB are free in /mnt/disk, and the image may need'
expect_line gone status=unreachable image=null 'error~.'
expect_clean good sudo full
expect_recap good failed=0 unreachable=0
expect_recap full failed=1

# What is done is not done again, the others are tried. This time avml itself
# meets the full disk: what it kept comes here, and is no success.
cp "$results/case-1/good.avml" "$T/before"
given full avml_space_percent 0
expect_play 2 -e avml_parallel=1
expect_lines 6
expect_recap good changed=0 failed=0
expect_recap sudo changed=0 failed=0
expect_same "$T/before" "$results/case-1/good.avml"
image=$results/case-1/full.avml
expect_line full status=failed 'error~cut back' left=null "image=$image" \
	"sha256=$(sum "$image")" "bytes=$(stat -c %s "$image")"
expect_prefix 1 "$image" "$fleet/full/memory" "$fleet/full/iomem"
expect_clean full
expect_play 0 --check --limit good,sudo
expect_recap good changed=0
