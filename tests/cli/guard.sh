#!/bin/bash
# SPDX-License-Identifier: MIT
# The guard in front of the binary: what is not plainly made up never runs.
# shellcheck disable=SC2034 # lib.sh looks at it
namespace=wanted
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"

make_proc --size 4
cp "$T/memory" "$T/m"
AVML=$T/never
printf '#!/bin/sh\ntouch %s\n' "$T/ran" >"$AVML"
chmod +x "$AVML"
refused()
{
	if avml "$@" 2>/dev/null; then
		fail "not refused: $*"
	fi
	[ -s "$T/failed" ] || fail "no reason: $*"
	rm "$T/failed"
	[ ! -e "$T/ran" ] || fail "ran: $*"
}
refused
refused "$T/out"
refused acquire "$T/out"
refused --source kcore "$T/out"
refused --source /proc/kcore "$T/out"
refused --source "$T/m" "$T/out"
refused --iomem "$T/iomem" "$T/out"
refused --proc /proc --source kcore "$T/out"
refused --proc "$T/../../proc" --source kcore "$T/out"
refused --proc "$T/proc" --source /dev/mem "$T/out"
refused --proc "$T/proc" --source /proc/kcore "$T/out"
refused --proc "$T/proc" --source bpf "$T/out"
refused --source "$T/m" --iomem /proc/iomem "$T/out"
refused --source /dev/mem --iomem "$T/iomem" "$T/out"
refused --source /dev/mem "--iomem=$T/iomem" "$T/out"
refused --source "$T/m" "$T/out" --iomem "$T/iomem"
refused --source "$T/m" --iomem
refused --source "$T/m" --iomem= "$T/out"
refused "--source=$T/m" -- --iomem "$T/iomem"
refused --source "$T/m" --iomem "$T/iomem" --source /dev/mem "$T/out"
refused --source "$T/m" --iomem "$T/iomem" "$T/out" --proc /proc
refused --threads "--source" "$T/m" --iomem "$T/iomem" "$T/out"
refused --help "$T/out"
refused acquire --help "$T/out"
ln -s /proc "$T/link"
refused --proc "$T/link" --source kcore "$T/out"

# Without --source, and by the name of a device: both directories made up.
mkdir "$T/dev"
cp "$T/m" "$T/dev/crash"
refused --dev "$T/dev" "$T/out"
refused --dev "$T/dev" --iomem "$T/iomem" "$T/out"
refused --proc /proc --dev "$T/dev" "$T/out"
refused --proc "$T/proc" --dev /dev "$T/out"
refused "--proc=$T/proc" --dev=/dev "$T/out"
refused --proc "$T/proc" "$T/out" --dev /dev
refused --proc "$T/proc" --source mem "$T/out"
refused --proc "$T/proc" --source=crash "$T/out"
refused --dev "$T/dev" --source mem "$T/out"
refused --dev "$T/dev" --source crash --iomem "$T/iomem" "$T/out"
refused --source "$T/m" --iomem "$T/iomem" --dev "$T/dev" --source mem "$T/out"
refused --source "$T/m" --iomem "$T/iomem" --source kcore "$T/out"
refused --proc "$T/proc" --source mem "$T/out" --dev "$T/dev"
refused --proc "$T/proc" --threads 2 --dev "$T/dev" --source mem "$T/out"
refused --proc "$T/proc" --dev "$T/dev" --source /dev/crash "$T/out"
refused --proc "$T/proc" --dev "$T/dev" --source bpf "$T/out"
refused --proc "$T/proc" --dev "$T/dev" "$T/out" --source /dev/mem
refused --iomem "$T/iomem" "$T/out"
refused --threads --proc "$T/proc" "$T/out"
touch "$T/bpf"
cd "$T"
refused --proc "$T/proc" --source bpf "$T/out"
cd "$OLDPWD"

# What lies in them must be made up too: no links, mounts, device nodes.
spoiled()
{
	refused --proc "$T/odd" "$T/out"
	refused --proc "$T/odd" --source kcore "$T/out"
	refused --proc "$T/proc" --dev "$T/odd" "$T/out"
	refused sources --proc "$T/odd"
	refused sources --proc "$T/proc" --dev "$T/odd"
	rm -rf "$T/odd"
	mkdir "$T/odd"
}
mkdir "$T/odd"
for name in kcore kpageflags iomem meminfo; do
	ln -s "/proc/$name" "$T/odd/$name"
	spoiled
