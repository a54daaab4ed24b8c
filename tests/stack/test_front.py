"""The front on real granian, over real connections: what callers send, and how fast answers are made for slow ones."""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest

from config.local.services.process import tied_to_us
from tests.stack.echoing import BLOCK
from tests.support.running import ROOT, free_port, wait_for

pytestmark = pytest.mark.slow

PATIENCE = 30


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Of the server; it ends with the module."""
    found = free_port()
    granian = [sys.executable, "-m", "granian", "--interface", "rsgi", "--no-ws", "--factory", "--port", str(found)]
    with (tmp_path_factory.mktemp("front") / "log").open("wb") as log:
        process = subprocess.Popen(
            [*granian, "tests.stack.echoing:application"], cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "OUTLAST_PROCESS": "web"},
            preexec_fn=tied_to_us(signal.SIGINT), start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: answers(found), seconds=180)
        yield found
        process.terminate()
        assert process.wait(60) == 0
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answers(port):
    try:
        return ask(port, "/")[0] == 200
    except OSError:
        return False


def ask(port, path, method="GET", body=None, headers=()):
    """The status, the headers and the body."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as opened:
        opened.putrequest(method, path)
        for name, value in headers:
            opened.putheader(name, value)
        opened.endheaders(body)
        answer = opened.getresponse()
        return answer.status, answer.getheaders(), answer.read()


def told(port, **call):
    return json.loads(ask(port, call.pop("path", "/told"), **call)[2])


def memory(port):
    """Bytes of the processes that serve at this port."""
    return max(
        int(line.split()[1]) * 1024
        for process in Path("/proc").glob("[0-9]*")
        if _is_ours(process, port)
        for line in (process / "status").read_text().splitlines()
        if line.startswith("VmRSS")
    )


def _is_ours(process, port):
    try:
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        return str(port).encode() in Path("/proc", parent, "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def test_the_head_of_a_request_is_told_as_it_was_sent(port):
    headers = [("X-One", "1"), ("Cookie", "a=1"), ("Cookie", "b=2"), ("X-Odd", "J\xfcrgen")]
    said = told(port, path="/t%20old/%C3%BC?q=%20", method="DELETE", headers=headers)
    assert said["PATH_INFO"].encode("latin-1").decode() == "/t old/ü"
    assert (said["QUERY_STRING"], said["REQUEST_METHOD"], said["SERVER_PROTOCOL"]) == ("q=%20", "DELETE", "HTTP/1.1")
    assert (said["HTTP_X_ONE"], said["HTTP_COOKIE"], said["HTTP_X_ODD"]) == ("1", "a=1; b=2", "")
    assert (said["REMOTE_ADDR"], said["SERVER_PORT"], said["HTTP_HOST"]) == (
        "127.0.0.1", str(port), f"127.0.0.1:{port}",
    )  # fmt: skip


def test_nobody_says_with_an_underscore_what_the_proxy_says(port):
    said = told(port, headers=[("X_Forwarded_For", "203.0.113.7"), ("X-Forwarded-Proto", "https")])
    assert "HTTP_X_FORWARDED_FOR" not in said
    assert said["HTTP_X_FORWARDED_PROTO"] == "https"


def test_an_answer_may_say_a_header_twice(port):
    assert [value for name, value in ask(port, "/")[1] if name == "set-cookie"] == ["a=1", "b=2"]


@pytest.mark.parametrize("size", [0, 1, 9_999, 10_000, 10_001, 5_000_000])
def test_a_body_is_read_however_long_it_is(port, size):
    body = os.urandom(size)
    said = told(port, method="POST", body=body, headers=[("Content-Length", str(size))])
    assert (said["read"], said["sum"]) == (size, hashlib.sha256(body).hexdigest())


def test_a_chunked_body_gets_a_length_and_is_read_to_one_past_the_limit(port):
    def chunked(size):
        half = b"%x\r\n%s\r\n" % (size // 2, b"x" * (size // 2))
        return told(port, method="POST", body=half * 2 + b"0\r\n\r\n", headers=[("Transfer-Encoding", "chunked")])

    assert (chunked(6_000)["read"], chunked(6_000)["CONTENT_LENGTH"]) == (6_000, "6000")
    assert (chunked(60_000)["read"], chunked(60_000)["CONTENT_LENGTH"]) == (10_001, "10001")


@pytest.mark.parametrize("length", [9_000, 90_000])
def test_whose_body_breaks_off_costs_no_place(port, length):
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as opened:
            head = f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
            opened.sendall(head.encode() + b"half of it")
    wait_for(lambda: ask(port, "/")[0] == 200, seconds=PATIENCE)


@pytest.mark.parametrize("blocks", [0, 1, 30])
def test_a_stream_arrives_whole(port, blocks):
    status, _, body = ask(port, f"/stream/{blocks}")
    assert (status, body) == (200, BLOCK * blocks)
    assert ask(port, f"/stream/{blocks}", "HEAD")[2] == b""


def test_who_reads_slowly_costs_no_memory_and_who_goes_no_place(port):
    """A gigabyte each, of which nobody reads more than the first bytes."""
    before, opened = memory(port), []
    for _ in range(8):
        opened.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        opened[-1].sendall(b"GET /stream/10000 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert opened[-1].recv(15) == b"HTTP/1.1 200 OK"
    assert ask(port, "/stream/30")[2] == BLOCK * 30
    assert memory(port) - before < 64 * 1024 * 1024
    for one in opened:
        one.close()
    assert ask(port, "/stream/30")[2] == BLOCK * 30
