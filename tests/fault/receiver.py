# SPDX-License-Identifier: MIT
"""What runs send to: a server on loopback that keeps what is PUT, whole.

It knows Put Block and Put Block List as well.  A body that breaks off is
nothing.  Of a connection without HTTP all is kept that came.
"""

import http.server
import re
import select
import socket
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


class Plain:
    """One connection to a port of its own, read until it ends."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.data = b""
        self.over, self.waker = socket.socketpair()
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def _receive(self):
        select.select([self.listener, self.over], [], [])
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return
        parts = []
        with connection:
            connection.setblocking(True)
            try:
                while part := connection.recv(1 << 20):
                    parts.append(part)
            except ConnectionError:
                pass
        self.data = b"".join(parts)

    def take(self):
        """After the run: what came of it."""
        self.waker.close()
        self.thread.join()
        self.over.close()
        self.listener.close()
        return self.data