done
for name in crash mem; do
	ln -s "/dev/$name" "$T/odd/$name"
	spoiled
done
if mknod "$T/odd/device" c 10 183 2>/dev/null; then
	refused --source "$T/odd/device" --iomem "$T/iomem" "$T/out"
	spoiled
	mknod "$T/odd/device" b 7 200
	spoiled
else
	skip_part "devices: may not be made"
fi
if [ -n "${AVML_TEST_NAMESPACE-}" ] && touch "$T/odd/version" &&
	mount --bind /proc/version "$T/odd/version" 2>/dev/null; then
	mounts=("$T/odd/version")
	refused --source "$T/odd/version" --iomem "$T/iomem" "$T/out"
	refused --proc "$T/odd" "$T/out"
	refused sources --proc "$T/odd"
	umount "$T/odd/version"
	mounts=()
	mount --bind /proc "$T/odd"
	mounts=("$T/odd")
	refused --proc "$T/odd" "$T/out"
	refused sources --proc "$T/odd"
	refused sources --proc "$T/proc" --dev "$T/odd"
	umount "$T/odd"
	mounts=()
else
	skip_part "mounts: may not be made"
fi

# A line that is run as it stands needs both trees, and names nothing else.
# shellcheck source=tests/lib/as-written.sh
. "$tests/lib/as-written.sh"
refused_line()
{
	if (as_written "$1") 2>/dev/null; then
		fail "not refused: $1"
	fi
	[ -s "$T/failed" ] || fail "no reason: $1"
	rm "$T/failed"
	[ ! -e "$T/ran" ] || fail "ran: $1"
}
mkdir "$T/bin" "$T/work"
for name in avml avml-convert; do
	ln -s "$AVML" "$T/bin/$name"
	cp "$AVML" "$T/work/$name"
done
# shellcheck disable=SC2016 # nothing is to expand
for line in 'avml out; avml' 'avml $(avml)' 'avml `avml`' 'avml & avml' \
	'avml out >x' 'avml <x' 'avml "out"' "avml 'out'" 'avml ../out' \
	'avml --url http://localhost:1 out' 'avml stream tcp localhost:1' \
	'exec avml out' '/bin/avml out' 'sudo avml out' 'avml-info out' ''; do
	refused_line "$line"
done
for to in http://10.0.0.1/x https://example.com 8.8.8.8:1; do
	for name in URL SAS_URL TCP; do
		printf -v "$name" %s "$to"
		refused_line 'avml out'
		unset "$name"
	done
done
mv "$T/dev" "$T/dev.gone"
refused_line 'avml out'
mv "$T/dev.gone" "$T/dev"
ln -s /dev/mem "$T/dev/mem"
refused_line 'avml out'
rm "$T/dev/mem"
mv "$T/proc/iomem" "$T/proc/iomem.gone"
refused_line 'avml out'
mv "$T/proc/iomem.gone" "$T/proc/iomem"
was=("${drop[@]}")
drop=()
refused_line 'avml out'
drop=("${was[@]}")
# Where it runs, it finds no tree but these, and has no capability.
if can_hide; then
	mkdir -p "$T/proc/self"
	rm "$T/bin/avml"
	cat >"$T/bin/avml" <<-'SEEN'
	#!/bin/bash
	cd "${0%/*}/.."
	{
		[ /proc -ef proc ] && [ /dev -ef dev ] && echo made up
		grep '^Cap[BEIP]' /proc/self/status | tr -s '[:blank:]' ' '
	} >seen
	SEEN
	chmod +x "$T/bin/avml"
	(as_written 'avml out')
	for line in 'made up' 'CapEff: 0+' 'CapPrm: 0+' 'CapBnd: 0+' 'CapInh: 0+'; do
		grep -qxE "$line" "$T/seen" || fail "no $line: $(cat "$T/seen")"
	done
fi

