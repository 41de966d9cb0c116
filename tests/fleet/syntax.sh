#!/bin/bash
# SPDX-License-Identifier: MIT
# What can be said of the playbook without a host: ansible takes it, the example
# of an inventory too; it uses builtin modules alone, has no variable without a
# default, and the README names none that there is not. No two hosts have files
# of the same name.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

role=$(realpath "$tests/../contrib/ansible")
[ -n "$(command -v ansible-playbook)" ] ||
	fail "no ansible-playbook (make deps-test)"
export HOME=$T ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8

ansible-playbook --syntax-check -i "$role/inventory.example" \
	"$role/avml.yml" >"$T/said" 2>&1 || fail "$(cat "$T/said")"
! grep -q WARNING "$T/said" || fail "$(cat "$T/said")"
ansible-playbook --list-hosts -i "$role/inventory.example" \
	"$role/avml.yml" >"$T/hosts"
[ "$(grep -c '\.example$' "$T/hosts")" = 8 ] || fail "$(cat "$T/hosts")"

# A module stands two columns right of its task's dash.
grep -rhoE '^ *(- )?[a-z_.]+:( |$)' "$role/avml.yml" "$role/roles/avml/tasks" |
	grep -E '[a-z]\.' | tr -d ' :-' | sort -u >"$T/modules"
[ "$(wc -l <"$T/modules")" -gt 8 ] || fail "few modules: $(cat "$T/modules")"
! grep -v '^ansible\.builtin\.' "$T/modules" >"$T/others" ||
	fail "not builtin: $(cat "$T/others")"
! grep -rnE '^ +(- )?(shell|command|copy|file|fetch|stat|fail|debug|set_fact):' \
	"$role/roles/avml/tasks" >"$T/others" || fail "$(cat "$T/others")"

# Those of a play are given to it, or not.
grep -ohE '^avml_[a-z0-9_]+' "$role/roles/avml/defaults/main.yml" |
	sort >"$T/defaults"
grep -ohE 'avml_[a-z0-9_]+' "$role/README.md" | sort -u |
	grep -vxE 'avml_(hosts|serial|strategy)' >"$T/named"
comm -13 "$T/defaults" "$T/named" >"$T/unknown"
[ ! -s "$T/unknown" ] || fail "in the README alone: $(cat "$T/unknown")"
while read -r name; do
	grep -rqw "$name" "$role/roles/avml/tasks" "$role/roles/avml/vars" ||
		fail "nobody asks for $name"
done <"$T/defaults"

printf '%s\n' web1.example web_1 web/1 web+1 >"$T/inventory"
ansible -i "$T/inventory" all -m ansible.builtin.debug -a var=avml_stem \
	-e "@$role/roles/avml/vars/main.yml" >"$T/said" 2>&1 ||
	fail "$(cat "$T/said")"
sed -nE 's/.*"avml_stem": "(.*)".*/\1/p' "$T/said" | sort >"$T/stems"
[ "$(sed 's/-.*//' "$T/stems" | xargs)" = "web1.example web_1 web_1 web_1" ] ||
	fail "$(xargs <"$T/stems")"
[ "$(uniq "$T/stems" | wc -l)" = 4 ] || fail "$(xargs <"$T/stems")"
