#!/bin/bash
# SPDX-License-Identifier: MIT
# --report: what was done, a JSON object a line, in every end of a run.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

if ! "${PYTHON:-python3}" -I -c 'import jsonschema' 2>/dev/null; then
	[ -z "${CI-}" ] || fail "python3-jsonschema is missing (make deps-test)"
	skip_part "python3-jsonschema"
	exit 0
fi

# reported [OPTION...]: $T/report is right, see report.py.
reported()
{
	"${PYTHON:-python3}" -I -B "$tests/lib/report.py" check "$T/report" \
		"$@" >"$T/wrong" 2>&1 ||
		fail "report: $* $(tail -n 1 "$T/wrong"), of: $(said)"
	[ "$(stat -c %a "$T/report")" = 600 ] || fail "the report's mode"
}
with=(--report "$T/report")

make_image --size 48
for options in '' --compress '--threads 1' '--keep-zeros --no-sparse --digest' \
	'--compress --threads 3 --digest --quiet'; do
	# shellcheck disable=SC2086
	expect_status 0 avml "${from[@]}" "${with[@]}" $options "$T/out"
	reported --image "$T/out" --status 0 --count record=1+ \
		--count range=1+ --is source="$T/memory" --is image="$T/out"
done
# What it is told may not be printed, and is in the report.
expect_status 0 avml "${from[@]}" "${with[@]}" --quiet "$T/out"
[ ! -s "$T/err" ] || fail "--quiet says $(said)"
# To a stream.
expect_status 0 avml "${from[@]}" "${with[@]}" --digest - >"$T/stream"
reported --image "$T/stream" --status 0 --is image=-
# As a stream.
expect_status 0 avml "${from[@]}" --report - "$T/out" >"$T/report"
chmod 600 "$T/report"
reported --image "$T/out" --status 0

# Refused: by every source, by a limit, by what is given.
mkdir "$T/bare"
cp "$T/iomem" "$T/bare/iomem"
expect_error 1 'no source|none' avml --proc "$T/bare" --dev "$T/bare" \
	"${with[@]}" "$T/new"
reported --image "$T/new" --status 1 --count range=0 --is source=None
[ "$(grep -o '"usable":false' "$T/report" | wc -l)" -ge 3 ] ||
	fail "sources: $(cat "$T/report")"
expect_error 1 'above the limit' avml "${from[@]}" "${with[@]}" \
	--max-disk-usage 1 "$T/new"
reported --image "$T/new" --status 1 --is records=0 --is sha256=None
expect_error 1 'No such file' avml --source "$T/memory" --iomem "$T/no" \
	"${with[@]}" "$T/new"
reported --status 1 --count record=0
expect_absent "$T/new"

# Cut back, for the file is too large; stopped; killed.
limited()
{
	(
		ulimit -f 20000 # KiB
		avml_exec "$@"
	)
}
expect_error 1 'incomplete' limited "${from[@]}" "${with[@]}" --digest "$T/cut"
reported --image "$T/cut" --status 1 --is outcome=failed --count record=2
# A full disk: of the image, or of the report.
if small_disk "$T/small" 20m; then
	expect_error 1 'No space left' avml "${from[@]}" "${with[@]}" \
		--digest --force "$T/small/cut"
	reported --image "$T/small/cut" --status 1 --is outcome=failed \
		--count record=1+
	dd if=/dev/zero of="$T/small/full" bs=1M 2>/dev/null || :
	expect_status 0 avml "${from[@]}" --report "$T/small/report" "$T/out"
	expect_err '^warning: the report .* is incomplete: .*No space left'
	expect_image "$T/out" "$T/memory" "$T/iomem"
else
	skip_part "a small disk: may not mount"
fi
make_image --size 12288 --layout flat --fill lonely
for signal in TERM KILL; do
	rm -f "$T/cut" "$T/report"
	before=(env --default-signal=TERM)
	avml_exec "${from[@]}" "${with[@]}" --digest "$T/cut" 2>"$T/err" &
	pid=$!
	before=()
	wait_until grep -qs '"record"' "$T/report"
	kill -"$signal" "$pid"
	got=0
	{ wait "$pid" || got=$?; } 2>/dev/null
	if [ "$signal" = KILL ]; then
		[ "$got" = 137 ] || fail "status $got"
		reported --killed --count record=1+ --count summary=0
	else
		[ "$got" = 143 ] || fail "status $got"
		reported --image "$T/cut" --status 143 --is outcome=stopped
	fi
