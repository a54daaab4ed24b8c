"""The front: what the event loop does by itself, and what it hands to the gate's threads, with real threads behind."""

import asyncio
import threading
import time

import pytest

from config.web.front import Front
from config.web.gate import PROBES_AT_ONCE, REFUSED, Gate
from config.web.lanes import Lane, Shares
from config.web.streaming import SHORT
from tests.config.web.test_gate import OTHER, PATIENCE, PICK, REPORT, Application, until, waiting_in
from tests.support.fronts import Headers, Scope, Served, Way

HOST = ("Host", "testserver")
LENGTH = ("Content-Length", "5")


@pytest.fixture
def application():
    return Application()


@pytest.fixture
def serve():
    """Serves an application of WSGI; what is still held is let go at the end."""
    served = []

    def make(application, *, at_once=4, waiting=8, longest_wait=PATIENCE, body_limit=100):
        shares = Shares(at_once=at_once, waiting=waiting)
        gate = Gate(application, shares=shares, longest_wait=longest_wait, body_limit=body_limit)
        served.append(Served(gate))
        return served[-1].__enter__()

    yield make
    for one in served:
        one.__exit__()


def begun(served, count, path=PICK, method="POST"):
    ways = [Way() for _ in range(count)]
    return ways, [served.send(Scope(path, method), way) for way in ways]


def ended(calls):
    for call in calls:
        call.result(PATIENCE)


