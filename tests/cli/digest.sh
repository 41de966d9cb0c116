#!/bin/bash
# SPDX-License-Identifier: MIT
# --digest: the SHA-256 of what is there, as sha256sum checks it, for whole
# images and for those that were cut back.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_image --size 48
mkdir "$T/d"

# checked DIR FILE: its line names it, and is right; nobody else may read it.
checked()
{
	(cd "$1" && sha256sum --strict -c "$2.sha256") >"$T/sums" 2>&1 ||
		fail "$2: $(tr '\n' ' ' <"$T/sums")"
	[ "$(wc -l <"$1/$2.sha256")" = 1 ] || fail "$2: more than a line"
	[ "$(stat -c %a "$1/$2.sha256")" = 600 ] || fail "$2: mode"
}

# It is told too, unless nothing is to be said.
told()
{
	local sum
	sum=$(sha256sum <"$1")
	expect_err "^avml: .*: SHA-256 ${sum%% *}\$"
}

for threads in 1 3; do
	for format in '' --compress '--keep-zeros --no-sparse'; do
		# shellcheck disable=SC2086
		expect_status 0 avml "${from[@]}" --digest --threads "$threads" \
			$format "$T/d/out"
		checked "$T/d" out
		told "$T/d/out"
	done
	expect_status 0 avml convert --digest --threads "$threads" "$T/d/out" \
		"$T/d/v1"
	checked "$T/d" v1
	told "$T/d/v1"
	expect_status 0 avml convert --digest --threads "$threads" \
		--format raw "$T/d/out" "$T/d/raw"
	checked "$T/d" raw
done
expect_status 0 avml "${from[@]}" --digest --quiet "$T/d/out"
checked "$T/d" out
[ ! -s "$T/err" ] || fail "--quiet says $(said)"

# Names that sha256sum escapes.
for name in $'a\nb' 'a\b' $'a\rb' '-' ' x'; do
	(cd "$T/d" && expect_status 0 avml "${from[@]}" --digest "./$name")
	checked "$T/d" "./$name"
done

# What is left of a run that failed, and of one that was stopped.
limited()
{
	(
		ulimit -f "$1" # KiB
		shift
		avml_exec "$@"
	)
}
for threads in 1 3; do
	rm -f "$T/d/out" "$T/d/out.sha256"
	expect_error 1 'incomplete' limited 20000 "${from[@]}" --digest \
		--threads "$threads" "$T/d/out"
	expect_prefix 2 "$T/d/out" "$T/memory" "$T/iomem"
	checked "$T/d" out
	told "$T/d/out"
done
expect_error 1 'removed' limited 100 "${from[@]}" --digest "$T/d/none"
expect_absent "$T/d/none" "$T/d/none.sha256"
# An old image goes, and what was said of it.
expect_status 0 avml "${from[@]}" --digest "$T/d/out"
expect_error 1 'incomplete' limited 100 "${from[@]}" --digest "$T/d/out"
[ ! -s "$T/d/out" ] || fail "a half record is left"
checked "$T/d" out
make_image --size 12288 --layout flat --fill lonely
before=(env --default-signal=TERM)
avml_exec "${from[@]}" --digest "$T/d/stopped" 2>"$T/err" &
pid=$!
before=()
wait_until grep -qs . "$T/d/stopped"
kill -TERM "$pid"
expect_ended 143 "$pid"
check_sanitizer
if [ -e "$T/d/stopped" ]; then
	checked "$T/d" stopped
else
	expect_absent "$T/d/stopped.sha256"
fi

# Streams have none beside them; it is told, and goes where one says.
make_image --size 20
expect_status 0 avml "${from[@]}" --digest - >"$T/stream"
told "$T/stream"
expect_status 0 avml "${from[@]}" --digest-file "$T/d/sum" - > >(cat >"$T/piped")
wait_until test "$(stat -c %s "$T/piped")" = "$(stat -c %s "$T/stream")"
sha256sum --strict -c "$T/d/sum" <"$T/piped" >"$T/sums" 2>&1 ||
	fail "stream: $(cat "$T/sums")"
