# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What may be run: lib.sh asks refuse_unsafe() before each run of the binary,
# which ends the script where an argument is not plainly a made-up one.
# tests/cli/guard.sh tests it.

# shellcheck disable=SC2154 # made_up is of lib.sh
is_made_up()
{
	local path dir
	path=$(realpath -m -- "$1")
	for dir in "${made_up[@]}"; do
		case $path in
		"$dir"/*) return 0 ;;
		esac
	done
	return 1
}

# A file or directory to read may not be one of the kernel's that was mounted
# or linked there, nor a node for a device that gives something away.
is_harmless()
{
	local path what
	for path; do
		is_made_up "$path" || return 1
		[ -e "$path" ] || continue
		what=$(stat -L -c '%F,%t:%T' -- "$path") || return 1
		case $what,$(stat -L -f -c %T -- "$path") in
		*,proc | *,sysfs | *,securityfs | *,debugfs) return 1 ;;
		"character special file,1:"[357],*) ;; # null, zero, full
		*special*) return 1 ;;
		esac
	done
}

# In the place of /proc or /dev: and so is all that avml can find in it.
is_harmless_tree()
{
	local path
	is_harmless "$1" || return 1
	for path in "$1"/* "$1"/sys/kernel/osrelease; do
		if [ -e "$path" ] || [ -L "$path" ]; then
			is_harmless "$path" || return 1
		fi
	done
}

# In the place of the root file system: nothing in it leads out.
is_harmless_root()
{
	local path
	is_harmless "$1" || return 1
	[ -e "$1" ] || return 0
	while IFS= read -r -d '' path; do
		is_harmless "$path" || return 1
	done < <(find "$1" -mindepth 1 -print0)
}

# A conversion, and a look at an image, reads the file it is told to, and no
# memory: that file and whatever else is named must be made up, or a descriptor.
refuse_unsafe_convert()
{
	local word path all="$*"

	case $PWD/ in
	/proc/* | /dev/* | /sys/*) fail "unsafe to run in $PWD: $all" ;;
	esac
	for word; do
		case $word in
		-*=*) word=${word#*=} ;;
		esac
		case $word in
		- | /dev/fd/[0-9]* | /dev/stdout | /proc/self/fd/[0-9]*) continue ;;
		/dev/full | /dev/null) continue ;;
		*/*) ;;
		*) [ -e "$word" ] || continue ;; # an option, a format
		esac
		is_made_up "$word" || fail "unsafe to run: $all"
	done
	# What stdin is must not be the machine's memory either.
	path=$(readlink /proc/self/fd/0 || :)
	case $path in
	/proc/* | /dev/mem | /dev/crash | /dev/kmem | /dev/port)
		fail "unsafe to run on $path: $all"
		;;
	esac
}

# What goes over the network stays on this machine: the host of a URL, and of
# HOST:PORT, is loopback or none that there can be (RFC 2606, RFC 5737). They
# may be in the environment as well. BUCKET.localhost is loopback too.
is_near()
{
	local host=$1
	case $host in
	*://*)
		host=${host#*://}
		host=${host%%[/?#]*}
		host=${host##*@}
		;;
	esac
	case $host in
	\[*) host=${host%%]*}] ;;
	*) host=${host%%:*} ;;
	esac
	case $host in
	127.*[!0-9.]* | 192.0.2.*[!0-9.]*) return 1 ;;
	localhost | *.localhost | 127.* | "[::1]" | 192.0.2.*) ;;
	*.invalid | *.example) ;;
	'') ;;
	*) return 1 ;;
	esac
}

# refuse_far ARGUMENT...: HOST:PORT is looked for where $command is stream.
# shellcheck disable=SC2154 # before and command are of callers
refuse_far()
{
	local word
	for word in "$@" ${before[@]+"${before[@]}"} "=${AVML_URL-}" \
		"=${AVML_SAS_URL-}" "=${AWS_ENDPOINT_URL-}" \
		"=${AWS_ENDPOINT_URL_S3-}"; do
		case $word in
		-*=* | =* | AVML_*=* | AWS_*=*) word=${word#*=} ;;
		esac
		case $command,$word in
		*,s3://*) ;; # see below
		*,*://*) is_near "$word" || fail "unsafe to send there: $*" ;;
		stream,*/*) ;;
		stream,*:[0-9]*)
			is_near "$word" || fail "unsafe to send there: $*"
			;;
		esac
	done
	refuse_far_s3 "$@"
}

