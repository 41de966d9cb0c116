# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every script here begins with: `. "${0%/*}/lib.sh"`.
#
# A script prints `ok` or the reason it failed, nothing else.  $T is its own
# directory, removed at the end.  $AVML is the binary, default ./avml.
#
# The binary must never get at this machine's own memory, so it is run by
# avml() and avml_exec() alone, which refuse arguments that are not plainly
# made-up ones, and take away the capabilities a real acquisition needs.

set -eu -o pipefail
export LC_ALL=C

# A script that mounts says so with `namespace=wanted` before it reads this
# file, and is begun anew in a mount namespace of its own where there are any.
if [ "${namespace-}" = wanted ] && [ -z "${AVML_TEST_NAMESPACE-}" ]; then
	export AVML_TEST_NAMESPACE=1
	for how in -m -rm; do
		if unshare "$how" true 2>/dev/null; then
			exec unshare "$how" "$BASH" "$0" "$@"
		fi
	done
fi

# Others' files and modes are compared, so the mask must not depend on who runs.
umask 022

tests=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
AVML=${AVML:-./avml}
case $AVML in
/*) ;;
*) AVML=$PWD/$AVML ;;
esac

# A sanitizer's finding must not pass for one of avml's own statuses.
export ASAN_OPTIONS=exitcode=99${ASAN_OPTIONS:+:$ASAN_OPTIONS}
UBSAN_OPTIONS=halt_on_error=1:exitcode=99${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}
export UBSAN_OPTIONS
export TSAN_OPTIONS=exitcode=99${TSAN_OPTIONS:+:$TSAN_OPTIONS}

# What a script prints at its end; its own stdout may be redirected then.
exec 9>&1

T=$(mktemp -d "${TMPDIR:-/tmp}/avml-cli.XXXXXX")
T=$(realpath "$T")
# The noise of tools and of the shell itself, told if it explains a failure.
exec 2>"$T/noise"
made_up=("$T") # directories that made-up sources may be in
mounts=()
# shellcheck disable=SC2034
from=() # the options that name the made-up source
line='?'

finish()
{
	local status=$1 dir noise
	noise=$(tail -n 1 "$T/noise")
	# Whatever a script left running is its own child.
	# shellcheck disable=SC2046
	kill -KILL $(jobs -p) 2>/dev/null || :
	if [ -s "$T/failed" ]; then
		status=1
		head -n 1 "$T/failed" >&9
	elif [ "$status" != 0 ]; then
		echo "line $line: command ended with status $status:" \
			"$noise" >&9
		status=1
	elif [ -s "$T/skipped" ]; then
		echo "ok ($(head -n 1 "$T/skipped"))" >&9
	else
		echo ok >&9
	fi
	if [ -n "${AVML_TEST_KEEP-}" ]; then
		echo "kept $T" >&9
	else
		chmod -R u+rwx "$T"
		for dir in ${mounts[@]+"${mounts[@]}"}; do
			umount "$dir"
		done
		for dir in "${made_up[@]}"; do
			rm -rf "$dir"
		done
	fi
	exit "$status"
}
trap 'line=$LINENO' ERR
trap 'finish $?' EXIT
trap 'exit 1' INT TERM HUP

# fail REASON...: from anywhere, a subshell or a redirected function too.
fail()
{
	# Where it was called, and where that function was.
	printf 'line %s: %s' "${BASH_LINENO[0]}/${BASH_LINENO[1]-}" "$*" |
		tr '\n' ' ' >>"$T/failed"
	exit 1
}

# A part of the script that could not be tried here, and why.
skip_part()
{
	echo "without $*" >>"$T/skipped"
}

# ---- Running the binary ----

# shellcheck source=tests/lib/guard.sh
. "$tests/lib/guard.sh"

# Root loses every capability: no raw memory, no eBPF, and permissions count.
drop=()
if [ "$(id -u)" = 0 ] && setpriv --bounding-set=-all --inh-caps=-all \
	true 2>/dev/null; then
	drop=(setpriv --bounding-set=-all --inh-caps=-all)
fi
# What a script puts in front of the binary (env, strace).
before=()

# Becomes the binary: `avml_exec ... & pid=$!` has its own process number.
avml_exec()
{
	refuse_unsafe "$@"
	# Empty arrays, old bash and set -u do not go together.
	exec ${drop[@]+"${drop[@]}"} ${before[@]+"${before[@]}"} "$AVML" "$@" 9>&-
}

avml()
{
	(avml_exec "$@")
}

# For what might hang: ended with status 124.
timeout_avml()
{
	(
		before=(timeout -k 1 10 ${before[@]+"${before[@]}"})
		avml_exec "$@"
	)
}

# Do permissions stop the binary? (Not root with all its capabilities.)
modes_count()
{
	: >"$T/modes"
	chmod 0 "$T/modes"
	! ${drop[@]+"${drop[@]}"} test -r "$T/modes"
}

# ---- What is expected ----

# The messages of the last run, without the mere notes, on one line.
said()
{
	sed '/^note: /d' "$T/err" | tr '\n' ' ' | cut -c 1-800
}

# expect_status N COMMAND...: its messages go to $T/err.
expect_status()
{
	local want=$1 got=0
	shift
	"$@" 2>"$T/err" || got=$?
	check_sanitizer
	[ "$got" = "$want" ] ||
		fail "status $got, not $want: $*: $(said)"
}

check_sanitizer()
{
	[ ! -s "$T/failed" ] || exit 1
	! grep -qE 'Sanitizer|runtime error:' "$T/err" ||
		fail "sanitizer: $(grep -E 'Sanitizer|runtime error:' "$T/err")"
}

# expect_err REGEX...: each is found in the messages of the last command.
expect_err()
{
	local regex
	for regex; do
		grep -qE -e "$regex" "$T/err" ||
			fail "no /$regex/ in: $(said)"
	done
}

expect_no_err()
{
	local regex
	for regex; do
		! grep -qE -e "$regex" "$T/err" ||
			fail "/$regex/ in: $(said)"
	done
}

# Nothing is noted; that it is not confined says something of the system alone
# (an emulation of another processor has no filters).
expect_no_note()
{
	! grep '^note: ' "$T/err" | grep -qv 'is not confined as it should' ||
		fail "$(grep '^note: ' "$T/err" | tr '\n' ' ')"
}

# expect_unreadable START END REASON: named, whatever else is.
expect_unreadable()
{
	local named
	printf -v named '^warning: 0x%016x-0x%016x could not be read: %s' \
		"$1" "$2" "$3"
	expect_err "$named"
}

# The form of an error: one line, and numbered causes.
expect_error_form()
{
	awk '
		/^error: ./ { errors++; state = 1; next }
		state == 0 { next }
		/^usage: / { next }
		state == 1 && /^caused by:$/ { state = 2; next }
		state == 2 && $0 ~ /^ *[0-9]+: ./ &&
			sprintf("%5u: ", n) == substr($0, 1, 7) { n++; next }
		{ bad = 1 }
		END { exit !(errors == 1 && !bad && (state == 1 || n > 0)) }
	' <"$T/err" 1>&2 || fail "not the form of one error: $(said)"
}

# expect_error N REGEX COMMAND...: fails with status N and one clear error.
expect_error()
{
	local want=$1 regex=$2
	shift 2
	expect_status "$want" "$@"
	expect_error_form
	expect_err "$regex"
}

expect_absent()
{
	local path
	for path; do
		if [ -e "$path" ] || [ -L "$path" ]; then
			fail "left behind: $path, $(stat -c '%s bytes' "$path")"
		fi
	done
}

expect_same()
{
	cmp "$1" "$2" >"$T/cmp" 2>&1 || fail "$(cat "$T/cmp")"
}

# expect_image IMAGE MEMORY IOMEM [OPTION...]: is the image of that memory.
expect_image()
{
	lime cmp "$@" >"$T/cmp" 2>&1 || fail "${1##*/}: $(tail -n 1 "$T/cmp")"
}

