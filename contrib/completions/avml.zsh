# Which command it is, by the program's name or its first word.

_avml()
{
	local command=acquire ret=1 curcontext=$curcontext
	local -a commands
	_avml_list

	if [[ $service == avml-* ]]; then
		command=${service#avml-}
	elif (( CURRENT > 2 && ${commands[(I)$words[2]:*]} )); then
		command=$words[2]
		shift words
		(( CURRENT-- ))
	elif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
		_describe -t commands command commands && ret=0
	fi
	curcontext=${curcontext%:*:*}:avml-$command:
	_avml_$command && ret=0
	return ret
}

_avml "$@"
