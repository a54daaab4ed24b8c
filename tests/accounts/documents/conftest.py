"""Where uploaded files lie in a test, and a scanner that speaks clamd's own protocol."""

import socketserver
import struct
import threading
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from config.connections import file_store
from tests.support.papers import picture

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.STORAGES = {**settings.STORAGES, "private": file_store("file:", home=tmp_path, folder="private")}
    return tmp_path / "private"


@pytest.fixture
def files(store):
    """What lies there now."""
    return lambda: sorted(path for path in store.rglob("*") if path.is_file())


@pytest.fixture
def hand_in():
    """As a client does: `hand_in(api(user), kind="identity")`."""

    def send(client: APIClient, content: bytes | None = None, *, kind="identity", name="pass.png", **headers):
        file = SimpleUploadedFile(name, picture("PNG") if content is None else content, "text/html")
        return client.post("/api/v1/me/documents", {"kind": kind, "file": file}, format="multipart", **headers)

    return send


class _Clamd(socketserver.BaseRequestHandler):
    """Reads a stream as clamd does, and finds the test virus that all scanners know."""

    def handle(self) -> None:
        reader = self.request.makefile("rb")
        if reader.readline() != b"nINSTREAM\n":
            self.request.sendall(b"UNKNOWN COMMAND\n")
            return
        content = b""
        while size := struct.unpack("!L", reader.read(4))[0]:
            content += reader.read(size)
        self.server.seen.append(content)
        mark = self.server.finds
        found = mark is not None and mark in content
        answer = self.server.answer or (b"stream: Eicar-Test-Signature FOUND\n" if found else b"stream: OK\n")
        self.request.sendall(answer)


@pytest.fixture
def scanner(settings):
    """A clamd over TCP; `finds` is what it takes for a virus, `answer` what it says whatever comes."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Clamd) as server:
        server.daemon_threads = True
        server.seen, server.finds, server.answer = [], EICAR, b""
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.VIRUS_SCAN = f"clamd://127.0.0.1:{server.server_address[1]}"
        yield server
        server.shutdown()
