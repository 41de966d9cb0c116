#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what goes off the host, against curl and against its parts.

    bench/net.py [--size MIB] [--runs N] --avml PATH --tools DIR --tmpfs DIR

To nginx and Azurite on loopback, which are started here (make npm). The file,
the memory and what arrives at nginx are on tmpfs. Cases are run in turn, N
times each, and medians are taken:

  put      a file to nginx, held against `curl -T` of the same file
  blob     a compressed image to Azurite, and the same as a stream of memory,
           held against the longest of: the acquisition alone (to /dev/null),
           the upload of the file that is there, and the processor time of both
           sides divided by the processors
  peak     the most memory that each takes (VmHWM)

PATH is the binary, of a build with network code. Prints Markdown. Only files
are read, never a machine's memory.
"""
import argparse
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
AZURE = [sys.executable, os.path.join(TOP, "tests/lib/azure.py")]
AZURITE = os.path.join(TOP, "build/npm/node_modules/azurite/dist/src/blob/main.js")
MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A program that listens, and is ended with the bench."""

    def __init__(self, port, *words):
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        self.end()
        sys.exit(f"does not listen: {' '.join(words)}")

    def cpu(self):
        """Seconds of processor so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Bench:
    def __init__(self, args, root):
        self.args = args
        self.root = root
        self.servers = contextlib.ExitStack()
        self.seen = {}  # name: [(seconds, cpu of both sides, peak KiB)]

    def serve(self, port, *words):
        server = Server(port, *words)
        self.servers.callback(server.end)
        return server

    def run(self, name, server, *words):
        before = server.cpu() if server else 0
        # A small program runs it: what forks leaves its own peak behind.
        done = subprocess.run([os.path.join(self.args.tools, "parts"), "run",
                               *words], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"failed: {' '.join(words)}")
        took, cpu, peak = (float(word) for word in done.stdout.split())
        if server:
            cpu += server.cpu() - before
        self.seen.setdefault(name, []).append((took, cpu, peak))

    def median(self, name, which=0):
        return statistics.median(row[which] for row in self.seen[name])

    def nginx(self):
        port = free_port()
        at = os.path.join(self.root, "nginx")
        os.makedirs(os.path.join(at, "www"))
        user = "user root;" if os.getuid() == 0 else ""
        with open(os.path.join(at, "conf"), "w", encoding="ascii") as conf:
            conf.write(f"""daemon off; master_process off; {user}
                pid {at}/pid; error_log {at}/error; events {{ }}
                http {{ access_log off; client_max_body_size 0;
                  client_body_temp_path {at}/body; proxy_temp_path {at}/p;
                  fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u;
                  scgi_temp_path {at}/s;
                  server {{ listen 127.0.0.1:{port}; root {at}/www;
                    dav_methods PUT; }} }}""")
        server = self.serve(port, "nginx", "-e", f"{at}/error", "-p", at, "-c",
                            f"{at}/conf")
        return server, f"http://127.0.0.1:{port}/image", f"{at}/www/image"

    def azurite(self):
        port = free_port()
        server = self.serve(port, "node", AZURITE, "--disableTelemetry",
                            "--silent", "--blobPort", str(port), "--location",
                            os.path.join(self.root, "azurite"))
        base = f"http://127.0.0.1:{port}/devstoreaccount1"
        subprocess.run([*AZURE, "make", base, "bench"], check=True)
        url = subprocess.run([*AZURE, "sas", base, "bench/image"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout.strip()
        return server, url

    def compressed(self, memory, iomem):
        return ["--source", memory, "--iomem", iomem, "--compress", "--quiet"]

    def all(self):
        avml = self.args.avml
        memory, iomem, image = (os.path.join(self.root, name) for name in
                                ("memory", "iomem", "image"))
        subprocess.run([os.path.join(self.args.tools, "input"), "mixed",
                        str(self.args.size), memory], check=True)
        with open(iomem, "w", encoding="ascii") as out:
            out.write(f"00000000-{self.args.size * MIB - 1:08x} : System RAM\n")
        source = self.compressed(memory, iomem)
        subprocess.run([avml, *source, image], check=True)
        with self.servers:
            nginx, url, arrived = self.nginx()
            azurite, sas = self.azurite()
            for _ in range(self.args.runs):
                self.run("curl", nginx, "curl", "-s", "-f", "-T", memory, url)
                os.remove(arrived)
                self.run("put", nginx, avml, "upload", "put", "--quiet",
                         memory, url)
                os.remove(arrived)
                self.run("put stream", nginx, avml, "stream", "put", *source,
                         url)
                os.remove(arrived)
                self.run("null", None, avml, *source, "/dev/null")
                self.run("blob", azurite, avml, "upload", "blob", "--quiet",
                         image, sas)
                self.run("blob stream", azurite, avml, "stream", "blob",
                         *source, sas)
        self.print(os.path.getsize(image))

    def print(self, image):
        args = self.args
        print(f"\n### Off the host\n\n{args.size} MiB of mixed memory, an "
              f"image of {image // MIB} MiB, medians of {args.runs} runs, "
              f"{os.cpu_count()} processors.\n")
        print("| case | seconds | processor, both sides | VmHWM, MiB |")
        print("| --- | ---: | ---: | ---: |")
        for name in ("curl", "put", "put stream", "null", "blob",
                     "blob stream"):
            print(f"| {name} | {self.median(name):.2f} | "
                  f"{self.median(name, 1):.2f} | "
                  f"{self.median(name, 2) / 1024:.1f} |")
        print(f"\nput: {self.median('curl') / self.median('put'):.2f} times "
              "the rate of curl -T.")
        bound = max(self.median("null"), self.median("blob"),
                    self.median("blob stream", 1) / os.cpu_count())
        print(f"blob stream: {self.median('blob stream') / bound:.2f} times "
              "the longest of its parts.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--avml", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--tmpfs", default="/dev/shm")
    args = parser.parse_args()
    if not os.path.exists(AZURITE):
        sys.exit("no azurite (make npm)")
    root = tempfile.mkdtemp(prefix="avml-net.", dir=args.tmpfs)
    try:
        Bench(args, root).all()
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
