# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every script here begins with: `. "${0%/*}/lib.sh"`.
#
# What a shell is to complete is found out from the binary: by --help, and by
# what it says of a value that is none. Each script has its shell answer the
# command lines of $T/asked, in the directory $T/place, by the lines of
# $T/wanted, in any order: a command line, " => ", and one word of what is
# offered there, or nothing.

# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

# Where they were made with this binary.
completions=${AVML%/*}/completions
[ -d "$completions" ] || completions=${AVML%/*}/build/completions

mkdir -p "$T/place/below"
: >"$T/place/plain.lime"
files=(below plain.lime)

# ask LINE WORD...: in its place, these are offered.
ask()
{
	local line=$1
	shift
	printf '%s\n' "$line" >>"$T/asked"
	# shellcheck disable=SC2059 # there is no percent sign
	printf "$line => %s\n" "${@:-}" >>"$T/wanted"
}

# ask_without LINE WORD WORD...: the same but for the first word.
ask_without()
{
	local line=$1 without=$2 word
	local -a words=()
	shift 2
	for word; do
		[ "$word" = "$without" ] || words+=("$word")
	done
	ask "$line" ${words[@]+"${words[@]}"}
}

# words_of COMMAND OPTION NAME: those that it takes, if it knows any. No operand
# is there, so nothing is done.
words_of()
{
	local safe=()
	case $3 in
	SOURCE)
		printf '%s\n' "${sources[@]}"
		return
		;;
	FILE | PATH | DIR | URL | *://*) return ;;
	esac
	case $1 in
	acquire | stream) safe=("${from[@]}") ;;
	esac
	expect_status 2 avml "$1" ${safe[@]+"${safe[@]}"} "$2=?"
	sed -nE 's/^error: .* is none of ([a-z0-9_|]+)$/\1/p' "$T/err" |
		tr '|' '\n'
}

# What is offered for an argument of that name.
values=()
values_of()
{
	case $1 in
	DIR) values=(below) ;;
	FILE | PATH | IMAGE | SOURCE | DESTINATION) values=("${files[@]}") ;;
	*"|"*) mapfile -t values < <(tr '|' '\n' <<<"$1") ;;
	*) values=() ;;
	esac
}

# ask_command PROGRAM-LINE COMMAND: everything of one command.
ask_command()
{
	local line=$1 command=$2 option name operand before odd='' at
	local -a options operands words given=('' '') left

	expect_status 0 avml "$command" --help >"$T/help"
	mapfile -t options < <(sed -nE 's/^  (--[a-z0-9-]+).*/\1/p' "$T/help")
	read -ra operands < <(sed -nE \
		"s/^usage: avml $command \[OPTIONS\] ?//p" "$T/help")
	ask "$line --" "${options[@]}"
	while read -r option name; do
		# Half of them have been given, in either form.
		at=${odd:-0}
		[ -n "$odd" ] && odd='' || odd=1
		if [ -z "$name" ]; then
			given[at]+=" $option"
			continue
		fi
		given[at]+=" $option"
		[ "$at" = 0 ] && given[at]+=' 1' || given[at]+='=1'
		values_of "$name"
		mapfile -t words < <(words_of "$command" "$option" "$name")
		if [ "$name" = SOURCE ] && [ "$shell" = bash ]; then
			values=()
		fi
		values+=(${words[@]+"${words[@]}"})
		ask "$line $option " ${values[@]+"${values[@]}"}
		ask "$line $option=" ${values[@]+"${values[@]}"}
	done < <(sed -nE 's/^  (--[a-z0-9-]+)( ([^ ]+) .*| .*)/\1 \3/p' \
		"$T/help")
	for at in 0 1; do
		left=()
		for option in "${options[@]}"; do
			[[ "${given[at]} " == *" $option"[=\ ]* ]] ||
				left+=("$option")
		done
		ask "$line${given[at]} --" "${left[@]}"
	done
	# Operands in turn, options before them or not; and nothing behind.
	before=$line
	for operand in ${operands[@]+"${operands[@]}"} ''; do
		name=${operand#[}
		values_of "${name%]}"
		# Where no operand is left, zsh has options without a dash.
		if [ "$shell" = zsh ] && [ -z "$operand" ]; then
			values=("${options[@]}")
		fi
		if [ "$before" != avml ]; then
			ask "$before " ${values[@]+"${values[@]}"}
			ask_without "$before --version " --version \
				${values[@]+"${values[@]}"}
		fi
		# zsh 5.9 takes a "--" behind an operand for another one.
		if [ "$before" = "$line" ] || [ "$shell" != zsh ]; then
			values_of "${name%]}"
			[ "$before" = avml ] || ask "$before -- " \
				${values[@]+"${values[@]}"}
			ask "$before -- --"
		fi
		before="$before x"
	done
}

make_sources --size 8
mapfile -t sources < <(avml sources --proc "$T/proc" --dev "$T/dev" --json |
	sed -nE 's/.*"name":[[:space:]]*"([a-z]+)".*/\1/p')
from=(--source "$T/memory" --iomem "$T/iomem")
# Of copies it is not asked.
sources+=(bpf)
[ "${#sources[@]}" -ge 4 ] || fail "sources: ${sources[*]}"

expect_status 0 avml --help >"$T/help"
mapfile -t commands < <(sed -nE '1,/^other commands/!s/^  ([a-z]+) .*/\1/p' \
	"$T/help")
commands+=(acquire)
[ "${#commands[@]}" -ge 7 ] || fail "commands: ${commands[*]}"
shell=${0##*/}
shell=${shell%.sh}
# The first word is a command or a file. In bash a file is what is no command.
if [ "$shell" = bash ]; then
	ask "avml " "${commands[@]}"
	ask "avml pl" plain.lime
else
	ask "avml " "${commands[@]}" "${files[@]}"
fi
ask "avml conv" convert
ask_command avml acquire
for command in "${commands[@]}"; do
	ask_command "avml $command" "$command"
done
ask_command avml-convert convert
ask_command avml-upload upload
[ "$(wc -l <"$T/asked")" -ge 350 ] || fail "only $(wc -l <"$T/asked") lines"

# expect_offers: $T/offered is what is wanted.
expect_offers()
{
	local file
	for file in wanted offered; do
		sort -u "$T/$file" >"$T/$file.sorted"
	done
	diff "$T/wanted.sorted" "$T/offered.sorted" >"$T/diff" ||
		fail "wanted (<) and offered (>) are not the same in" \
			"$(grep -c '^[<>]' "$T/diff") lines:" \
			"$(grep '^[<>]' "$T/diff" | head -n 6)"
}
