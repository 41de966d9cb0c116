#!/bin/bash
# SPDX-License-Identifier: MIT
# hide.sh DIR COMMAND...: in a mount namespace of its own, puts DIR/proc and
# DIR/dev over those of this machine, and DIR/work over /mnt, and becomes the
# command.  Nothing is run before it is seen that they are there.  The process
# itself stays to be found as /proc/self.

set -eu
dir=$1
shift
mount --bind "/proc/$$" "$dir/proc/self"
mount --bind "$dir/work" /mnt
mount --bind "$dir/dev" /dev
# The last, since mount looks into /proc; with what is mounted in it.
mount --rbind "$dir/proc" /proc
for name in proc dev; do
	[ "/$name" -ef "$dir/$name" ]
done
[ ! -e /dev/null ]
[ ! -e /proc/1 ]
exec "$@"
