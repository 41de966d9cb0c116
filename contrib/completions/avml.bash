# shellcheck shell=bash
# What stands where the cursor is, by the tables above.

# shellcheck disable=SC2154 # the tables give options, kind and words
_avml()
{
	local command=acquire options kind words option='' word glue=''
	local operands=1 at=0 last=-1 end=''
	local -a line=()
	COMPREPLY=()

	# readline cuts at "=" and ":" as well; these are words as avml gets them.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		if [[ $last -ge 0 && ($glue || $word =~ ^[:=]+$) ]]; then
			[[ $word =~ ^[:=]+$ ]] && glue=1 || glue=''
			line[last]+=$word
		else
			line+=("$word")
			((++last))
		fi
	done
	local current=${line[last]-}

	case ${COMP_WORDS[0]##*/} in
	avml-*) command=${COMP_WORDS[0]##*/avml-} ;;
	*)
		if ((last > 0)) && [[ " ${_avml_commands[*]} " == *" ${line[0]} "* ]]
		then
			command=${line[0]}
			at=1
		fi
		;;
	esac
	command=${command#avml-}
	_avml_options "$command"

	# No option is taken twice, and what follows one may be its value.
	for (( ; at < last; at++)); do
		word=${line[at]}
		if [[ $end || $word != -?* ]]; then
			((++operands))
		elif [[ $word == -- ]]; then
			end=1
		else
			options=${options/" ${word%%=*} "/ }
			_avml_value "$command" "$word"
			if [[ $word != *=* && $kind != flag ]]; then
				option=$word
				((++at))
			fi
		fi
	done

	# The loop went past the cursor's word if that is a value.
	if ((at > last)); then
		_avml_value "$command" "$option"
	elif [[ ! $end && $current == --*=* ]]; then
		_avml_value "$command" "${current%%=*}"
		[[ $kind != flag ]] || kind=text
		current=${current#*=}
	elif [[ ! $end && $current == -* ]]; then
		kind=word
		words=$options
	else
		_avml_value "$command" "$operands"
		if ((last == 0)) && [[ ${COMP_WORDS[0]##*/} != avml-* ]]; then
			words+=" ${_avml_commands[*]}"
		fi
	fi

	[[ -z $words ]] ||
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	# What readline does by itself knows of quotes and of "~".
	case ${#COMPREPLY[@]},$kind in
	0,file) compopt -o default ;;
	0,directory) compopt -o dirnames ;;
	esac
}
