#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small object store of S3's kind on this machine alone: multipart uploads.

  s3store.py --keys FILE --dir DIR [--bucket NAME] [--forward PORT]
             [--fault WHAT=HOW[*N]]... [--cert FILE]

FILE has lines of ID, SECRET, TOKEN (may be empty) and REGION. Every request is
judged by sigv4.check() first. Objects go below DIR/objects, by their encoded
names; DIR/port gets the port when requests are taken, DIR/log a line for each:
what it was, its status, and why it was refused.

With --forward, what is well signed is answered by a store at that port, or not
when it is gone.
WHAT is create, part, complete, abort, put, head, get or list_uploads; HOW a status, "error" (200
with an error in it that may pass), "denied" (with one that does not), "odd" (200
and no answer that one knows), "cut" (no answer) or "lost" (done, and no answer);
N times, or once.
"""

import argparse
import collections
import hashlib
import html
import http.client
import http.server
import itertools
import os
import ssl
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import sigv4  # noqa: E402

PART_MIN = 5 << 20
SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# What S3 answers, where it is not 403.
STATUS = {"BadDigest": 400, "InvalidURI": 400, "InvalidRequest": 400,
          "InvalidArgument": 400, "InvalidPart": 400, "InvalidPartOrder": 400,
          "EntityTooSmall": 400, "MalformedXML": 400, "NoSuchUpload": 404,
          "NoSuchBucket": 404, "NoSuchKey": 404, "MethodNotAllowed": 405,
          "InternalError": 500}


def document(name, values):
    inside = "".join(f"<{key}>{value}</{key}>" for key, value in values)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<{name} xmlns="{SPACE}">{inside}</{name}>').encode()


def error(code, why=""):
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}'
            f"</Code><Message>{why}</Message></Error>").encode()


class Store:
    def __init__(self, args):
        self.args = args
        with open(args.keys, encoding="utf-8") as file:
            lines = file.read().split("\n")
        self.keys = sigv4.Keys(lines[0], lines[1], lines[2] or None, lines[3])
        self.objects = os.path.join(args.dir, "objects")
        os.makedirs(self.objects, exist_ok=True)
        self.log = open(os.path.join(args.dir, "log"), "a", buffering=1,
                        encoding="utf-8")
        self.lock = threading.Lock()
        self.uploads = {}  # id: (key, {number: (etag, bytes)})
        self.ids = itertools.count(1)
        self.faults = collections.defaultdict(collections.deque)
        for fault in args.fault:
            what, _, how = fault.partition("=")
            how, _, times = how.partition("*")
            self.faults[what].extend([how] * int(times or 1))

    def fault_of(self, what):
        with self.lock:
            return self.faults[what].popleft() if self.faults[what] else None

    def key_of(self, host, path):
        """By the path or by the host."""
        bucket = self.args.bucket
        path = path.decode()
        if host.partition(":")[0].startswith(bucket + "."):
            return path[1:]
        sigv4.must(f"{path}/".startswith(f"/{bucket}/"), "NoSuchBucket", path)
        return path[len(bucket) + 2:]

    def write(self, key, body):
        with open(os.path.join(self.objects, sigv4.encode(key)), "wb") as file:
            file.write(body)

    def upload(self, query, key):
        upload_id = query["uploadId"]
        sigv4.must(self.uploads.get(upload_id, ("",))[0] == key,
                   "NoSuchUpload", upload_id)
        return self.uploads[upload_id][1]

    def create(self, key, query, body):
        # With what has to be encoded.
        upload_id = f"id+{next(self.ids)}/=.~"
        with self.lock:
            self.uploads[upload_id] = key, {}
        return 200, document("InitiateMultipartUploadResult", [
            ("Bucket", self.args.bucket), ("UploadId", upload_id)]), {}

    def part(self, key, query, body):
        number = query["partNumber"]
        sigv4.must(number.isdigit() and 1 <= int(number) <= 10000,
                   "InvalidArgument", number)
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        with self.lock:
            self.upload(query, key)[int(number)] = etag, body
        return 200, b"", {"ETag": etag}

    def complete(self, key, query, body):
        with self.lock:
            have = self.upload(query, key)
            try:
                root = xml.etree.ElementTree.fromstring(body)
            except xml.etree.ElementTree.ParseError as why:
                raise sigv4.Refused("MalformedXML", str(why)) from None
            told = [{e.tag.rpartition("}")[2]: (e.text or "").strip()
                     for e in part} for part in root]
            sigv4.must(root.tag.endswith("CompleteMultipartUpload") and told,
                       "MalformedXML", root.tag)
            numbers = [int(part["PartNumber"]) for part in told]
            sigv4.must(numbers == sorted(set(numbers)), "InvalidPartOrder", "")
            for number, part in zip(numbers, told):
                etag, content = have.get(number, (None, b""))
                sigv4.must(etag and etag.strip('"') == part["ETag"].strip('"'),
                           "InvalidPart", str(number))
                sigv4.must(len(content) >= PART_MIN or number == numbers[-1],
                           "EntityTooSmall", str(number))
            self.write(key, b"".join(have[n][1] for n in numbers))
            del self.uploads[query["uploadId"]]
        return 200, document("CompleteMultipartUploadResult", [
            ("ETag", f"&quot;{len(numbers)}&quot;")]), {}

    def abort(self, key, query, body):
        with self.lock:
            self.upload(query, key)
            del self.uploads[query["uploadId"]]
        return 204, b"", {}

    def put(self, key, query, body):
        self.write(key, body)
        return 200, b"", {"ETag": '"' + hashlib.md5(body).hexdigest() + '"'}

    def head(self, key, query, body):
        path = os.path.join(self.objects, sigv4.encode(key))
        sigv4.must(os.path.exists(path), "NoSuchKey", key)
        with open(path, "rb") as file:
            digest = hashlib.md5(file.read()).hexdigest()
        return 200, b"", {"Content-Length": str(os.path.getsize(path)),
                          "ETag": f'"{digest}"'}

    def get(self, key, query, body):
        path = os.path.join(self.objects, sigv4.encode(key))
        sigv4.must(os.path.exists(path), "NoSuchKey", key)
        with open(path, "rb") as file:
            return 200, file.read(), {}

    def list_uploads(self, key, query, body):
        sigv4.must(key == "", "MethodNotAllowed", key)
        with self.lock:
            return 200, document("ListMultipartUploadsResult", [
                ("Upload", "<Key>" + html.escape(key) + "</Key>")
                for key, _ in self.uploads.values()]), {}

    def what(self, method, query):
        names = {name for name in query if not name.startswith("X-Amz-")}
        wanted = {
            ("POST", ("uploads",)): self.create,
            ("PUT", ("partNumber", "uploadId")): self.part,
            ("POST", ("uploadId",)): self.complete,
            ("DELETE", ("uploadId",)): self.abort,
            ("PUT", ()): self.put,
            ("HEAD", ()): self.head,
            ("GET", ()): self.get,
            ("GET", ("uploads",)): self.list_uploads,
        }.get((method, tuple(sorted(names))))
        sigv4.must(wanted, "MethodNotAllowed", f"{method} {sorted(names)}")
        return wanted


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def body(self):
        sigv4.must("Transfer-Encoding" not in self.headers, "InvalidRequest",
                   "the length has to be told")
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def forward(self, body):
        """The same request, to one who is not strict."""
        there = http.client.HTTPConnection("127.0.0.1", store.args.forward)
        there.putrequest(self.command, self.path, skip_host=True,
                         skip_accept_encoding=True)
        for name, value in self.headers.items():
            there.putheader(name, value)
        there.endheaders(body or None)
        answer = there.getresponse()
        content = answer.read()
        there.close()
        kept = {name: value for name, value in answer.getheaders()
                if name.lower() in ("etag", "content-type") or
                self.command == "HEAD" and name.lower() == "content-length"}
        return answer.status, content, kept

    def answer(self, body):
        sigv4.check(store.keys, self.command, self.path, self.headers.items(),
                    body, time.time())
        path, pairs = sigv4.split_target(self.path)
        key = store.key_of(self.headers["Host"], path)
        act = store.what(self.command, dict(pairs))
        self.name = act.__name__
        if self.name == "part":
            self.name += " " + dict(pairs)["partNumber"]
        fault = store.fault_of(act.__name__)
        if fault == "error":
            return 200, error("InternalError", "We broke"), {}
        if fault == "denied":
            # With what must not be told: a URL ends with its signature.
            return 200, error("AccessDenied", "Not yours: Signature=" +
                              html.escape(self.path.rpartition("=")[2])), {}
        if fault == "odd":
            return 200, b"OK", {}
        if fault == "cut":
            return None, b"", {}
        if fault == "moved":
            # Back to here, by another name.
            to = f"http://localhost:{self.server.server_port}{self.path}"
            return 307, error("TemporaryRedirect", "Elsewhere"), {
                "Location": to}
        if fault and fault != "lost":
            code = {"404": "NoSuchUpload", "400": "RequestTimeout"}.get(
                fault, "SlowDown")
            return int(fault), error(code, "Reduce your rate"), {}
        if store.args.forward:
            try:
                answer = self.forward(body)
            except (OSError, http.client.HTTPException):
                answer = None, b"", {}
        else:
            answer = act(key, dict(pairs), body)
        return (None, b"", {}) if fault == "lost" else answer

    def serve(self):
        self.name, why = self.command, ""
        try:
            status, content, headers = self.answer(self.body())
        except sigv4.Refused as refused:
            why = f" {refused}"
            status = STATUS.get(refused.code, 403)
            content, headers = error(refused.code, refused), {}
        store.log.write(f"{self.name} {status or 'cut'}{why}\n")
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204 and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_POST = do_PUT = do_DELETE = do_GET = do_HEAD = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        # Who goes away in the middle is what tests are about.
        if not isinstance(sys.exc_info()[1],
                          (ConnectionError, ssl.SSLEOFError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keys", required=True)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--bucket", default="evidence")
    parser.add_argument("--forward", type=int)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--cert", help="certificate and key: https")
    args = parser.parse_args()
    global store
    store = Store(args)
    server = Server(("127.0.0.1", 0), Handler)
    if args.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.cert)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    # Whole or not there: somebody waits for it.
    port = os.path.join(args.dir, "port")
    with open(port + ".new", "w", encoding="utf-8") as file:
        file.write(f"{server.server_port}\n")
    os.replace(port + ".new", port)
    server.serve_forever()


if __name__ == "__main__":
    main()
