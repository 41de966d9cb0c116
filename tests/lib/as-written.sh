# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# For command lines of others, run as they stand.  Nothing in them says that it
# is made-up memory they are to read, so that is put where they look for the
# machine's own.  A file in the place of a device is none for avml, unless it is
# told that these directories are copies: what the lines call avml tells it that,
# and passes on their words.  They are in tests/cli/drop-in.table; with
# `namespace=wanted` before lib.sh,
#
#	prepare_written
#	each_written NEEDS...
#
# runs those that need such a server.  Of the caller are, for a server,
#
#	to_NEEDS	sets what the line may name: URL, SAS_URL, TCP
#	from_NEEDS	puts what arrived there into $T/arrived, or nothing
#
# shellcheck disable=SC2154 # what is not set here is of lib.sh

# Can it be done here?
can_hide()
{
	if [ ${#drop[@]} = 0 ] || ! unshare -m true 2>/dev/null; then
		skip_part "mount namespaces: not allowed"
		return 1
	fi
}

# The memory, which tells by which source it was read; the programs in $T/bin;
# what the lines are given to read.
prepare_written()
{
	local name
	make_sources --size 24 --mark
	mkdir "$T/bin" "$T/given" "$T/work" "$T/proc/self"
	cat >"$T/bin/avml" <<-'WRAPPER'
	#!/bin/bash
	words=()
	case ${1-} in
	convert | upload) exec "$AVML" "$@" ;;
	acquire | stream)
		words=("$1")
		shift
		;;
	esac
	exec "$AVML" "${words[@]}" --proc /proc --dev /dev "$@"
	WRAPPER
	chmod +x "$T/bin/avml"
	cp "$T/bin/avml" "$T/given/avml"
	for name in avml-convert avml-upload; do
		ln -s "$AVML" "$T/bin/$name"
	done
	lime write "$T/given/uncompressed.lime" --memory "$T/memory.kcore" \
		--iomem "$T/iomem"
	lime write "$T/given/compressed.lime" --memory "$T/memory.kcore" \
		--iomem "$T/iomem" --format v2
	lime raw "$T/given/uncompressed.lime" "$T/given/memory.raw"
}

# A shell runs the line, with /proc and /dev made up, and with none of the
# capabilities that the machine's own would want.
as_written()
{
	refuse_unsafe_line "$1"
	(
		cd "$T/work" || exit
		PATH=$T/bin:$PATH
		export AVML PATH URL SAS_URL TCP
		# Leaks are looked for by way of /proc/PID, which is not there.
		export ASAN_OPTIONS=detect_leaks=0:$ASAN_OPTIONS
		exec unshare -m "$BASH" "$tests/lib/hide.sh" "$T" \
			"${drop[@]}" "$BASH" -c "$1" 9>&-
	)
}

# judge_written FILE FORMAT SOURCE: it is the image of what that source gives.
judge_written()
{
	local magic
	case $2 in
	lime) magic=EMiL ;;
	lime_compressed) magic=AVML ;;
	raw)
		expect_same "$1" "$T/given/memory.raw"
		return
		;;
	text)
		[ -s "$1" ] || fail "nothing is said"
		return
		;;
	*) fail "no such format: $2" ;;
	esac
	[ "$(head -c 4 "$1")" = $magic ] || fail "${1##*/} is not $2"
	expect_image "$1" "$T/memory.$3" "$T/iomem"
}

# one_written LINE NEEDS STATUS LEFT ARRIVED FORMAT SOURCE
one_written()
{
	local now
	rm -rf "$T/work" "$T/arrived"
	cp -a "$T/given" "$T/work"
	[ "$2" = - ] || "to_$2"
	expect_status "$3" as_written "$1" >"$T/stdout"
	[ "$2" = - ] || "from_$2"
	now=$(cd "$T/work" && find . -type f -printf '%P\n' | sort | while
		IFS= read -r now
	do
		[ -e "$T/given/$now" ] || echo "$now"
	done)
	[ "${now:--}" = "$4" ] ||
		[ "$4,$now" = stdout, ] || fail "left here: $now, not $4"
	case $4 in
	-) ;;
	stdout) judge_written "$T/stdout" "$6" "$7" ;;
	*) judge_written "$T/work/$4" "$6" "$7" ;;
	esac
	if [ "$5" = - ]; then
		[ ! -e "$T/arrived" ] || fail "something was sent"
		return
	fi
	[ -e "$T/arrived" ] || fail "nothing has arrived"
	judge_written "$T/arrived" "$6" "$7"
	[ "$4" = - ] || expect_same "$T/work/$4" "$T/arrived"
}

# The table's columns are between bars; what is behind # is a comment.
each_written()
{
	local wanted=" $* " count=0 fields
	while IFS='|' read -r -a fields; do
		[[ ${fields[0]-#} != \#* ]] || continue
		[ ${#fields[@]} = 8 ] || fail "columns: ${fields[*]}"
		# Blanks around a column are none of it.
		shopt -s extglob
		fields=("${fields[@]##+([[:blank:]])}")
		fields=("${fields[@]%%+([[:blank:]])}")
		[[ $wanted == *" ${fields[1]} "* ]] || continue
		one_written "${fields[2]}" "${fields[1]}" "${fields[@]:3}"
		count=$((count + 1))
	done <"$tests/cli/drop-in.table"
	[ "$count" -gt 0 ] || fail "no lines of $*"
}
