#!/bin/bash
# SPDX-License-Identifier: MIT
# What bash completes is what avml takes.
# shellcheck source=tests/completions/lib.sh
. "${0%/*}/lib.sh"

bash --norc --noprofile "${0%/*}/driver.bash" "$completions/avml.bash" \
	"$T/place" <"$T/asked" >"$T/offered" || fail "$(tail -n 1 "$T/noise")"
expect_offers

# By the key itself, where names want quotes, and words are cut.
mkdir -p "$T/home/a place"
: >"$T/home/a file.lime"
: >"$T/home/other"
"${PYTHON:-python3}" -ISB "${0%/*}/keys.py" "$completions/avml.bash" \
	"$T/home" <<'END' || fail "$(tail -n 1 "$T/noise")"
avml inf\ta\ f\t => <info><a file.lime>
avml info "a f\t => <info><a file.lime>
avml info ~/a\ f\t => <info><~/a file.lime>
avml-convert --so\tra\t o\t --form\traw\t x => <--source-format><raw><other><--format><raw><x>
avml convert --format=ra\t => <convert><--format=raw>
avml convert --format=lime_\t => <convert><--format=lime_compressed>
avml --source kc\t => <--source><kcore>
avml --bundle a\t --quiet => <--bundle><a place/><--quiet>
avml --bundle o\t => <--bundle><o>
avml upload s\to\ts3://bucket/o\t => <upload><s3><other><s3://bucket/o>
END
