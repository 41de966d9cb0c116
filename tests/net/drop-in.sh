#!/bin/bash
# SPDX-License-Identifier: MIT
# Command lines as they are written for AVML, of which avml takes the place.
# shellcheck source=tests/net/servers.sh
. "${0%/*}/servers.sh"

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
