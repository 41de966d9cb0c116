#!/bin/bash
# SPDX-License-Identifier: MIT
# --help and --version go to stdout, status 0, nothing on stderr.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

for ask in --help -h 'acquire --help'; do
	# shellcheck disable=SC2086
	expect_status 0 avml $ask >"$T/help"
	[ ! -s "$T/err" ] || fail "$ask: something on stderr"
	for word in 'usage: avml' --source --iomem --proc --threads \
		--keep-zeros --no-sparse --no-clobber --quiet --force \
		'--dev DIR' '--root DIR' '--bundle DIR' '--min-free MiB' \
		'--progress WHEN' --digest --digest-file --report \
		crash kcore mem sources convert \
		info verify stream upload '--url URL' '--sas-url URL' \
		'--s3 s3://BUCKET/KEY' --delete '--rate-limit BYTES' \
		'--max-disk-usage MiB' '--max-disk-usage-percentage P' \
		'--max-unreadable P' --help --version FILE; do
		grep -qF -e "$word" "$T/help" || fail "$ask: no $word"
	done
	[ "$(wc -L <"$T/help")" -le 80 ] || fail "$ask: lines over 80 wide"
done
expect_status 0 avml sources --help >"$T/help"
[ ! -s "$T/err" ] || fail "sources: something on stderr"
for word in 'usage: avml sources' --json '--proc DIR' '--dev DIR' \
	'--iomem FILE' --help --version; do
	grep -qF -e "$word" "$T/help" || fail "sources: no $word"
done
[ "$(wc -L <"$T/help")" -le 80 ] || fail "sources: lines over 80 wide"
! grep -qE ' $' "$T/help" || fail "sources: blanks at a line's end"
for command in info verify; do
	expect_status 0 avml $command --help >"$T/help"
	[ ! -s "$T/err" ] || fail "$command: something on stderr"
	words=(--json --map)
	[ $command = info ] || words=(--quiet)
	for word in "usage: avml $command" IMAGE '--threads N' --help \
		--version "${words[@]}"; do
		grep -qF -e "$word" "$T/help" || fail "$command: no $word"
	done
	[ "$(wc -L <"$T/help")" -le 80 ] || fail "$command: lines over 80 wide"
	expect_error 1 . avml $command --help >/dev/full
done
for command in stream upload; do
	expect_status 0 avml $command --help >"$T/help"
	[ ! -s "$T/err" ] || fail "$command: something on stderr"
	for word in "usage: avml $command" 'put|blob|s3' '--url-file ' \
		'--sas-block-size MiB' '--part-urls FILE' '--cacert FILE' \
		'--pin HASH' '--retries N' --help --version; do
		grep -qF -e "$word" "$T/help" || fail "$command: no $word"
	done
	[ "$(wc -L <"$T/help")" -le 80 ] || fail "$command: lines over 80 wide"
done
for ask in --version -V 'acquire --version' 'sources --version' \
	'info -V' 'verify --version'; do
	# shellcheck disable=SC2086
	expect_status 0 avml $ask >"$T/version"
	[ ! -s "$T/err" ] || fail "$ask: something on stderr"
	grep -qxE 'avml [0-9]+\.[0-9]+\.[0-9]+.*' "$T/version" ||
		fail "$ask: $(head -n 1 "$T/version")"
	[ "$(wc -l <"$T/version")" = 1 ] || fail "$ask: more than a line"
done

# Verbose tells the libraries, whatever build this is.
for ask in '--version --verbose' '--verbose -V' 'sources -V --verbose' \
	'convert --verbose --version'; do
	# shellcheck disable=SC2086
	expect_status 0 avml $ask >"$T/verbose"
	[ ! -s "$T/err" ] || fail "$ask: something on stderr"
	head -n 1 "$T/verbose" | cmp - "$T/version" ||
		fail "$ask: $(head -n 1 "$T/verbose")"
	grep -qE '^build: (dynamic|static|static-minimal)$' "$T/verbose" ||
		fail "$ask: no build"
	for word in 'compiler: (gcc|clang) [0-9]+\.' '  cJSON [0-9]+\.' \
		'  snappy' '  (OpenSSL|Mbed TLS) [0-9]+\.'; do
		grep -qE "^$word" "$T/verbose" || fail "$ask: no $word"
	done
	# Of those for networks, static-minimal has none.
	for word in '  (lib)?curl [0-9]+\.' '  expat [0-9]+\.'; do
		if grep -qx 'build: static-minimal' "$T/verbose"; then
			! grep -qE "^$word" "$T/verbose" || fail "$ask: $word"
		else
			grep -qE "^$word" "$T/verbose" || fail "$ask: no $word"
		fi
	done
done

# Among others they win, and nothing is acquired.
make_image --size 4
expect_error 2 'verbose goes with' avml "${from[@]}" --verbose "$T/out"
expect_status 0 avml "${from[@]}" "$T/out" --help >"$T/help"
expect_absent "$T/out"

# What cannot be said is an error.
expect_error 1 . avml --help >/dev/full
expect_error 1 . avml --version >/dev/full
expect_error 1 . avml sources --help >/dev/full
