"""A mail server and a webhook's receiver that live as long as a test and keep what they are sent."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


@dataclass
class Mail:
    """A mail server without encryption. `refuses` are addresses that it does not know."""

    letters: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address: str) -> list[EmailMessage]:
        return [letter for letter in self.letters if letter["To"] == address]


@dataclass
class Hook:
    """An HTTP server that keeps every document and answers with `status`."""

    pages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 204
    location: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/s3cret-path"


@contextmanager
def mail_server() -> Iterator[Mail]:
    kept = Mail()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._answer("220 test")
            while line := self.rfile.readline().decode().strip():
                kept.said.append(line)
                word = line.split()[0].upper()
                if word == "EHLO":
                    self._answer("250-test\r\n250 AUTH PLAIN LOGIN")
                elif word == "RCPT" and line[line.index("<") + 1 : line.index(">")] in kept.refuses:
                    self._answer("550 no such user here")
                elif word == "DATA":
                    self._answer("354 go on")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    kept.letters.append(email.message_from_bytes(b"".join(lines), policy=email.policy.default))
                    self._answer("250 kept")
                elif word == "QUIT":
                    self._answer("221 bye")
                    return
                else:
                    self._answer("250 ok")

        def _answer(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Talk) as server, _running(server):
        kept.port = server.server_address[1]
        yield kept


@contextmanager
def hook_server() -> Iterator[Hook]:
    kept = Hook()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.pages.append(json.loads(body))
            kept.headers.append(dict(self.headers))
            self._end()

        def do_GET(self) -> None:
            kept.headers.append(dict(self.headers))
            self._end()

        def _end(self) -> None:
            self.send_response(kept.status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server, _running(server):
        kept.port = server.server_address[1]
        yield kept


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