# `avml sources` looks at sources too, and opens them.
refused sources
refused sources --json
refused sources --proc
refused sources --proc=
refused sources --proc /proc
refused sources --proc "$T/link"
refused sources --proc "$T/proc" --dev /dev
refused sources --proc "$T/proc" --json --dev=/dev
refused sources --proc "$T/proc" --iomem /proc/iomem
refused sources --proc "$T/proc" --source mem
refused sources --dev "$T/dev"
refused sources --iomem "$T/iomem"
refused sources --source "$T/m" --iomem "$T/iomem"
refused sources --json --proc "$T/proc"
refused sources --json --help
program=$AVML
AVML=$T/avml-sources
ln -s "$program" "$AVML"
refused
refused --proc /proc
refused --source "$T/m" --iomem "$T/iomem"
AVML=$program

# What --bundle collects is made up, and so is where it goes.
mkdir -p "$T/root/boot" "$T/odd-root/etc"
refused --proc "$T/proc" --bundle "$T/dir" "$T/out"
refused --source "$T/m" --iomem "$T/iomem" --bundle "$T/dir" "$T/out"
refused --root "$T/root" --bundle "$T/dir" "$T/out"
refused --root "$T/root" "$T/out"
refused --source "$T/m" --iomem "$T/iomem" --root "$T/root" \
	--bundle "$T/dir" "$T/out"
refused --proc "$T/proc" --root / --bundle "$T/dir" "$T/out"
refused --proc "$T/proc" --root "$T/root/../../.." "$T/out"
refused --proc /proc --root "$T/root" --bundle "$T/dir" "$T/out"
refused --proc "$T/proc" --threads 1 --root "$T/root" --bundle "$T/d" "$T/out"
refused --proc "$T/proc" "$T/out" "--bundle=$T/dir" --root "$T/root"
refused --proc "$T/proc" --root "$T/root" --bundle /tmp "$T/out"
refused --proc "$T/proc" --root "$T/root" --bundle= --bundle "$T/../d" "$T/out"
refused sources --root "$T/root"
ln -s /etc/os-release "$T/odd-root/etc/os-release"
refused --proc "$T/proc" --root "$T/odd-root" --bundle "$T/dir" "$T/out"
rm -r "$T/odd-root/etc"
ln -s /etc "$T/odd-root/etc"
refused --proc "$T/proc" --root "$T/odd-root" --bundle "$T/dir" "$T/out"
mkdir -p "$T/odd/sys/kernel"
ln -s /proc/sys/kernel/osrelease "$T/odd/sys/kernel/osrelease"
spoiled

# These two read an image, as a conversion does.
for command in info verify; do
	refused $command /proc/kcore
	refused $command --threads 2 /dev/mem
	refused $command /dev/crash
	refused $command "$T/link/kcore"
	refused $command "$T/../../proc/kcore"
	refused $command -- /dev/sda
	refused $command - </proc/self/maps
	AVML=$T/avml-$command
	ln -s "$program" "$AVML"
	refused /proc/kcore
	refused --threads=1 "$T/link/kcore"
	AVML=$program
done
cd /proc
refused info kcore
cd "$OLDPWD"

# Of what goes over the network, to others too.
url=http://localhost:1/x
refused stream put "$url"
refused stream tcp --source "$T/m" localhost:1
refused stream put --threads 1 "$url" --source "$T/m" --iomem "$T/iomem"
refused stream --source "$T/m" put --iomem "$T/iomem" "$url"
refused stream put --source /proc/kcore --iomem "$T/iomem" "$url"
refused stream put --proc /proc "$url"
refused stream blob --proc "$T/proc" --source mem "$url"
refused stream put put --proc "$T/proc" "$url"
refused --url "$url" "$T/out"
refused --url "$url" --proc "$T/proc" "$T/out"
for to in http://collector.org/x http://localhost@10.0.0.1/x "https://[fe80::1]/" \
	ftp://localhost.org http://10.1.2.3:80?http://localhost/; do
	refused --proc "$T/proc" --url "$to" "$T/out"
	refused --proc "$T/proc" "--sas-url=$to" "$T/out"
	refused stream put --proc "$T/proc" "$to"
	refused upload put "$T/m" "$to"
	before=(env "AVML_URL=$to")
	refused stream put --proc "$T/proc"
	before=(env "AVML_SAS_URL=$to")
	refused upload blob "$T/m"
	before=()
	AVML_URL=$to refused upload put "$T/m"
