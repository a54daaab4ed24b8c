"""The senders of the benchmarks: all answers are heard, those of broken connections too."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

import pytest

from config.local.benches.open_loop import send_open
from config.local.benches.wire import BROKEN, Answer, call, send_closed


class Echo(BaseHTTPRequestHandler):
    """Answers with what was sent; hangs up on `/rude`, has nothing new at `/known`."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/rude":
            self.close_connection = True
            return
        self.send_response(304 if self.path == "/known" else 200)
        if self.path != "/known":
            self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Seen", self.path)
        self.end_headers()
        if self.path != "/known":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()


def put(path, body=b"{}"):
    return call("PUT", path, body=body, headers=[("X-Mine", "1")])


def test_a_closed_run_counts_every_answer(port):
    lanes = [cycle([put("/a"), put("/known")]) for _ in range(3)]
    heavy = send_closed(port, lanes, seconds=0.2)
    assert set(heavy.answered) == {200, 304}
    assert sum(heavy.answered.values()) == pytest.approx(heavy.per_second * heavy.seconds)


def test_an_open_run_answers_each_call_in_its_place(port):
    bodies = [b"x" * size for size in (1, 70_000, 3)]
    heard = send_open(port, [(number * 0.01, put("/a", body)) for number, body in enumerate(bodies)])
    assert [answer.body for _, answer in heard] == bodies
    assert all(taken > 0 for taken, _ in heard)


def test_what_breaks_is_told_and_does_not_stop_the_others(port):
    heard = send_open(port, [(0.0, put("/rude")), (0.05, put("/a")), (0.05, put("/known"))])
    assert [answer.status for _, answer in heard] == [BROKEN, 200, 304]


def test_a_server_that_is_not_there_is_told():
    ((_, answer),) = send_open(1, [(0.0, put("/a"))])
    assert answer == Answer(BROKEN)


def test_headers_are_found_whatever_their_case():
    answer = Answer(200, b"HTTP/1.1 200 OK\r\nETag: W/1\r\ncontent-length: 3\r\n")
    assert (answer.header("etag"), answer.header("Content-Length"), answer.header("age")) == ("W/1", "3", "")
