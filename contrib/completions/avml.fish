# What the words before the cursor's mean. Every condition asks, so it is looked
# at once: __avml_command, __avml_place (which operand comes; none while an
# option waits for its value) and __avml_given (options that are not for a
# second time) tell of the words in __avml_line.
function __avml_look
	set -l words (commandline -opc)
	test "$words" != "$__avml_line"
	or return 0
	set -g __avml_line $words
	set -g __avml_given
	set -g __avml_place 1
	set -g __avml_command (string replace -r '^.*/' '' -- $words[1])
	set -e words[1]
	if string match -q 'avml-*' -- $__avml_command
		set __avml_command (string replace avml- '' -- $__avml_command)
	else if set -q words[1]; and contains -- $words[1] (__avml_commands)
		set __avml_command $words[1]
		set -e words[1]
	else
		set __avml_command acquire
	end

	set -l valued (__avml_valued $__avml_command)
	while set -q words[1]
		set -l word $words[1]
		set -e words[1]
		if contains -- -- $__avml_given; or not string match -q -- '-?*' $word
			set __avml_place (math $__avml_place + 1)
		else if contains -- $word $valued
			# Waiting for its value, it is not given yet.
			set -q words[1]
			or return 0
			set -e words[1]
			set -a __avml_given $word
		else
			set -a __avml_given (string replace -r '=.*' '' -- $word)
		end
	end
end

# __avml_wants COMMAND --OPTION|N: may that option, or that operand, come here?
function __avml_wants
	__avml_look
	test "$argv[1]" = "$__avml_command"
	or return
	if string match -q -- '--*' $argv[2]
		not contains -- $argv[2] $__avml_given
		and not contains -- -- $__avml_given
	else
		test "$argv[2]" = "$__avml_place"
	end
end

function __avml_wants_command
	test (count (commandline -opc)) = 1
end

# Of what follows "=" too.
function __avml_directories
	set -l typed (string replace -r '^--[^=]*=' '' -- (commandline -ct))
	__fish_complete_directories $typed
end
