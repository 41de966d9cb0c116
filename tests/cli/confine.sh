#!/bin/bash
# SPDX-License-Identifier: MIT
# A conversion is confined while it parses: all of its threads, against new
# privileges and against being looked at. A call that it has no use for ends
# it, and leaves what a kill leaves. Where it cannot be confined it runs on.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

if grep -qaE '__(a|t)san_init' "$AVML"; then
	skip_part "what follows: sanitizers need what is forbidden"
	exit 0
fi
if ! grep -q '^Seccomp:' /proc/self/status; then
	skip_part "what follows: no seccomp in this kernel"
	exit 0
fi
make_image --size 48
lime write "$T/v1" --memory "$T/memory" --iomem "$T/iomem" --format v1

# What another process of the user can see of one, and not of this.
looks()
{
	${drop[@]+"${drop[@]}"} cat "/proc/$1/environ" >"$T/environ" 2>&1
}
env ${drop[@]+"${drop[@]}"} sleep 60 9>&- &
other=$!
sleeps()
{
	[ "$(cat "/proc/$other/comm")" = sleep ]
}
wait_until sleeps
visible=
if modes_count && looks $other; then
	visible=1
else
	skip_part "looking at another process"
fi
kill $other
threads()
{
	[ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" = "$1" ]
}
# confined FILTERS THREADS COMMAND...: all threads are, in the middle of an
# image that comes slowly.
confined()
{
	local filters=$1 count=$2 task
	shift 2
	rm -f "$T/fifo"
	mkfifo "$T/fifo"
	avml_exec "$@" >"$T/said" 2>"$T/err" &
	pid=$!
	exec 4>"$T/fifo"
	head -c 30000000 "$T/v1" >&4
	wait_until threads "$count"
	for task in "/proc/$pid/task"/*; do
		grep -q '^Seccomp:[[:space:]]*2$' "$task/status" ||
			fail "$1: no filter"
		grep -q '^NoNewPrivs:[[:space:]]*1$' "$task/status" ||
			fail "$1: privileges"
		! grep -q '^Seccomp_filters:' "$task/status" ||
			grep -q "^Seccomp_filters:[[:space:]]*$filters$" \
				"$task/status" ||
			fail "$1: $(grep '^Seccomp_filters' "$task/status")"
	done
	if [ -n "$visible" ]; then
		! looks $pid || fail "$1: its memory can be looked at"
	fi
	tail -c +30000001 "$T/v1" >&4
	exec 4>&-
	expect_ended 0 $pid
	expect_no_err 'confined'
}
# For the header, and a narrower one for the rest.
confined 2 3 convert --threads 3 --format lime_compressed "$T/fifo" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
confined 1 3 verify --threads 3 "$T/fifo"
grep -q ' 0 faults' "$T/said" || fail "verify: $(cat "$T/said")"
confined 1 3 info --map --threads 3 "$T/fifo"
confined 1 1 info "$T/fifo"

# As if taken over: a call in the place of another.
if [ "$(uname -m)" != x86_64 ]; then
	skip_part "forbidden calls: only on x86-64"
	exit 0
fi
pread=17 getppid=110 unlink=87 ftruncate=77 socket=41 execve=59 ptrace=101 prctl=157 nothing=1000
inject=("${PYTHON:-python3}" -IS "$tests/lib/inject.py")
# injected STATUS CALL N NUMBER [OPTION...]: counted once it is confined.
injected()
{
	local status=$1
	before=("${inject[@]}" "$prctl" "$2" "$3" "$4" --)
	shift 4
	expect_status "$status" avml convert --threads 1 "$@" "$T/v1" "$T/out"
	before=()
}
if ! "${inject[@]}" $execve $execve 1 $execve -- true 2>/dev/null; then
	skip_part "forbidden calls: may not trace"
	exit 0
fi
expect_status 0 avml convert "$T/v1" "$T/want"
# The first look at the image, before there is a destination.
for call in $socket $execve $getppid; do
	rm -f "$T/out"
	injected 159 $pread 1 "$call"
	expect_absent "$T/out"
done
# In the middle of it: the beginning of the image stays.
for call in $socket $ptrace $execve $prctl; do
	rm -f "$T/out"
	injected 159 $pread 120 "$call"
	size=$(stat -c %s "$T/out")
	[ "$size" -gt 20000000 ] || fail "$size bytes"
	head -c "$size" "$T/want" | cmp -s - "$T/out" || fail "not its beginning"
	expect_status 3 avml convert --salvage "$T/out" "$T/rest"
done
# What only looks at an image may do less; what it had to say comes out.
for command in verify info 'info --map --json'; do
	for call in $socket $ptrace $execve $prctl $unlink $ftruncate; do
		before=("${inject[@]}" "$prctl" "$pread" 2 "$call" --)
		# shellcheck disable=SC2086
		expect_status 159 avml $command "$T/v1" >"$T/said"
	done
	# By write or, in musl, by writev.
	before=("${inject[@]}" "$prctl" "1,20" 1 "$socket" --)
	# shellcheck disable=SC2086
	expect_status 159 avml $command "$T/v1" >"$T/said"
	before=()
done
# The call itself in its place: it is not the tracing that ends it.
injected 0 $pread 120 $pread
expect_same "$T/want" "$T/out"

# Where the system refuses, it is said, and the image is the same.
injected 0 $prctl 1 $nothing
expect_err '^note: .* not confined .*: new privileges cannot be ruled out'
expect_same "$T/want" "$T/out"
injected 0 $prctl 1 $nothing --quiet
[ ! -s "$T/err" ] || fail "with --quiet: $(cat "$T/err")"
