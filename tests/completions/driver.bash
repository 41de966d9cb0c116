# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# bash driver.bash FILE DIR: answers lines as lib.sh wants them, with what FILE
# completes in DIR.

# shellcheck source=/dev/null
. "$1"
cd "$2" || exit

# What readline would do by itself; keys.py asks that.
compopt()
{
	case $* in
	"-o default") mapfile -t COMPREPLY < <(compgen -f -- "$typed") ;;
	"-o dirnames") mapfile -t COMPREPLY < <(compgen -d -- "$typed") ;;
	*) COMPREPLY=("compopt $*") ;;
	esac
}

while IFS= read -r line; do
	COMP_WORDS=()
	for word in $line; do
		# As readline cuts.
		while [[ $word =~ ^([^=:]*)([=:]+)(.*)$ ]]; do
			[[ -z ${BASH_REMATCH[1]} ]] ||
				COMP_WORDS+=("${BASH_REMATCH[1]}")
			COMP_WORDS+=("${BASH_REMATCH[2]}")
			word=${BASH_REMATCH[3]}
		done
		[[ -z $word ]] || COMP_WORDS+=("$word")
	done
	[[ $line != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	typed=${COMP_WORDS[COMP_CWORD]}
	[[ $typed != *= ]] || typed=''
	# Nothing is completed by a function that nobody would call.
	COMPREPLY=("no function")
	[[ $(complete -p "${COMP_WORDS[0]}") != *'-F _avml '* ]] || _avml
	# shellcheck disable=SC2059 # there is no percent sign
	printf "$line => %s\n" "${COMPREPLY[@]}"
done
