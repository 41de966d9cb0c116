#!/bin/bash
# SPDX-License-Identifier: MIT
# Messages never go into the image: a run whose stderr is the same file or pipe
# is refused before a byte of memory is written.
# shellcheck disable=SC2094 # that is what is refused
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"


make_image --size 4
lime write "$T/v2" 0x1000-0x41000 --format v2
# refused COMMAND...: status 1, and nothing but the messages went there.
refused()
{
	local got=0
	"$@" || got=$?
	[ "$got" = 1 ] || fail "status $got, not 1: $*"
	grep -q 'messages go to the same place' "$T/both" ||
		fail "no reason: $(head -c 300 "$T/both")"
	[ "$(stat -c %s "$T/both")" -lt 4096 ] || fail "memory is in it"
	rm "$T/both"
}
for run in acquire convert; do
	words=("${from[@]}")
	[ $run = acquire ] || words=(convert "$T/v2")
	to_file()
	{
		avml "${words[@]}" "$T/both" 2>>"$T/both"
	}
	refused to_file
	to_stdout()
	{
		avml "${words[@]}" - >"$T/both" 2>&1
	}
	refused to_stdout
	to_fd_2()
	{
		avml "${words[@]}" /dev/fd/2 2>"$T/both"
	}
	refused to_fd_2
	ln -s both "$T/link"
	to_link()
	{
		avml "${words[@]}" - >"$T/both" 2>>"$T/link"
	}
	refused to_link
	rm "$T/link"
	to_pipe()
	{
		local got
		{
			got=0
			avml "${words[@]}" - 2>&1 || got=$?
			echo "$got" >"$T/status"
		} | cat >"$T/both"
		return "$(cat "$T/status")"
	}
	refused to_pipe
	# What keeps nothing of either may have both.
	avml "${words[@]}" - >/dev/null 2>&1 || fail "/dev/null is refused"
done