expect_status 0 avml "${from[@]}" --digest /dev/null
expect_err 'SHA-256 [0-9a-f]{64}$'
expect_absent /dev/null.sha256
# A receiver that goes away in the middle of a write leaves nothing to prove.
expect_status 1 avml "${from[@]}" --digest-file "$T/d/gone" - \
	> >(head -c 1000000 >"$T/head")
expect_no_err 'SHA-256'
expect_absent "$T/d/gone"
# Elsewhere, with the name as it was given.
expect_status 0 avml "${from[@]}" --digest-file "$T/d/sum" "$T/out"
sha256sum --strict -c "$T/d/sum" >"$T/sums" 2>&1 || fail "$(cat "$T/sums")"
expect_absent "$T/out.sha256"
# As a descriptor.
expect_status 0 avml "${from[@]}" --digest-file /dev/fd/3 "$T/out" \
	3>"$T/d/sum"
sha256sum --strict -c "$T/d/sum" >"$T/sums" 2>&1 || fail "$(cat "$T/sums")"

# Nothing of anybody's is written over.
echo precious >"$T/d/old.sha256"
expect_error 1 'old\.sha256: File exists' avml "${from[@]}" --digest \
	--no-clobber "$T/d/old"
expect_absent "$T/d/old"
[ "$(cat "$T/d/old.sha256")" = precious ] || fail "the old file is touched"
expect_error 1 'would be overwritten' avml "${from[@]}" \
	--digest-file "$T/iomem" "$T/new"
expect_error 1 'both the image and its digest' avml "${from[@]}" \
	--digest-file "$T/new" "$T/new"
expect_absent "$T/new"
# Descriptors are of files too.
# shellcheck disable=SC2094 # that is the point
expect_error 1 'both the image and its digest' avml "${from[@]}" \
	--digest-file "$T/same" - >"$T/same"
expect_error 1 'both the image and its digest' avml "${from[@]}" \
	--digest-file /dev/fd/1 - >"$T/same"
expect_error 1 'both the image and its digest' avml "${from[@]}" \
	--digest-file /dev/fd/3 - 3>>"$T/same" >>"$T/same"
set +e
avml "${from[@]}" --digest-file /dev/stdout - 2>"$T/err" | cat >"$T/same"
status=("${PIPESTATUS[@]}")
set -e
[ "${status[0]},$(stat -c %s "$T/same")" = 1,0 ] || fail "both in one pipe"
cp "$T/iomem" "$T/iomem.was"
expect_error 1 'would be overwritten' avml "${from[@]}" \
	--digest-file /dev/fd/3 "$T/new" 3<>"$T/iomem"
expect_same "$T/iomem.was" "$T/iomem"
# Gaps of a raw image would be hashed for hours.
lime write "$T/gap" 0x1000-0x2000 0x10000000000-0x10000001000
expect_error 1 'to write or to hash' timeout_avml convert --digest \
	--format raw "$T/gap" "$T/new"
expect_status 0 avml convert --format raw "$T/gap" "$T/new"
rm "$T/new"
# Where it cannot be written, the image is worth as much.
ln -s nowhere "$T/d/link.sha256"
expect_status 0 avml "${from[@]}" --digest "$T/d/link"
expect_err '^warning: the digest of .* in no file: .*symbolic link'
told "$T/d/link"
expect_absent "$T/d/nowhere"
expect_status 0 avml "${from[@]}" --digest-file "$T/no/such/dir" "$T/d/link"
expect_err '^warning: the digest .*No such file'
told "$T/d/link"
expect_status 0 avml "${from[@]}" --digest-file /dev/full "$T/d/link"
expect_err '^warning: the digest is not in /dev/full'
# A refusal leaves the old digest of the old image.
expect_status 0 avml "${from[@]}" --digest "$T/d/kept"
expect_error 1 'max-disk-usage|limit' avml "${from[@]}" --digest \
	--max-disk-usage 1 "$T/d/kept"
checked "$T/d" kept
expect_error 1 'bad magic' avml convert --digest "$T/iomem" "$T/d/kept"
checked "$T/d" kept