def echo(environ, start_response):
    """What came of the request."""
    start_response("200 OK", [("X-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [environ["wsgi.input"].read()]


class TestThroughTheGate:
    def test_each_gets_its_own_answer_from_the_thread_that_made_it(self, serve):
        def application(environ, start_response):
            start_response("200 OK", [])
            return [environ["QUERY_STRING"].encode()]

        served = serve(application, waiting=400)
        ways = [Way() for _ in range(100)]
        ended([served.send(Scope(PICK, query_string=str(n)), way) for n, way in enumerate(ways)])
        assert [way.body for way in ways] == [str(n).encode() for n in range(100)]
        assert {way.by.rpartition("-")[0] for way in ways} == {"work"}

    def test_who_waits_takes_up_no_thread(self, serve, application):
        served = serve(application, at_once=4, waiting=400)
        before = threading.active_count()
        _, calls = begun(served, 100)
        until(lambda: application.count() == 4 and waiting_in(served.front.gate) == 96)
        assert threading.active_count() <= before + 4
        application.open.set()
        ended(calls)

    def test_past_the_queue_the_answer_is_there_at_once(self, serve, application):
        served = serve(application, longest_wait=60)
        ways, calls = begun(served, 9, OTHER)
        until(lambda: application.count() == 3 and waiting_in(served.front.gate) == 6)
        assert served.call(OTHER).status == 503
        application.open.set()
        ended(calls)
        assert [way.status for way in ways] == [200] * 9

    def test_who_waited_too_long_is_told_so_and_not_served_afterwards(self, serve, application):
        served = serve(application, longest_wait=0.1)
        _, calls = begun(served, 4)
        until(lambda: application.count() == 4)
        began = time.monotonic()
        assert served.call(PICK).status == 503
        assert time.monotonic() - began >= 0.1
        assert waiting_in(served.front.gate) == 0
        application.open.set()
        ended(calls)
        assert len(application.order) == 4

    def test_a_crash_is_raised_to_the_server_and_costs_no_place(self, serve):
        def crashes(environ, start_response):
            raise LookupError(environ["PATH_INFO"])

        served = serve(crashes)
        for _ in range(20):
            with pytest.raises(LookupError, match="pools"):
                served.call(OTHER)
        assert set(served.front.gate._inside.values()) == {0}

    def test_an_answer_that_no_server_takes_is_a_crash(self, serve):
        def wrong(environ, start_response):
            start_response("200 OK", [])
            return ["text"]

        served = serve(wrong)
        with pytest.raises(TypeError):
            served.call(OTHER)
        assert set(served.front.gate._inside.values()) == {0}


class TestPastTheGate:
    def test_whether_it_lives_is_answered_while_all_is_taken_and_asked_by_nobody(self, serve, application):
        served = serve(application)
        _, calls = begun(served, 12)
        until(lambda: waiting_in(served.front.gate) == 8)
        headers = Headers(HOST, ("Cookie", "a=b"), ("Authorization", "x"))
        assert served.call("/health/live", headers=headers).status == 200
        application.open.set()
        ended(calls)

    def test_a_few_probes_at_once_the_others_wait_like_everybody(self, serve, application):
        served = serve(application, waiting=4)
        _, calls = begun(served, 8)
        until(lambda: application.count() == 4 and waiting_in(served.front.gate) == 4)
        _, probes = begun(served, PROBES_AT_ONCE, "/metrics", "GET")
        until(lambda: application.inside.get("/metrics") == PROBES_AT_ONCE)
        assert served.call("/metrics").status == 503
        application.open.set()
        ended(calls + probes)
        assert served.call("/metrics").status == 200

    def test_refusals_are_said_by_the_loop_itself_in_djangos_words(self, serve, application):
        served = serve(application, at_once=1, waiting=0)
        _, calls = begun(served, 1)
        until(lambda: application.count() == 1)
        plain = served.call("/api/v1/pools")
        assert (plain.status, plain.by) == (503, "loop")
        assert b"SERVICE_UNAVAILABLE" in plain.body
        assert int(plain.headers["Retry-After"]) in range(1, 6)
        german = served.call("/api/v1/pools", headers=Headers(HOST, ("Accept-Language", "de")))
        assert german.status == 503
        assert len(application.refused) == 1
        application.open.set()
        ended(calls)


class TestBodies:
    @pytest.mark.parametrize(
        ("headers", "blocks", "length", "body"),
        [
            ([], [], "none", b""),
            ([LENGTH], [b"he", b"llo"], "5", b"hello"),
            ([("Transfer-Encoding", "chunked")], [b"he", b"llo"], "5", b"hello"),
            ([("Transfer-Encoding", "chunked")], [b"x" * 90, b"y" * 90], "101", b"x" * 90 + b"y" * 11),
            # Longer than what is read ahead: as it comes.
            ([("Content-Length", "300")], [b"a" * 100, b"b" * 200], "300", b"a" * 100 + b"b" * 200),
        ],
    )  # fmt: skip
    def test_the_application_reads_what_was_sent(self, serve, headers, blocks, length, body):
        way = serve(echo).call(OTHER, "POST", *blocks, headers=Headers(HOST, *headers))
        assert (way.headers["X-Length"], way.body) == (length, body)

    def test_whose_body_breaks_off_leaves_the_queue(self, serve):
        served = serve(echo)
        for _ in range(20):
            with pytest.raises(OSError, match="gone"):
                served.call(OTHER, "POST", b"he", OSError("gone"), headers=Headers(HOST, LENGTH))
        assert waiting_in(served.front.gate) == 0

    def test_who_sends_slowly_keeps_nobody_from_work(self, serve):
        class Slow(Way):
            async def __call__(self):
                while not arrived.is_set():
                    await asyncio.sleep(0.001)
                return b"hello"

        arrived = threading.Event()
        served = serve(echo)
        slow = [Slow() for _ in range(4)]
        calls = [served.send(Scope(OTHER, "POST", Headers(HOST, LENGTH)), way) for way in slow]
        until(lambda: waiting_in(served.front.gate) == 4)
        assert served.call(OTHER).status == 200
        arrived.set()
        ended(calls)
        assert [way.body for way in slow] == [b"hello"] * 4


class Stream:
    """Blocks that are made while they are sent."""

    streaming = True

    def __init__(self, blocks, fails=False):
        self.left, self.fails, self.closed, self.made = blocks, fails, 0, 0

    def __iter__(self):
        while self.left:
            self.left -= 1
            self.made += 1
            yield b"x" * SHORT
        if self.fails:
            raise LookupError("broken")

    def close(self):
        self.closed += 1


class TestStreams:
    @pytest.fixture
    def made(self):
        return []

    @pytest.fixture
    def serving(self, serve, made):
        """Answers with a stream of so many blocks."""

        def of(blocks, **options):
            def application(environ, start_response):
                start_response("503 Later" if REFUSED in environ else "200 OK", [("X-Kind", "stream")])
                made.append(Stream(0 if REFUSED in environ else blocks, **options))
                return made[-1]

            return serve(application)

        return of

    @pytest.mark.parametrize("path", [REPORT, OTHER])
    @pytest.mark.parametrize("blocks", [0, 1, 40])
    def test_it_arrives_whole_and_is_closed_once(self, serving, made, path, blocks):
        way = serving(blocks).call(path)
        assert (way.status, way.headers["X-Kind"], len(way.body)) == (200, "stream", blocks * SHORT)
        assert made[0].closed == 1

    def test_it_is_made_only_as_fast_as_it_is_read_and_a_report_keeps_its_place(self, serving, made):
        served, slow = serving(100), Way()
        slow.may_read.clear()
        call = served.send(Scope(REPORT), slow)
        until(lambda: made and made[0].made > 1)
        time.sleep(0.05)
        # What lies in the pipe, and a block on each side of it.
        assert made[0].made <= 4
        assert served.front.gate._working[Lane.REPORT] == 1
        served.front.gate.longest_wait = 0.05
        assert served.call(REPORT).status == 503
        slow.may_read.set()
        call.result(PATIENCE)
        slow.reader.join(PATIENCE)
        assert len(slow.body) == 100 * SHORT
        assert served.front.gate._working[Lane.REPORT] == 0

    def test_a_file_keeps_no_place(self, serving, made):
        served, slow = serving(40), Way()
        slow.may_read.clear()
        call = served.send(Scope(OTHER), slow)
        until(lambda: made and made[0].made > 1)
        assert set(served.front.gate._working.values()) == {0}
        slow.may_read.set()
        call.result(PATIENCE)

    def test_where_the_caller_has_gone_it_ends(self, serving, made):
        served, gone = serving(100_000), Way()
        gone.may_read.clear()
        call = served.send(Scope(REPORT), gone)
        until(lambda: made and made[0].made > 1)
        gone.has_gone.set()
        gone.may_read.set()
        call.result(PATIENCE)
        assert (made[0].closed, made[0].left > 90_000) == (1, True)
        assert served.front.gate._working[Lane.REPORT] == 0

    def test_one_that_nobody_begins_to_read_ends(self, serving, made, monkeypatch):
        monkeypatch.setattr("config.web.streaming.PATIENCE", 0.05)
        monkeypatch.setattr(Way, "response_file", lambda self, status, headers, file: None)
        served = serving(40)
        served.call(REPORT)
        assert (made[0].closed, served.front.gate._working[Lane.REPORT]) == (1, 0)

    def test_one_that_breaks_is_closed_and_the_server_hears_of_it(self, serving, made):
        served = serving(40, fails=True)
        with pytest.raises(LookupError):
            served.call(REPORT)
        assert (made[0].closed, served.front.gate._working[Lane.REPORT]) == (1, 0)

    def test_of_a_head_nothing_is_made(self, serving, made):
        way = serving(40).call(REPORT, "HEAD")
        assert (way.status, way.body, made[0].made, made[0].closed) == (200, b"", 0, 1)


def test_a_front_without_pages_serves(serve, settings):
    """The kernel alone, without an app that has pages."""
    settings.KEEP_PAGES = False
    assert isinstance(serve(echo).front, Front)
    assert serve(echo).call("/api/v1/pools/1").status == 200