done
for to in collector:1 10.0.0.1:1 "[fe80::1]:1" localhost.org:1; do
	refused stream tcp --proc "$T/proc" "$to"
	refused stream tls --proc "$T/proc" "$to"
	before=(env "AVML_URL=$to")
	refused stream tcp --proc "$T/proc"
	before=()
done
# Of S3: an endpoint here, or a list that leads nowhere else.
s3=s3://evidence/key
near=--endpoint-url=http://localhost:1
# A file of the shell's own, so that it can be read twice.
list()
{
	printf '{"complete": "%s", "parts": ["%s"]}\n' "$1" "$2" >"$T/list"
}
far_s3()
{
	refused upload s3 "$@" "$T/m" "$s3"
	refused stream s3 --proc "$T/proc" "$@" "$s3"
	refused --proc "$T/proc" "$@" --s3 "$s3" "$T/out"
	refused --proc "$T/proc" "$@" "--s3=$s3" "$T/out"
}
far_s3
far_s3 --region us-east-1
for to in https://s3.amazonaws.com http://localhost.org http://127.1.org '' \
	nonsense.org http://10.0.0.1:9000; do
	far_s3 --endpoint-url "$to"
	far_s3 "--endpoint-url=$to"
	far_s3 "$near" "--endpoint-url=$to"
	for name in AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3; do
		before=(env "$name=$to")
		far_s3
		before=(env "$name=$to" "$name=http://localhost:1")
		far_s3
	done
	before=()
done
AWS_ENDPOINT_URL_S3=https://s3.amazonaws.com far_s3 "$near"
# One that is exported may be taken away again.
AWS_ENDPOINT_URL=http://localhost:1 far_s3
before=(env "AVML_S3=$s3")
refused upload s3 "$T/m"
refused --proc "$T/proc" "$T/out"
before=()
AVML_S3=$s3 refused --proc "$T/proc" "$T/out"
far_list()
{
	refused upload s3 --part-urls "$T/list" "$T/m"
	refused upload s3 --part-urls - "$T/m" <"$T/list"
	refused stream s3 --proc "$T/proc" "--part-urls=$T/list"
	refused --proc "$T/proc" --part-urls "$T/list" "$T/out"
}
for to in http://collector.org/x 'http:\/\/collector.org/x' HTTP://c.org/x \
	http:/collector.org/x 'http\u003a//collector.org' \
	https://evidence.s3.amazonaws.com/key?x 'http://localhost@c.org/'; do
	list http://localhost:1/x "$to"
	far_list
	list "$to" http://localhost:1/x
	far_list
done
list http://localhost:1/x http://127.0.0.1:1/x
refused upload s3 --part-urls - "$T/m" < <(cat "$T/list")
refused upload s3 "$T/m" --part-urls /dev/zero
refused --proc "$T/proc" --part-urls "$T/list" "$T/out" --source /proc/kcore
refused stream s3 --part-urls "$T/list"
refused upload s3 --part-urls "$T/list" /proc/kcore

refused upload put /proc/kcore "$url"
refused upload put /proc/self/maps "$url"
refused upload put --cacert=/etc/passwd "$T/m" "$url"
refused upload put "$T/link/kcore" "$url"
refused upload put "$T/../../etc/passwd" "$url"
refused upload blob --quiet /dev/mem "$url"
refused upload put --url-file - "$T/m" </proc/self/maps
if mknod "$T/odd/device" c 1 1 2>/dev/null; then
	refused upload put "$T/odd/device" "$url"
	rm "$T/odd/device"
fi
cd /proc
refused upload put kcore "$url"
cd /etc
refused upload put passwd "$url"
cd "$tests/.."
AVML=$T/avml-upload
ln -s "$program" "$AVML"
refused put /proc/kcore "$url"
refused upload-blob /dev/mem "$url"
AVML=$T/avml-stream
ln -s "$program" "$AVML"
refused put "$url"
refused tcp --proc "$T/proc" collector:1
AVML=$program

