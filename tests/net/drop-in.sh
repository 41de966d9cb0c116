#!/bin/bash
# SPDX-License-Identifier: MIT
# Command lines as they are written for AVML, of which avml takes the place.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"
# shellcheck source=tests/lib/as-written.sh
. "$tests/lib/as-written.sh"

start_nginx
start_azurite
azure make box
make_file 12000000
make_image --size 48
up=http://localhost:$http/up
program=$AVML
ln -s "$program" "$T/avml-upload"
ln -s "$program" "$T/avml"

AVML=$T/avml-upload
expect_status 0 avml put "$T/file" "$up/a"
expect_arrived "$T/file" "$www/up/a"
expect_status 0 avml upload-blob "$T/file" "$(sas box/a)"
expect_blob "$T/file" box/a
expect_status 0 avml upload-blob --sas-block-size 6 \
	--sas-block-concurrency 2 "$T/file" "$(sas box/b)"
expect_blob "$T/file" box/b
azure blocks box/b >"$T/blocks"
[ "$(wc -l <"$T/blocks")" = 2 ] || fail "blocks: $(cat "$T/blocks")"
expect_status 0 avml upload-blob --sas-block-size=6 "$T/file" "$(sas box/c)"
expect_blob "$T/file" box/c
for help in --help -h; do
	expect_status 0 avml "$help" >"$T/stdout"
	grep -q 'upload' "$T/stdout" || fail "no help"
done
expect_status 0 avml --version >"$T/stdout"
expect_status 2 avml
expect_status 2 avml put
expect_status 2 avml put "$T/file"
expect_status 2 avml upload-blob "$T/file"

AVML=$T/avml
expect_status 0 avml "${from[@]}" --url "$up/b" "$T/out"
expect_arrived "$T/out" "$www/up/b"
expect_status 0 avml "${from[@]}" --compress --url "$up/c" --delete "$T/out"
expect_image "$www/up/c" "$T/memory" "$T/iomem"
expect_absent "$T/out"
expect_status 0 avml "${from[@]}" --compress --sas-url "$(sas box/d)" \
	--sas-block-size 6 --sas-block-concurrency 2 --delete "$T/out"
azure get box/d "$T/blob"
expect_image "$T/blob" "$T/memory" "$T/iomem"
expect_absent "$T/out"
# As they were called once.
expect_status 0 avml "${from[@]}" --sas_url "$(sas box/e)" \
	--sas_block_size 6 --sas_block_concurrency 2 "$T/out"
expect_blob "$T/out" box/e
expect_status 0 avml "${from[@]}" "--sas_url=$(sas box/f)" "$T/out"
expect_blob "$T/out" box/f

# The two that name no FILE and no kind, and what may not be left out.
AVML=$program
before=(env "AVML_SAS_URL=$(sas box/g)")
expect_status 0 avml "${from[@]}" --delete
before=()
expect_err '^note: no FILE'
azure get box/g "$T/blob"
expect_image "$T/blob" "$T/memory" "$T/iomem"
expect_status 0 avml "${from[@]}" --quiet --sas-url "$(sas box/h)" --delete
[ ! -s "$T/err" ] || fail "--quiet says $(said)"
expect_error 1 403 timeout_avml "${from[@]}" --delete \
	--sas-url "$(sas box/new --spoiled)"
expect_no_err 'sig='
expect_no_blob box/new
for words in "--sas-url $(sas box/new)" "--url $up/new --delete" --delete ''; do
	# shellcheck disable=SC2086
	expect_error 2 'FILE is missing' avml "${from[@]}" $words
	expect_no_blob box/new
	expect_absent "$www/up/new"
done
rm "$T/out"
expect_error 2 'given twice' avml "${from[@]}" --url "$up/new" \
	--put "$up/new" "$T/out"
expect_error 2 'FILE alone' avml upload --url "$up/new" put "$T/file"
expect_error 2 'FILE alone' avml upload --url "$up/new" "$T/file" "$up/new"
expect_error 2 'different places' avml upload --url "$up/new" \
	--sas-url "$(sas box/new)" "$T/file"
expect_error 2 'said twice' avml upload --url "$up/new" \
	--url-file "$T/none" "$T/file"
expect_error 2 'FILE is missing' avml upload --url-file "$T/none" "$T/file"
expect_absent "$www/up/new" "$T/out"

# And those that are known, as they stand: tests/cli/drop-in.table.
AVML=$program
port=$(free_port)
blob=0
to_put()
{
	rm -f "$www/up/written"
	URL=$up/written
}
from_put()
{
	[ ! -e "$www/up/written" ] || cp "$www/up/written" "$T/arrived"
}
to_blob()
{
	blob=$((blob + 1))
	SAS_URL=$(sas "box/written$blob")
}
from_blob()
{
	azure get "box/written$blob" "$T/arrived" || rm -f "$T/arrived"
}
to_tcp()
{
	receive socat -u "TCP4-LISTEN:$port,reuseaddr" -
	TCP=127.0.0.1:$port
}
from_tcp()
{
	wait "$receiver" || fail "the receiver: $(cat "$T/receiver")"
	[ ! -s "$T/got" ] || cp "$T/got" "$T/arrived"
}
if can_hide; then
	prepare_written
	each_written put
	each_written blob
	each_written tcp
fi
