#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in front of a real server and spoils what goes through.

  proxy.py --to HOST:PORT --log FILE --port-file FILE [--raw] [OPTION...]

It listens on a port of its own choice, on loopback, and writes that to the
port file.  What it does to connections, counted from the first:

  --cut N,N...         the first is reset after N bytes from the client, the
                       second after the next N, and so on; "-" is none
  --cut-each N         every connection, after N bytes
  --answer N:STATUS[:RETRY_AFTER]
                       the first N requests get this answer, after their body
  --early              that answer comes after the head of the request alone
  --text TEXT          and has this body
  --location URL       and leads there
  --short              and ends before the length that it told
  --endless R          and goes on for ever, by R bytes a second
  --lose N             the first N answers of the server never get back
  --match TEXT         all three of these: of requests with TEXT in their line
  --rate R             bytes a second from the client, of each connection
  --stall N            nothing is taken after N bytes from the client
  --stalls K           of the first K connections alone
  --mute               all is taken, goes nowhere, and is not answered

With --raw bytes are not looked at: TLS, or no HTTP at all.  The log has a line
for what happens, with seconds since the start in front:

  0.123 request 1 PUT /path?query HTTP/1.1      the number is the request's
  0.123 header 1 Content-Length: 12
  0.130 whole 1 12        the body came to its end: so many bytes of it
  0.130 broken 1 7        or did not
  0.131 answered 1 503    by the proxy itself
  0.131 lost 1            the server's answer
  0.131 cut 10            a connection, after so many bytes of the client's
  0.131 stalled 10
