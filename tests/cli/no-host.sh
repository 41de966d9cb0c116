#!/bin/bash
# SPDX-License-Identifier: MIT
# A made-up source means that nothing of this machine's own is opened.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

trace_calls openat,open,openat2,bpf || exit 0
strace=("${before[@]}")
# untouched COMMAND...: it opens nothing there, whether it works or not.
untouched()
{
	before=("${strace[@]}")
	"$@" >"$T/stdout" 2>"$T/err" || :
	before=()
	grep -qF "$opened" "$T/trace" || fail "nothing was traced: $*"
	grep -E '"/(proc|dev)/|bpf\(' "$T/trace" |
		grep -vE '"/dev/null"|"/proc/self/' >"$T/host" || :
	[ ! -s "$T/host" ] || fail "$*: $(head -n 1 "$T/host")"
}
acquired()
{
	untouched avml "$@" "$T/out"
	expect_err '^avml: .*bytes of RAM'
}
make_image --size 4
opened=$T/out
acquired "${from[@]}"
# With what lies in made-up directories, all of it or next to nothing.
make_sources --size 4
acquired --proc "$T/proc" --source kcore
acquired --proc "$T/proc"
acquired --proc "$T/proc/"
acquired --proc "$T/proc" --dev "$T/dev"
acquired --proc "$T/proc" --dev "$T/dev" --source crash
acquired --proc "$T/proc" --dev "$T/dev" --source mem
opened=$T/proc/
untouched avml sources --proc "$T/proc"
untouched avml sources --proc "$T/proc" --dev "$T/dev" --json
rm "$T/dev/crash"
opened=$T/out
acquired --proc "$T/proc" --dev "$T/dev"
truncate -s 2M "$T/dev/mem"
rm "$T/proc/kcore"
acquired --proc "$T/proc" --dev "$T/dev"
opened=$T/proc/
untouched avml --proc "$T/proc" "$T/out"
untouched avml sources --proc "$T/proc"
rm "$T/dev/mem"
untouched avml --proc "$T/proc" --dev "$T/dev" "$T/out"
untouched avml --proc "$T/proc" --dev "$T/dev" --source mem "$T/out"
untouched avml --proc "$T/proc" --dev "$T/dev" --source crash "$T/out"
untouched avml sources --proc "$T/proc" --dev "$T/dev"
rm "$T/proc"/*
untouched avml --proc "$T/proc" "$T/out"
untouched avml sources --proc "$T/proc"
opened=$T/none
untouched avml --proc "$T/none" "$T/out"
untouched avml sources --proc "$T/none"
