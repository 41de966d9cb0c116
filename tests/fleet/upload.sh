#!/bin/bash
# SPDX-License-Identifier: MIT
# From the hosts to stores, by secrets that nobody sees: they are in no command
# line of a host, in nothing that ansible says and in no result.
# shellcheck source=tests/fleet/hosts.sh
. "${0%/*}/hosts.sh"

start_nginx
start_azurite
azure make box
# shellcheck disable=SC2119
start_s3
start_host put
start_host azure
start_host s3
sed -i 's/^azure .*/& ansible_user=responder/' "$T/hosts"
for port in "$http" "$azurite_port" "$s3_port"; do
	reachable "$port"
done
near=s/localhost:/192.0.2.1:/


# expect_sent HOST FILE IMAGE: what arrived is of its memory; nothing is
# left; nobody saw a secret.
expect_sent()
{
	expect_image "$2" "$fleet/$1/memory" "$fleet/$1/iomem"
	expect_line "$1" status=ok "sink=$1" "image=$3" error=null left=null \
		"sha256=$(sum "$2")" "bytes=$(stat -c %s "$2")"
	cp "$results/case-1/$1.jsonl" "$T/report"
	reported --image "$2" --status 0
	expect_absent "$results/case-1/$1.avml"
	expect_clean "$1"
	expect_secret "$1"
}

# expect_secret HOST
expect_secret()
{
	local file
	on "$1" cat /mnt/commands >"$T/commands"
	[ "$(wc -l <"$T/commands")" -gt 10 ] || fail "no commands of $1"
	! grep -q AnsiballZ "$T/commands" || fail "a module was a file on $1"
	for file in "$T/commands" "$T/played" \
		"$results/case-1/results.jsonl" "$results/case-1/$1.jsonl"; do
		! grep -qE 'geheim|losung|sig=' "$file" ||
			fail "a secret in ${file##*/}:" \
				"$(grep -oE '.{50}(geheim|losung|sig=)' "$file")"
	done
}

for host in put azure s3; do
	given "$host" avml_sink "$host"
done
given put avml_put_url \
	"http://user:geheim@192.0.2.1:$http/up/{{ avml_case }}?token=geheim"
given azure avml_azure_sas_url "$(sas box/a | sed "$near")"
given s3 avml_s3_place "s3://evidence/a"
given s3 avml_s3_key_id "$s3_key"
given s3 avml_s3_secret_key "$s3_secret"
given s3 avml_s3_endpoint "http://192.0.2.1:$s3_port"

expect_play 0 -vvv
expect_sent put "$www/up/case-1" "http://192.0.2.1:$http/up/case-1"
azure get box/a "$T/blob"
expect_sent azure "$T/blob" \
	"http://192.0.2.1:$azurite_port/devstoreaccount1/box/a"
s3_look get a "$T/object"
expect_sent s3 "$T/object" s3://evidence/a
expect_no_upload
expect_lines 3

# By a list of URLs, and no key. One is given no place, and one is refused by
# the store, which is said in its words.
s3=http://192.0.2.1:$s3_port make_list listed
rm "$T"/host_vars/*
for host in put azure s3; do
	given "$host" avml_sink "$host"
done
given s3 avml_s3_part_urls "$T/list"
given put avml_put_url "http://192.0.2.1:$http/forbidden/x?geheim"
expect_play 2 -vvv -e avml_force=true
s3_look get listed "$T/object"
expect_sent s3 "$T/object" list
expect_line azure status=failed image=null \
	'error=nothing says where to send by azure'
expect_line put status=failed image=null left=null 'error~403.*not for you'
expect_clean azure put
expect_secret put

# What could not be sent stays if that is wanted, and the binary does not.
expect_play 2 -e avml_keep_undelivered=true --limit put
expect_line put status=failed 'left~^/mnt/disk/avml-case-1-.*'
on put sh -c 'cat /mnt/disk/*/image' >"$T/object"
expect_image "$T/object" "$fleet/put/memory" "$fleet/put/iomem"
[ "$(on put sh -c 'ls /mnt/disk/*' | tr '\n' ' ')" = \
	"image image.sha256 report " ] || fail "left: $(on put ls -R /mnt/disk)"