done
rm -f "$T/cut"

# Unreadable, and filled from elsewhere.
make_sources --size 16 --mark --cut crash=0x7ff000 --kcore-without \
	0x905000-0x9fb000 --cut mem=0x95d000
expect_status 3 avml "${from[@]}" "${with[@]}" --max-unreadable 100 "$T/out"
reported --image "$T/out" --status 3 --count unreadable=1 --count filled=2+ \
	--is outcome=partial
expect_error 1 'max-unreadable' avml "${from[@]}" "${with[@]}" \
	--max-unreadable 0 "$T/out"
reported --image "$T/out" --status 1 --is outcome=failed
make_proc --size 16 --kpageflags --page-flag 0x200000=hwpoison \
	--page-flag 0x300000=offline --page-flag 0x301000=nopage
expect_status 3 avml "${from[@]}" "${with[@]}" --max-unreadable 100 "$T/out"
reported --image "$T/out" --status 3 --count unreadable=3
for reason in poisoned offline no-page; do
	grep -q "\"reason\":\"$reason\"" "$T/report" || fail "no $reason"
done

# What cannot be written is no reason to go without the image.
make_image --size 20
expect_status 0 avml "${from[@]}" --report /dev/full "$T/out"
expect_err '^warning: the report /dev/full is incomplete'
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_status 0 avml "${from[@]}" --report "$T/no/such" "$T/out"
expect_err '^warning: there will be no report: .*No such file'
ln -s nowhere "$T/link"
expect_status 0 avml "${from[@]}" --report "$T/link" "$T/out"
expect_err '^warning: there will be no report: .*symbolic link'
expect_absent "$T/nowhere"
expect_image "$T/out" "$T/memory" "$T/iomem"
# What would spoil something is.
cp "$T/iomem" "$T/iomem.was"
expect_error 1 'same file' avml "${from[@]}" --report "$T/iomem" "$T/new"
expect_same "$T/iomem.was" "$T/iomem"
expect_error 1 'same file' avml "${from[@]}" --report "$T/memory" "$T/new"
expect_error 1 'same file' avml "${from[@]}" --report "$T/out" "$T/out"
expect_image "$T/out" "$T/memory" "$T/iomem"
expect_error 1 'same file' avml "${from[@]}" --report "$T/new" "$T/new"
# Nor what is read beside the memory, or an old digest.
make_sources --size 4
cp "$T/proc/iomem" "$T/iomem.was"
expect_error 1 'same file' avml "${from[@]}" --report "$T/proc/iomem" "$T/new"
expect_same "$T/iomem.was" "$T/proc/iomem"
make_image --size 20
echo precious >"$T/new.sha256"
expect_error 1 'same file' avml "${from[@]}" --digest \
	--report "$T/new.sha256" "$T/new"
[ "$(cat "$T/new.sha256")" = precious ] || fail "the old digest is touched"
expect_error 1 'same file' avml "${from[@]}" --digest-file /dev/fd/3 \
	--report "$T/both" "$T/new" 3<>"$T/both"
# A reader that does not read ends the report, not the run.
mkfifo "$T/stuck"
exec 7<>"$T/stuck"
dd if=/dev/zero of="$T/stuck" oflag=nonblock bs=4k count=100 2>/dev/null || :
expect_status 0 avml "${from[@]}" --report "$T/stuck" "$T/out"
expect_err '^warning: the report .*stuck is incomplete.*nobody reads it'
exec 7>&-
expect_image "$T/out" "$T/memory" "$T/iomem"
# What is set is told, the usual is not.
expect_status 0 avml "${from[@]}" "${with[@]}" --max-unreadable 0 "$T/out"
grep -q '"max-unreadable":0[,}]' "$T/report" || fail "max-unreadable 0"
expect_status 0 avml "${from[@]}" "${with[@]}" "$T/out"
! grep -q '"max-unreadable"' "$T/report" || fail "max-unreadable, and not set"
expect_error 1 'needed otherwise|same file' avml "${from[@]}" --report "$T/both" \
	--digest-file "$T/both" "$T/new"
expect_error 1 'File exists' avml "${from[@]}" --no-clobber "${with[@]}" \
	"$T/another"
expect_absent "$T/another"