allowed()
{
	avml "$@" || fail "not allowed: $*"
	[ -e "$T/ran" ] || fail "did not run: $*"
	rm "$T/ran"
}
allowed --help
allowed acquire --version
allowed --verbose -V
allowed --source "$T/m" --iomem "$T/iomem" "$T/out"
allowed acquire "--iomem=$T/iomem" "--source=$T/m" "$T/out" --bogus
allowed --proc "$T/proc" --source kcore "$T/out"
allowed --source "$T/proc/kcore" "--proc=$T/proc" "$T/out"
allowed --proc "$T/proc" "$T/out"
allowed --proc "$T/proc" "--dev=$T/dev" "$T/out"
allowed --dev "$T/dev" --proc "$T/proc" --source mem "$T/out"
allowed --proc "$T/proc" --source=crash --dev "$T/dev" "$T/out"
allowed --proc "$T/none" --dev "$T/none" "$T/out"
allowed --proc "$T/proc" --root "$T/root" --bundle "$T/dir" "$T/out"
allowed --root "$T/root" "--proc=$T/proc" "$T/out" "--bundle=$T/dir"
allowed sources --help
allowed sources --version
allowed sources --proc "$T/proc"
allowed sources "--proc=$T/proc" --json --dev "$T/dev" --iomem "$T/iomem"
AVML=$T/avml-sources
allowed --proc "$T/proc" --json
AVML=$program
for to in "$url" https://127.0.0.1:1/a?b=c@d 'http://user:word@[::1]:1/' \
	http://no.such.invalid/ http:// ftp://localhost; do
	allowed stream put --proc "$T/proc" "$to"
	allowed stream --proc "$T/proc" blob "$to"
	allowed acquire --proc "$T/proc" --sas-url "$to" "$T/out"
	allowed upload put "$T/m" "$to"
	allowed upload --pin=sha256//a/b= --rate-limit 2M blob "$T/m" "$to"
	before=(env "AVML_URL=$to")
	allowed upload put "$T/m"
	before=()
done
near_s3()
{
	allowed upload s3 "$@" "$T/m" "$s3"
	allowed stream s3 --proc "$T/proc" "$@" "$s3"
	allowed --proc "$T/proc" "$@" --s3 "$s3" "$T/out"
}
for to in http://localhost:1 https://s3.localhost:1 'http://[::1]:1' \
	http://127.0.0.1 http://no.such.invalid; do
	near_s3 --endpoint-url "$to"
	for name in AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3; do
		before=(env "$name=$to" AWS_SESSION_TOKEN=a=b)
		near_s3
		allowed upload s3 "$T/m"
	done
	before=(env "AVML_S3=$s3" "AWS_ENDPOINT_URL=$to")
	allowed --proc "$T/proc" "$T/out"
	before=()
	list "$to/x" "http:\/\/localhost:1\/\u00f6?x=://"
	allowed upload s3 "--part-urls=$T/list" "$T/m"
	allowed upload s3 --part-urls - "$T/m" <"$T/list"
	allowed stream s3 --proc "$T/proc" --part-urls "$T/list"
	allowed --proc "$T/proc" --part-urls "$T/list" "$T/out"
done
allowed upload s3 --part-urls "$T/none" "$T/m"
allowed stream tcp --source "$T/m" --iomem "$T/iomem" localhost:1
allowed stream tls --proc "$T/proc" "[::1]:1"
allowed upload put "$T/m" nonsense
allowed upload --help
allowed stream --help
AVML=$T/avml-upload
allowed put "$T/m" "$url"
AVML=$T/avml-stream
allowed tcp --proc "$T/proc" localhost:1
AVML=$program
for command in info verify; do
	allowed $command "$T/m"
	allowed $command "$T/none"
	allowed $command - <"$T/m"
	allowed $command --help
	AVML=$T/avml-$command
	allowed --threads 2 "$T/m"
	AVML=$program
done
if mknod "$T/odd/zero" c 1 5 2>/dev/null; then
	allowed --proc "$T/proc" --dev "$T/odd" "$T/out"
fi
