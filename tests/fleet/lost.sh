#!/bin/bash
# SPDX-License-Identifier: MIT
# A host that vanishes while its image is sent, and some whose image becomes
# another one once it is written: all are told, and the good one does not mind.
# shellcheck source=tests/fleet/hosts.sh
. "${0%/*}/hosts.sh"

start_nginx
reachable "$http"
for host in lost changed damaged unsent torn good; do
	start_host "$host"
done
for host in lost unsent; do
	given "$host" avml_sink put
	given "$host" avml_put_url "http://192.0.2.1:$http/up/$host"
done
# So slow that it is lost before the end.
given lost avml_upload_args '[--rate-limit, 100K]'

# Spoils what it acquires; with the name "damaged" the report is of that image.
cp "$AVML" "$fleet/avml"
for host in changed damaged unsent; do
	cat >"$T/$host.sh" <<-SPOILS
	#!/bin/sh
	"$fleet/avml" "\$@" || exit
	[ "\$1" = acquire ] || exit 0
	for image; do :; done
	old=\$(sha256sum <"\$image" | cut -d ' ' -f 1)
	printf spoiled | dd of="\$image" bs=1 seek=1000 conv=notrunc
	new=\$(sha256sum <"\$image" | cut -d ' ' -f 1)
	[ $host = changed ] || sed -i "s/\$old/\$new/" "\${image%/*}/report"
	SPOILS
	given "$host" avml_binary "$T/$host.sh"
	given "$host" avml_controller_binary "$AVML"
done

# Lacks a little of its memory: that is an image all the same.
truncate -s $(($(stat -c %s "$fleet/torn/memory") - 140000)) \
	"$fleet/torn/memory"

# While it is sent, the collector has a body that is not whole.
(
	for ((i = 0; i < 3000; i++)); do
		if [ -n "$(find "$T/nginx/body" -type f 2>/dev/null)" ]; then
			kill -KILL "${sshds[lost]}"
			: >"$T/killed"
			break
		fi
		sleep 0.05
	done
) &
expect_play 2 -e '{"ansible_ssh_extra_args":
	"-o ServerAliveInterval=2 -o ServerAliveCountMax=2"}'
[ -e "$T/killed" ] || fail "it was sent too soon"
expect_lines 6
expect_line lost status=failed image=null 'left~^/mnt/disk/avml-case-1-' \
	'error~over ssh.*could not be removed'
expect_line changed status=failed left=null 'error~SHA-256 .*, the report'
expect_line damaged status=failed left=null 'error~damaged.avml has 1 fault'
expect_line unsent status=failed image=null left=null 'error~image has 1 fault'
expect_line torn status=partial error=null 'unreadable_bytes~^1[0-9]{5}$'
expect_image "$results/case-1/torn.avml" "$fleet/torn/memory" \
	"$fleet/torn/iomem"
expect_recap torn failed=0
expect_absent "$www/up/lost" "$www/up/unsent"
expect_clean changed damaged unsent torn good
expect_fetched good
for host in lost changed damaged unsent; do
	expect_recap "$host" failed=1
done
# Neither is acquired again.
expect_play 0 --limit torn,good
expect_lines 6
