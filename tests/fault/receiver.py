# SPDX-License-Identifier: MIT
"""What runs send to: a server on loopback that keeps what is PUT, whole.

It knows Put Block and Put Block List as well.  A body that breaks off is
nothing.  Of a connection without HTTP all is kept that came.
"""

import http.server
import os
import re
import select
import socket
import ssl
import subprocess
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            return body if len(body) == length else None
        parts = []
        while True:
            line = self.rfile.readline()
            if not line.strip():
                return None
            length = int(line, 16)
            part = self.rfile.read(length)
            if len(part) < length or self.rfile.readline() != b"\r\n":
                return None
            if length == 0:
                return b"".join(parts)
            parts.append(part)

    def do_PUT(self):
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        self.server.put(url.path.strip("/"), query.get("comp", [""])[0],
                        query.get("blockid", [""])[0], body)
        self._answer(201)

    def do_HEAD(self):
        # Those who may write may often not read.
        self._answer(403)

    def _answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Receiver(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.blocks, self.objects = {}, {}
        self.address = "127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A run that ends in the middle of a request is what is wanted."""

    def put(self, key, what, block, body):
        with self.lock:
            blocks = self.blocks.setdefault(key, {})
            if what == "block":
                blocks[block] = body
            elif what == "blocklist":
                names = re.findall(r"<Latest>([^<]*)</Latest>", body.decode())
                self.objects[key] = b"".join(blocks[name] for name in names)
            else:
                self.objects[key] = body

    def take(self, key):
        """What is there by now, b"" if it is nothing; and it is forgotten."""
        with self.lock:
            self.blocks.pop(key, None)
            return self.objects.pop(key, b"")


def make_certificate(directory):
    """A file with a certificate for 127.0.0.1, and its key."""
    path = os.path.join(directory, "receiver.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", path + ".key",
                    "-out", path], check=True, stderr=subprocess.DEVNULL)
    with open(path, "ab") as out, open(path + ".key", "rb") as key:
        out.write(key.read())
    return path


class Plain:
    """One connection to a port of its own, read until it ends.

    With a certificate it is inside of TLS, whose end is said by both.
    """

    def __init__(self, certificate=None):
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.parts = []
        self.over, self.waker = socket.socketpair()
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def _receive(self):
        select.select([self.listener, self.over], [], [])
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(True)
        with connection:
            try:
                self._read(connection)
            except OSError:
                # What breaks off has come so far.
                pass

    def _read(self, connection):
        if self.context:
            connection = self.context.wrap_socket(connection,
                                                  server_side=True)
        with connection:
            while part := connection.recv(1 << 20):
                self.parts.append(part)
            if self.context:
                connection.unwrap()

    def take(self):
        """After the run: what came of it."""
        self.waker.close()
        self.thread.join()
        self.over.close()
        self.listener.close()
        return b"".join(self.parts)