# A list of --part-urls has no URL that leads away. It is read here too, which
# no pipe could be.
is_near_list()
{
	local file=$1 url
	[ "$file" != - ] || file=/proc/self/fd/0
	[ -e "$file" ] || return 0
	[ -f "$file" ] || return 1
	# Nothing in it may be written in such a way that it is not seen.
	while read -r url; do
		case $url in
		'' | http://?*) ;;
		https://?*) ;;
		*) return 1 ;;
		esac
		is_near "$url" || return 1
	done <<<"$(sed 's|\\/|/|g' "$file" |
		grep -aoiE '\\u00[0-7]|https?:[^"?[:space:]]*' | sort -u || :)"
}

# An object of S3 is at an endpoint of its own, which is AWS where none is
# named: in an argument, or in front of the binary.
refuse_far_s3()
{
	local word last='' wanted='' named=''
	[ -z "${AVML_S3-}" ] || wanted=1
	for word in "$@" ${before[@]+"${before[@]}"}; do
		case $last in
		--endpoint-url | --part-urls) word=$last=$word ;;
		esac
		last=$word
		case $word in
		s3 | --s3 | --s3=* | s3://* | AVML_S3=*) wanted=1 ;;
		--part-urls=*)
			named=1
			is_near_list "${word#*=}" ||
				fail "unsafe to send there: $*"
			;;
		--endpoint-url=* | AWS_ENDPOINT_URL=* | AWS_ENDPOINT_URL_S3=*)
			named=1
			word=${word#*=}
			if [ -z "$word" ] || ! is_near "$word"; then
				fail "unsafe to send there: $*"
			fi
			;;
		esac
	done
	[ -z "$wanted" ] || [ -n "$named" ] || fail "unsafe to send there: $*"
}