"""

import argparse
import os
import socket
import struct
import sys
import threading
import time

STARTED = time.monotonic()
PIECE = 1 << 16


class Cut(Exception):
    pass


class Broken(Exception):
    pass


class Plan:
    """What is to be spoiled, and how much of that has been."""

    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.log_file = open(args.log, "a", buffering=1)
        self.connections = 0
        self.requests = 0
        self.cuts = [None if n == "-" else int(n)
                     for n in (args.cut.split(",") if args.cut else [])]
        self.answers, self.status, self.retry_after = 0, "", ""
        if args.answer:
            number, self.status, *rest = args.answer.split(":", 2)
            self.answers = int(number)
            self.retry_after = rest[0] if rest else ""
        self.losses = args.lose

    def log(self, *words):
        with self.lock:
            print("%.3f" % (time.monotonic() - STARTED), *words,
                  file=self.log_file)

    def connection(self):
        """Bytes until it is cut and until it stalls, None for never."""
        with self.lock:
            self.connections += 1
            cut = self.cuts.pop(0) if self.cuts else self.args.cut_each
            stall = self.args.stall
            if self.args.stalls and self.connections > self.args.stalls:
                stall = None
            return cut, stall

    def request(self, line):
        """Its number, whether it is answered here, or its answer is lost."""
        with self.lock:
            self.requests += 1
            if self.args.match not in line:
                return self.requests, False, False
            answered = self.answers > 0
            self.answers -= answered
            lost = not answered and self.losses > 0
            self.losses -= lost
            return self.requests, answered, lost


class Client:
    """Its bytes, as slowly as they are to come and no further."""

    def __init__(self, sock, plan):
        self.sock = sock
        self.plan = plan
        self.taken = 0
        self.buffer = b""
        self.cut, self.stall = plan.connection()

    def receive(self):
        size = PIECE
        rate = self.plan.args.rate
        if rate:
            size = max(1, min(size, rate // 20))
        for stop in (self.cut, self.stall):
            if stop is not None:
                size = min(size, stop - self.taken)
        if size == 0 and self.taken == self.cut:
            self.plan.log("cut", self.taken)
            raise Cut
        if size == 0:
            self.plan.log("stalled", self.taken)
            threading.Event().wait()
        data = self.sock.recv(size)
        self.taken += len(data)
        if rate:
            time.sleep(len(data) / rate)
        return data

    def more(self):
        data = self.receive()
        if not data:
            raise Broken
        self.buffer += data

    def until(self, mark):
        while mark not in self.buffer:
            self.more()
        end = self.buffer.index(mark) + len(mark)
        found, self.buffer = self.buffer[:end], self.buffer[end:]
        return found

    def pieces(self, length):
        while length > 0:
            if not self.buffer:
                self.more()
            piece, self.buffer = self.buffer[:length], self.buffer[length:]
            length -= len(piece)
            yield piece


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


class Connection:
    def __init__(self, sock, plan):
        self.sock = sock
        self.plan = plan
        self.server = None
        self.lost = 0  # the request whose answer is

    def to_server(self, data):
        if self.plan.args.mute:
            return
        if self.server is None:
            host, port = self.plan.args.to.rsplit(":", 1)
            self.server = socket.create_connection((host.strip("[]"),
                                                    int(port)))
            threading.Thread(target=self.answers, daemon=True).start()
        self.server.sendall(data)

    def answers(self):
        try:
            while data := self.server.recv(PIECE):
                if self.lost:
                    self.plan.log("lost", self.lost)
                    break
                self.sock.sendall(data)
            else:
                self.sock.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass
        # The other thread may wait for more of the client's.
        try:
            self.sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        reset(self.sock)

    def body(self, client, headers, give):
        """Yields the length of each piece of it, without the framing."""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            length = None
            while length != 0:
                line = client.until(b"\r\n")
                give(line)
                length = int(line.split(b";")[0], 16)
                for piece in client.pieces(length):
                    give(piece)
                    yield len(piece)
                give(client.until(b"\r\n"))
        else:
            for piece in client.pieces(int(headers.get("content-length", 0))):
                give(piece)
                yield len(piece)

    def answer(self, number, close):
        plan = self.plan
        plan.log("answered", number, plan.status)
        text = plan.args.text.encode("utf-8", "surrogateescape")
        head = ["HTTP/1.1 %s Spoiled" % plan.status]
        if not plan.args.endless:
            head.append("Content-Length: %d" %
                        (len(text) + 10 * plan.args.short))
        if plan.args.location:
            head.append("Location: " + plan.args.location)
        if plan.retry_after:
            head.append("Retry-After: " + plan.retry_after)
        if close:
            head.append("Connection: close")
        self.sock.sendall("\r\n".join([*head, "", ""]).encode() + text)
        size = max(1, plan.args.endless // 10)
        while plan.args.endless:
            self.sock.sendall(bytes([ord("y")]) * size)
            time.sleep(0.1)
        if plan.args.short:
            raise Broken

    def request(self, client):
        plan = self.plan
        head = client.until(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        number, answered, lost = plan.request(line)
        plan.log("request", number, line)
        for header in rest:
            plan.log("header", number, header)
        headers = {key.strip().lower(): value.strip() for key, value in
                   (header.split(":", 1) for header in rest)}
        if answered and plan.args.early:
            self.answer(number, True)
            self.sock.shutdown(socket.SHUT_WR)
            while client.receive():
                pass
            raise Broken
        self.lost = number if lost else 0
        give = (lambda data: None) if answered else self.to_server
        give(head)
        length = 0
        try:
            for piece in self.body(client, headers, give):
                length += piece
        except (Cut, Broken, OSError):
            plan.log("broken", number, length)
            raise
        plan.log("whole", number, length)
        if answered:
            self.answer(number, False)

    def run(self):
        client = Client(self.sock, self.plan)
        try:
            if self.plan.args.raw:
                while data := client.receive():
                    self.to_server(data)
                if self.server:
                    self.server.shutdown(socket.SHUT_WR)
                return
            while True:
                self.request(client)
        except Cut:
            reset(self.sock)
        except (Broken, OSError):
            self.sock.close()
        if self.server:
            self.server.close()


def main():
    parser = argparse.ArgumentParser()
    for name in ("--to", "--log", "--port-file"):
        parser.add_argument(name, required=True)
    parser.add_argument("--cut")
    for name in ("--cut-each", "--stall"):
        parser.add_argument(name, type=int)
    for name in ("--lose", "--rate", "--stalls", "--endless"):
        parser.add_argument(name, type=int, default=0)
    for name in ("--answer", "--text", "--match", "--location"):
        parser.add_argument(name, default="")
    for name in ("--raw", "--early", "--mute", "--short"):
        parser.add_argument(name, action="store_true")
    args = parser.parse_args()
    plan = Plan(args)
    listener = socket.socket()
    # What is not taken is not to vanish in buffers either.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    with open(args.port_file + ".new", "w") as file:
        print(listener.getsockname()[1], file=file)
    os.rename(args.port_file + ".new", args.port_file)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Connection(sock, plan).run,
                         daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
