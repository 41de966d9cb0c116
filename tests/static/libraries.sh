#!/bin/bash
# SPDX-License-Identifier: MIT
# What is inside: the binary, its bill of materials and the bytes agree.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/../cli/lib.sh"

# Where another program has to run it, that has its name.
binary=${BINARY:-$AVML}
bill=$binary.cdx.json
avml --version --verbose >"$T/version"
build=$(sed -n 's/^build: //p' "$T/version")

# The bill is one by the schema of its makers, read by their own library.
mkdir "$T/npm"
cat >"$T/npm/validate.js" <<'END'
const { Spec, Validation } = require("@cyclonedx/cyclonedx-library");
const text = require("fs").readFileSync(process.argv[2], "utf8");
new Validation.JsonStrictValidator(Spec.Version.v1dot5)
	.validate(process.argv[3] ? text.replace('"bom-ref"', '"bomref"') : text)
	.then((error) => {
		console.log(error === null ? "valid" : JSON.stringify(error));
	});
END
validate()
{
	NODE_PATH=$tests/../build/npm/node_modules node \
		"$T/npm/validate.js" "$@" >"$T/valid" || fail "no validator"
}
validate "$bill"
[ "$(cat "$T/valid")" = valid ] || fail "$bill: $(cut -c 1-300 "$T/valid")"
validate "$bill" broken
[ "$(cat "$T/valid")" != valid ] || fail "the validator takes anything"

"${PYTHON:-python3}" -ISB - "$bill" "$binary" "$T/version" \
	"$tests/.." <<'END' >"$T/found" || fail "$(cat "$T/found")"
import glob, hashlib, json, os, sys

top = sys.argv[4]
bill = json.load(open(sys.argv[1], encoding="utf-8"))
binary = open(sys.argv[2], "rb").read()
lines = open(sys.argv[3], encoding="utf-8").read().split("\n")

def must(condition, what):
    if not condition:
        print(what)
        sys.exit(1)

me = bill["metadata"]["component"]
must(me["hashes"][0]["content"] == hashlib.sha256(binary).hexdigest(),
     "the hash is not that of the binary")
must(lines[0].startswith("avml " + me["version"]), "another version")
properties = {p["name"]: p["value"] for p in me["properties"]}
commit = properties["avml:commit"]
must(commit == "unknown" or f"(commit {commit})" in lines[0], "another commit")
said = [line.strip() for line in lines if line.startswith("  ")]
listed = [f"{c['name']} {c['version']}" for c in bill["components"]
          if c["name"] != "linux-headers"]
must(said == listed, f"{said} are said, {listed} listed")
def sums(name):
    """Of every file of that name that was fetched, or is the compiler's."""
    found = glob.glob(f"{top}/build/kits/download/*/{name}")
    for taken in glob.glob(f"{top}/build/kits/*-*/taken"):
        for line in open(taken):
            path = line.rstrip("\n").split("\t")[5]
            if path.startswith("/") and os.path.basename(path) == name:
                found.append(path)
    return {hashlib.sha256(open(f, "rb").read()).hexdigest() for f in found}

for c in bill["components"]:
    name = c["properties"][0]["value"]
    must(c["hashes"][0]["content"] in sums(name), f"no {name} has that hash")
    if c["name"] == "OpenSSL":
        must(b"OpenSSL " + c["version"].split("-")[0].encode() in binary,
             "another OpenSSL is inside")
    # With the constants of SHA-256, in the processor's order of bytes.
    if c["name"] in ("Mbed TLS", "OpenSSL"):
        words = (0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5)
        must(any(b"".join(w.to_bytes(4, order) for w in words) in binary
                 for order in ("little", "big")), "no SHA-256 is inside")
    must(c["purl"].startswith("pkg:deb/debian/"), c["purl"])
    must(c["licenses"], f"{c['name']} has no licence")
END

# The libraries' own words are in the bytes; minimal has none for networks.
words=('OpenSSL 3\.[0-9]+\.[0-9]+ ' 'HTTP/1\.' 'Could not resolve host'
	'/etc/resolv\.conf')
for word in "${words[@]}"; do
	found=$(grep -caE -e "$word" "$binary" || :)
	case $build,$found in
	static,0) fail "static has no $word" ;;
	static,* | static-minimal,0) ;;
	*) fail "$build has $word" ;;
	esac
done