# What is sent, and whatever else is named, is made up, as above.
refuse_unsafe_upload()
{
	local word words=() command=upload

	refuse_far "$@"
	for word; do
		case $word in
		-*=*) word=${word#*=} ;;
		esac
		case $word in
		*://* | sha256//*) continue ;;
		/dev/fd/[0-9]* | /proc/self/fd/[0-9]*) ;;
		*/*) is_harmless "$word" || fail "unsafe to send: $*" ;;
		*) [ ! -e "$word" ] || is_harmless "$word" ||
			fail "unsafe to send: $*" ;;
		esac
		words+=("$word")
	done
	refuse_unsafe_convert ${words[@]+"${words[@]}"}
}

# What is read comes first, and is made up, in any order:
#   --source FILE --iomem FILE
#   --proc DIR [--dev DIR]
#   --proc DIR --source kcore|FILE
#   --proc DIR --dev DIR --source crash|mem
# With --bundle, what is read are --proc DIR and --root DIR, both made up,
# whatever else is named.
# First, so that no other option can swallow these; whatever names a source
# later on must be made up as well.  A path of this machine's own is refused
# wherever it stands, and DIR may be no mounted proc.  `avml sources` needs
# the --proc of a made-up DIR too.  `avml stream KIND` is an acquisition.
refuse_unsafe()
{
	local name value given=, first='' command=acquire all="$*"

	case ${AVML##*/},${1-} in
	avml-convert,* | avml-info,* | avml-verify,* | *,convert | *,info | \
		*,verify)
		refuse_unsafe_convert "$@"
		return
		;;
	avml-upload,* | *,upload)
		refuse_unsafe_upload "$@"
		return
		;;
	avml-sources,*) command=sources ;;
	avml-stream,*) command=stream ;;
	esac
	case ${1-} in
	sources)
		command=sources
		shift
		;;
	stream)
		command=stream
		shift
		;;
	acquire | ./acquire) shift ;;
	esac
	refuse_far "$@"
	case $command,${1-} in
	stream,put | stream,blob | stream,s3 | stream,tcp | stream,tls) shift ;;
	esac
	case $* in
	--help | -h | --version | -V) return ;;
	"--version --verbose" | "--verbose -V" | "-V --verbose") return ;;
	esac
	while [ $# -gt 0 ]; do
		name=${1%%=*}
		value=${1#"$name"}
		value=${value#=}
		case $1 in
		--source=* | --iomem=* | --proc=* | --dev=* | --root=*) ;;
		--bundle=*) ;;
		--source | --iomem | --proc | --dev | --root | --bundle)
			value=${2-}
			[ $# = 1 ] || shift
			;;
		*)
			# What came before this is what counts as safe.
			first=${first:-$given}
			shift
			continue
			;;
		esac
		shift
		# An option without its value is wrong usage, and proves nothing.
		[ -n "$value" ] || continue
		case $name,$value in
		--bundle,*)
			is_made_up "$value" || fail "unsafe to run: $all"
			;;
		--root,*)
			is_harmless_root "$value" || fail "unsafe to run: $all"
			;;
		--proc,* | --dev,*)
			is_harmless_tree "$value" || fail "unsafe to run: $all"
			;;
		--source,kcore | --source,crash | --source,mem)
			name=$value
			;;
		*)
			# A word that is no path may be a source's name.
			case $value in
			*/*) ;;
			bpf) fail "unsafe to run: $all" ;;
			*) [ -e "$value" ] || fail "unsafe to run: $all" ;;
			esac
			is_harmless "$value" || fail "unsafe to run: $all"
			;;
		esac
		given=$given$name,
	done
	first=${first:-$given}
	# By its name it is looked for in a directory: in the one named before.
	case $given in
	*,crash,* | *,mem,*)
		case $first in
		*,--dev,*) ;;
		*) fail "unsafe to run: $all" ;;
		esac
		;;
	esac
	case $given in
	*,crash,* | *,mem,* | *,kcore,*)
		case $first in
		*,--proc,*) ;;
		*) fail "unsafe to run: $all" ;;
		esac
		;;
	esac
	case $given in
	*,--bundle,*)
		case $first in
		*,--proc,*--root,* | *,--root,*--proc,*) ;;
		*) fail "unsafe to run: $all" ;;
		esac
		;;
	esac
	case $command$first in
	*,--proc,*) ;;
	sources*) fail "unsafe to run: $all" ;;
	*,--source,--iomem,* | *,--iomem,--source,*) ;;
	*) fail "unsafe to run: $all" ;;
	esac
}

# A line that a shell runs as it stands finds made-up memory where this
# machine's own would be, see as-written.sh: both trees are there and harmless,
# and the line has nothing in it but the programs, plain words and the variables
# for servers, which are near.  Without them it might leave by another way.
# shellcheck disable=SC2154 # drop is of lib.sh
refuse_unsafe_line()
{
	local place
	[ ${#drop[@]} != 0 ] || fail "unsafe to run with capabilities: $1"
	if [ ! -e "$T/proc/iomem" ] || [ ! -e "$T/dev" ] ||
		! is_harmless_tree "$T/proc" || ! is_harmless_tree "$T/dev"; then
		fail "unsafe to run without made-up sources: $1"
	fi
	[[ $1 =~ ^(\./)?avml(-convert|-upload)?(\ [-A-Za-z0-9_./\ \$\{\}]*)?$ ]] ||
		fail "unsafe to run: $1"
	[[ $1 != *..* ]] || fail "unsafe to run: $1"
	for place in "${URL-}" "${SAS_URL-}" "${TCP-}"; do
		is_near "$place" || fail "unsafe to send there: $place"
	done
}
