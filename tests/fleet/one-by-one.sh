#!/bin/bash
# SPDX-License-Identifier: MIT
# In batches of one: those that fail, each the whole of its batch, come first,
# and the last host is acquired all the same. What a host says is not taken for
# a template.
# shellcheck source=tests/fleet/hosts.sh
. "${0%/*}/hosts.sh"

# Nobody has this address; one has no source of memory, one another binary,
# which speaks ansible's language, and one a binary that never ends.
echo 'gone ansible_host=192.0.2.99' >>"$T/hosts"
start_host sourceless
start_host liar
start_host slow
start_host good
mkdir "$fleet/sourceless/empty"
cp "$fleet/sourceless/iomem" "$fleet/sourceless/empty"
given sourceless avml_sources_args "[--proc, $fleet/sourceless/empty]"
cat >"$T/liar" <<'LIAR'
#!/bin/sh
echo 'error: {{ 6 * 7 }} {{ lookup("pipe", "id") }}' >&2
exit 1
LIAR
chmod +x "$T/liar"
given liar avml_binary "$T/liar"
cat >"$T/slow" <<'SLOW'
#!/bin/sh
[ "$1" = sources ] || exec sleep 1000
echo '{"iomem": {"bytes": 1048576}}'
SLOW
given slow avml_binary "$T/slow"
given slow avml_timeout 1

expect_play 2 -e avml_serial=1 -e avml_strategy=linear
[ "$(grep -c '^PLAY \[Acquire\]' "$T/played")" = 5 ] || fail "not by one"
[ "$("$python" -c 'import json, sys
print(*(json.loads(line)["host"] for line in sys.stdin))' \
	<"$results/case-1/results.jsonl")" = "gone sourceless liar slow good" ] ||
	fail "not in order: $(cat "$results/case-1/results.jsonl")"
expect_line gone status=unreachable
expect_line sourceless status=failed 'error~no source.*kcore'
expect_line liar status=failed 'error~\{\{ 6 \* 7 \}\} \{\{ lookup'
expect_line slow status=failed image=null 'error=avml ended with status 124'
expect_fetched good
expect_clean sourceless liar slow good
for host in gone sourceless liar slow; do
	expect_recap "$host" failed=1
done
expect_recap good failed=0

# A binary that is not the one that was meant goes to no host.
expect_play 2 --limit sourceless -e avml_binary_sha256=0123
expect_line sourceless status=failed 'error~not the binary'
# And without a case nothing is done at all.
on good cat /mnt/commands >"$T/before"
expect_play 2 -e avml_case=../x
expect_play 2 -e avml_case=
on good cat /mnt/commands >"$T/after"
expect_same "$T/before" "$T/after"
expect_lines 6