# expect_prefix N IMAGE MEMORY IOMEM: whole records, at least N of them.
expect_prefix()
{
	local least=$1
	shift
	expect_image "$@" --prefix
	[ "$(cat "$T/cmp")" -ge "$least" ] ||
		fail "$(cat "$T/cmp") whole records, at least $least expected"
}

# ---- Tools ----

lime()
{
	"${PYTHON:-python3}" -IS "$tests/lib/lime.py" "$@"
}

# lime_ranges IOMEM: what an acquisition reads, a line START-END each.
lime_ranges()
{
	lime ranges "$1"
}

mkimage()
{
	"${PYTHON:-python3}" -IS "$tests/mkimage" "$@"
}

# make_image [OPTION...]: $T/memory, $T/iomem, and the options to use them.
make_image()
{
	mkimage "$@" "$T/memory" "$T/iomem"
	# shellcheck disable=SC2034
	from=(--source "$T/memory" --iomem "$T/iomem")
}

# make_sources [OPTION...]: a made-up /proc and /dev of the same memory.
make_sources()
{
	(cd "$T" && rm -rf proc dev)
	mkimage --proc "$T/proc" --dev "$T/dev" "$@" "$T/memory" "$T/iomem"
	# shellcheck disable=SC2034
	from=(--proc "$T/proc" --dev "$T/dev")
}

