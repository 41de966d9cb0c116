#!/bin/bash
# SPDX-License-Identifier: MIT
# Every option of a command's --help is in its man page, and the reverse.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

# compare PAGE LEAST [COMMAND...]: what the binary says of itself and of these
# commands is what the page has.
compare()
{
	local page=$tests/../man/$1 command

	[ -e "$page" ] || fail "there is no $1"
	expect_status 0 avml --help >"$T/help"
	for command in "${@:3}"; do
		expect_status 0 avml "$command" --help >>"$T/help"
	done
	grep -oE -e '--[a-z][a-z-]+' "$T/help" | sort -u >"$T/said"
	# Fl in mdoc: `Fl -quiet`, an argument after it or not.
	grep -oE -e '\<Fl (\\)?-[a-z][a-z-]+' "$page" |
		sed -E 's/.*Fl \\?/-/' | sort -u >"$T/written"
	# An option has an entry of its own, it is not merely mentioned.
	grep -oE -e '^\.It .*Fl (\\)?-[a-z][a-z-]+' "$page" |
		sed -E 's/.*Fl \\?/-/' | sort -u >"$T/described"
	[ "$(wc -l <"$T/said")" -ge "$2" ] ||
		fail "--help tells of too few options for $1"
	for file in written described; do
		diff "$T/said" "$T/$file" >"$T/diff" ||
			fail "--help (<) and $1, $file (>):" \
				"$(grep '^[<>]' "$T/diff" | tr '\n' ' ')"
	done
}

# A command that has no page of its own is in that of avml.
if [ -e "$tests/../man/avml-sources.8" ]; then
	compare avml.8 16
	AVML_WAS=$AVML
	ln -s "$AVML" "$T/avml-sources"
	AVML=$T/avml-sources
	compare avml-sources.8 6
	AVML=$AVML_WAS
else
	compare avml.8 17 sources
	grep -qE '^\.(Nm|Ic|Cm|Ar).* sources|^\.(Ic|Cm) sources' \
		"$tests/../man/avml.8" || fail "avml.8 has no sources"
fi
# A link of this name is the command, and needs no source to answer.
program=$AVML
while read -r command least; do
	AVML=$T/avml-$command
	ln -s "$program" "$AVML"
	page=avml-$command.1
	[ -e "$tests/../man/$page" ] || page=avml-$command.8
	compare "$page" "$least"
done <<'END'
convert 12
info 6
stream 30
upload 20
verify 5
END
