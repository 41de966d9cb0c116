# SPDX-License-Identifier: MIT
# zsh driver.zsh FILES DIR: answers lines as lib.sh wants them, with what the
# functions in the directory FILES complete in DIR.
#
# Completion is there in a shell with a line editor alone: one is begun on a
# terminal of its own, and reads the file "inside" below. It asks the completion
# system for each line, and keeps what goes to compadd, which all ends in.

emulate zsh
zmodload zsh/zpty
work=$(mktemp -d)
trap 'zpty -d inner 2>/dev/null; rm -rf $work' EXIT
cat >$work/lines
cat >$work/inside <<'END'
fpath=($files $fpath)
autoload -Uz compinit && compinit -u -D
cd $place

compadd()
{
	local -a hits
	local word plain=1
	for word in $@; do
		[[ $word == (-|--) ]] && break
		# Those that only test or store: -O, -A, -D with an array's name.
		[[ $word == -[a-zA-Z0-9]#[OAD] ]] && plain=
	done
	if [[ -n $plain ]]; then
		builtin compadd -O hits "$@"
		offered+=($hits)
	fi
	builtin compadd "$@"
}

complete_line()
{
	_main_complete
	compstate[insert]= compstate[list]=
}
zle -C complete-line list-choices complete_line

answer()
{
	local line
	local -aU offered
	for line in ${(f)"$(<$work/lines)"}; do
		offered=()
		BUFFER=$line CURSOR=$#line
		zle complete-line
		print -rl -- "$line => "${^${offered[@]:-}}
	done >$work/answers
	BUFFER=
	: >$work/done
}
zle -N answer
bindkey '^X' answer
print ready
END
zpty -b inner "work=${(q)work} files=${(q)1:a} place=${(q)2:a} TERM=dumb \
	zsh -f -i -o extendedglob"
zpty -w inner "source $work/inside"
until zpty -r inner line '*ready*' || (( tries++ > 100 )); do
	sleep 0.1
done
zpty -w -n inner $'\C-X'
until [[ -e $work/done ]] || (( tries++ > 1000 )); do
	# What it says must not fill the terminal.
	zpty -r inner line
	sleep 0.1
done
cat $work/answers
