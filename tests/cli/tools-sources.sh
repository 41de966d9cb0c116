#!/bin/bash
# SPDX-License-Identifier: MIT
# The tools that judge traces, surveys and images of several sources find
# every fault they look for.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

good()
{
	"$@" >"$T/found" 2>&1 || fail "refused: $*: $(cat "$T/found")"
}
# bad WORDS COMMAND: the tool must see it, and say so in these words.
bad()
{
	local regex=$1 status=0
	shift
	"$@" >"$T/found" 2>&1 || status=$?
	[ "$status" = 1 ] || fail "not seen (status $status): $*"
	grep -qE -e "$regex" "$T/found" || fail "not /$regex/: $(cat "$T/found")"
}

# Traces, with calls that others interrupt.
cat >"$T/trace" <<'END'
11 openat(AT_FDCWD</t>, "/t/crash", O_RDONLY) = 3</t/crash>
11 openat(AT_FDCWD</t>, "/dev/mem", O_RDONLY) = -1 EPERM (Operation not permitted)
11 pread64(3</t/crash>, ""..., 4, 0) = 4
11 pread64(3</t/crash>, ""..., 4096, 4096) = 4096
12 pread64(4</t/crash>,  <unfinished ...>
11 pread64(3</t/crash>, "", 4096, 16384) = 0
12 <... pread64 resumed>""..., 4096, 8192) = 4096
11 pread64(5</t/zero<char 1:5>>, ""..., 8192, 0) = 8192
11 pwritev(6</t/out>, [{iov_base=""..., iov_len=32}, {iov_base=""..., iov_len=8192}], 2, 0) = 8224
12 read(7</t/log>, ""..., 4096) = 12
12 pread64(4</t/crash>, 0x7f00, 4096, 20480) = ? <unavailable>
END
good traced pages /t/crash 16
bad '4 bytes at 0x0' traced pages /t/crash
bad '8192 bytes at 0' traced pages /t/zero
bad 'never read' traced pages /t/none
bad 'by read' traced pages /t/log
good traced avoids /t/crash 0x3000-0x4000 0x6000+4096
bad '0x2000 touch' traced avoids /t/crash 0x2fff-0x3000
bad '0x4000 touch' traced avoids /t/crash 0x4000-0x4001
bad '0x5000 touch' traced avoids /t/crash 0x5000-0x5001
bad '0x0 touch' traced avoids /t/crash 0x0-0x1
bad 'never read' traced avoids /t/none 0x0-0x1
good traced covers /t/crash 0x1000-0x3000
bad '0x3000-0x4000 was not' traced covers /t/crash 0x1000-0x5000
good traced unread /t/none
bad 'bytes at' traced unread /t/crash
good traced closed /t/other /dev/crash
bad '/dev/mem' traced closed /t/other /dev/mem
bad '/t/crash' traced closed /t/
good traced wrote /t/out 8224
bad '8224 bytes' traced wrote /t/out 8223
bad '0 bytes' traced wrote /t/none 8223
: >"$T/trace"
bad 'nothing was traced' traced closed /dev

# Surveys.
survey()
{
	"${PYTHON:-python3}" -ISB "$tests/lib/survey.py" "$T/json" "$@"
}
cat >"$T/good" <<'END'
{"avml": "0.1", "kernel": "6.1", "lockdown": null, "root": true,
"cap_sys_rawio": true, "cap_sys_admin": false, "kpageflags": true,
"iomem": {"path": "/p/iomem", "ranges": 2, "bytes": 4096, "error": null},
"sources": [{"name": "crash", "path": "/d/crash", "usable": false,
"primary": false, "reason": "missing", "message": "no", "remedy": null},
{"name": "kcore", "path": "/p/kcore", "usable": true, "primary": true,
"reason": "usable", "message": null, "remedy": null}]}
END
cp "$T/good" "$T/json"
good survey crash=missing kcore=usable
bad 'headers' survey crash=headers kcore=usable
bad 'missing, not forbidden' survey crash=forbidden kcore=usable
bad 'mem' survey mem=missing kcore=usable
bad '2 sources' survey crash=missing
# spoil WORDS SED: a change that must be seen.
spoil()
{
	sed "$2" "$T/good" >"$T/json"
	! cmp -s "$T/good" "$T/json" || fail "changes nothing: $2"
	bad "$1" survey crash=missing kcore=usable
}
spoil 'has the keys' 's/"root": true,//'
spoil 'has the keys' 's/"root"/"boot"/'
spoil 'has the keys' 's/"root"/"more": 1, "root"/'
spoil 'there twice' 's/"root"/"avml": "0.1", "root"/'
spoil 'root is' 's/"root": true/"root": 1/'
spoil 'ranges is' 's/"ranges": 2/"ranges": true/'
spoil 'bytes is' 's/"bytes": 4096/"bytes": 4096.5/'
spoil 'no JSON' 's/"bytes": 4096/"bytes": NaN/'
spoil 'error is' 's/"error": null/"error": false/'
spoil 'most' 's/"lockdown": null/"lockdown": "most"/'
spoil 'odd' 's/"missing"/"odd"/'
spoil 'primary' 's/"primary": true/"primary": false/'
spoil 'primary' 's/"primary": false/"primary": true/'
spoil 'usable' 's/"reason": "usable"/"reason": "other"/'
spoil 'usable' 's/"message": null/"message": "why"/'
spoil 'decode' 's/6\.1/6\xff1/'
spoil 'control character' 's/6\.1/6\x01/'
spoil 'end' 's/]}/]}  /'

# Images of several sources, and what mkimage writes for them.
make_sources --size 4 --mark --kpageflags --page-flag 0x3000=offline+lru
cp "$T/memory.crash" "$T/mixed"
dd if="$T/memory.mem" of="$T/mixed" bs=4096 skip=300 seek=300 count=7 \
	conv=notrunc status=none
lime write "$T/image" --memory "$T/mixed" --iomem "$T/iomem"
mixed()
{
	lime cmp "$T/image" "$T/memory.crash" "$T/iomem" "$@"
}
bad '0x12c011' mixed
good mixed --part "$T/memory.mem:0x12c000-0x133000"
bad '0x132011' mixed --part "$T/memory.mem:0x12c000-0x132000"
bad '0x133011' mixed --part "$T/memory.mem:0x12c000-0x134000"
bad '0x12b011' mixed --part "$T/memory.mem:0x12b000-0x133000"
flags=$(od -An -v -tx8 -w8 "$T/proc/kpageflags" | sed -n '4p;5p' | tr -d ' \n')
[ "$flags" = 00000000008000200000000000240000 ] || fail "kpageflags: $flags"
[ "$(stat -c %s "$T/proc/kpageflags")" = $((0x3e0 * 8)) ] ||
	fail "kpageflags: $(stat -c %s "$T/proc/kpageflags") bytes"