# make_proc [OPTION...]: the same, as a made-up /proc.
make_proc()
{
	rm -rf "$T/proc"
	mkimage --proc "$T/proc" "$@" "$T/memory" "$T/iomem"
	# shellcheck disable=SC2034
	from=(--proc "$T/proc" --source kcore)
}

# shellcheck disable=SC2120 # options are for those that want some
# make_host [OPTION...]: a made-up root file system too, of small size.
make_host()
{
	(cd "$T" && rm -rf proc root)
	mkimage --size 8 --proc "$T/proc" --root "$T/root" "$@" "$T/memory" \
		"$T/iomem"
	# shellcheck disable=SC2034
	from=(--proc "$T/proc" --root "$T/root" --source kcore)
}

# small_disk DIR SIZE: a file system of that size, where one can be had.
small_disk()
{
	mkdir -p "$1"
	mount -t tmpfs -o "size=$2,mode=755" none "$1" 2>/dev/null || return 1
	mounts+=("$1")
}

# trace_calls CALLS: strace stands in front of the binary, or status 1.
trace_calls()
{
	if ! strace -o "$T/trace" true 2>/dev/null; then
		skip_part "strace: not here or not allowed"
		return 1
	fi
	# Leaks cannot be looked for while another traces.
	if grep -qaE '__(a|t)san_init' "$AVML"; then
		skip_part "strace: not with sanitizers"
		return 1
	fi
	# shellcheck disable=SC2034
	before=(strace -f -y -s 0 -e "trace=$1" -o "$T/trace")
}

# traced ARGUMENT...: what the trace says, see trace.py.
traced()
{
	"${PYTHON:-python3}" -IS "$tests/lib/trace.py" "$T/trace" "$@"
}

# wait_until COMMAND...: for up to 20 seconds.
wait_until()
{
	local tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 1000 ] || fail "never came: $*"
		sleep 0.02
	done
}

# expect_ended N PID: a background run has ended with status N.
expect_ended()
{
	local got=0
	wait "$2" || got=$?
	[ ! -s "$T/failed" ] || exit 1
	[ "$got" = "$1" ] || fail "status $got, not $1: $(said)"
}

# expect_signalled IMAGE COMMAND [OPTION...]: it ends by the signal, with a
# message, while it waits for more of IMAGE in a pipe.
expect_signalled()
{
	local image=$1 feeder pid
	shift
	rm -f "$T/fifo"
	mkfifo "$T/fifo"
	(
		head -c 300000 "$image"
		exec sleep 60
	) >"$T/fifo" &
	feeder=$!
	before=(env --default-signal=TERM)
	avml_exec "$@" "$T/fifo" >"$T/stdout" 2>"$T/err" &
	pid=$!
	before=()
	sleep 0.3
	kill -TERM "$pid"
	expect_ended 143 "$pid"
	check_sanitizer
	expect_error_form
	kill "$feeder" 2>/dev/null || :
}

# during STATUS CHANGE [OPTION...]: CHANGE is made while an image is on its
# way to $T/stream, which a pipe holds back.
during()
{
	local status=$1 change=$2 pid
	shift 2
	rm -f "$T/fifo"
	mkfifo "$T/fifo"
	avml_exec "${from[@]}" "$@" "$T/fifo" 2>"$T/err" &
	pid=$!
	exec 4<"$T/fifo"
	head -c 1000000 <&4 >"$T/stream"
	$change
	cat <&4 >>"$T/stream"
	exec 4<&-
	expect_ended "$status" "$pid"
	check_sanitizer
}
