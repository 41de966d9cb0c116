#!/bin/bash
# SPDX-License-Identifier: MIT
# Wrong usage: status 2, one error, nothing written.  (A made-up proc is given
# each time, so that a parser's fault could not reach the machine's own.)
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 4
wrong()
{
	local regex=$1
	shift
	expect_error 2 "$regex" avml "${from[@]}" "$@" >"$T/stdout"
	[ ! -s "$T/stdout" ] || fail "something on stdout: $*"
	expect_absent "$T/out" "$T/out2"
}
wrong FILE
wrong FILE --quiet
wrong FILE ''
wrong 'out2' "$T/out" "$T/out2"
wrong 'out2' "$T/out" --quiet "$T/out2"
wrong 'bogus' --bogus "$T/out"
wrong 'bogus' "$T/out" --bogus
wrong 'bogus' "$T/out" --bogus=1
wrong 'unknown option' -x "$T/out"
wrong 'unknown option' "$T/out" -q
wrong 'unknown option' ---quiet "$T/out"
wrong 'thread' --thread 2 "$T/out" # no abbreviations
wrong 'threads' --threadss 2 "$T/out"
wrong 'quiet' --quiet=yes "$T/out"
wrong 'quiet' --quiet= "$T/out"
for option in source iomem proc dev; do
	wrong "$option" "$T/out" "--$option"
	wrong "$option" "$T/out" "--$option="
done
for option in threads max-disk-usage max-disk-usage-percentage \
	max-unreadable min-free; do
	wrong "$option" "$T/out" "--$option"
	wrong "$option" "--$option=" "$T/out"
	wrong "$option" "--$option" '' "$T/out"
	wrong "$option" "--$option" --quiet "$T/out"
	wrong "$option" "--$option" 5 "--$option" 5 "$T/out"
done
for option in keep-zeros no-sparse no-clobber quiet force; do
	wrong "$option" "--$option" "--$option" "$T/out"
	wrong "$option" "--$option" "$T/out" "--${option/-/_}"
done
wrong 'source' --source kcore "$T/out"
wrong 'proc' --proc "$T/proc" "$T/out"
for bad in 0 65 abc 1x x1 -1 +1 ' 1' '1 ' 1.5 0x2 18446744073709551617; do
	wrong threads --threads "$bad" "$T/out"
	wrong threads "--threads=$bad" "$T/out"
done
