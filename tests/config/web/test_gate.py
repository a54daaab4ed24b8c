"""The gate, with applications of a few lines behind it and real threads in front."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO

import pytest

from config.web.answers import Streamed
from config.web.gate import PROBES_AT_ONCE, REFUSED, Gate
from config.web.lanes import Lane, Shares

OTHER, PICK, SIGN_IN = "/api/v1/pools", "/api/v1/entries/1/picks/1", "/api/v1/auth/token"
REPORT = "/api/v1/pools/1/rounds/1/report.csv"
PATIENCE = 10


class Application:
    """Holds every request at `open` until told; counts who is inside, by path."""

    def __init__(self):
        self.open = threading.Event()
        self.guard = threading.Lock()
        self.inside, self.most, self.order, self.refused = {}, {}, [], []

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if REFUSED in environ:
            self.refused.append(environ[REFUSED])
            start_response("503 Later", [])
            return [b""]
        with self.guard:
            self.inside[path] = self.inside.get(path, 0) + 1
            self.most[path] = max(self.most.get(path, 0), self.inside[path])
            self.order.append(environ.get("name", path))
        if path != "/health/live":
            assert self.open.wait(PATIENCE)
        with self.guard:
            self.inside[path] -= 1
        start_response("200 OK", [("X-Name", str(environ.get("name")))])
        return [str(environ.get("name")).encode()]

    def count(self):
        return sum(self.inside.values())


def gate_of(application, *, at_once=4, waiting=8, longest_wait=PATIENCE, body_limit=100):
    shares = Shares(at_once=at_once, waiting=waiting)
    return Gate(application, shares=shares, longest_wait=longest_wait, body_limit=body_limit)


def call(gate, path, method="POST", **environ):
    said = []
    body = gate(
        {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": BytesIO(), **environ},
        lambda *start: said.append(start),
    )
    return int(said[0][0].split()[0]), dict(said[0][1]), body


def until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.002)


@contextmanager
def sent(gate, *paths, **environ):
    """Calls that are under way; their answers once the block has ended."""
    answers = []
    with ThreadPoolExecutor(len(paths)) as pool:
        futures = [
            pool.submit(call, gate, path, name=f"{path} {number}", **environ) for number, path in enumerate(paths)
        ]
        yield answers
        answers.extend(future.result(PATIENCE) for future in futures)


def waiting_in(gate):
    return sum(gate._inside.values()) - sum(gate._working.values())


@pytest.mark.parametrize("path", ["/metrics", "/health/ready", "/ready"])
class TestProbes:
    """What tells an operator of a server that is stuck must not be stuck with it."""

    def test_they_are_answered_past_a_full_queue(self, path):
        application = Application()
        gate = gate_of(application, waiting=4)
        with sent(gate, *[PICK] * 8):
            until(lambda: application.count() == 4 and waiting_in(gate) == 4)
            with sent(gate, path):
                until(lambda: application.inside.get(path) == 1)
                application.open.set()

    def test_a_few_at_once_the_others_wait_like_everybody(self, path):
        application = Application()
        gate = gate_of(application, waiting=4)
        with sent(gate, *[PICK] * 8):
            until(lambda: application.count() == 4 and waiting_in(gate) == 4)
            with sent(gate, *[path] * PROBES_AT_ONCE):
                until(lambda: application.inside.get(path) == PROBES_AT_ONCE)
                assert call(gate, path)[0] == 503
                application.open.set()

    def test_a_persons_wait_like_everybodys(self, path):
        application = Application()
        gate = gate_of(application, waiting=4)
        with sent(gate, *[PICK] * 8):
            until(lambda: application.count() == 4 and waiting_in(gate) == 4)
            assert call(gate, path, HTTP_COOKIE="outlast_staff=1")[0] == 503
            application.open.set()


class TestShares:
    def test_no_more_are_worked_on_at_once_than_there_is_room_for(self):
        application = Application()
        gate = gate_of(application, at_once=4, waiting=40)
        with sent(gate, *[PICK] * 20) as answers:
            until(lambda: application.count() == 4 and waiting_in(gate) == 16)
            application.open.set()
        assert application.most == {PICK: 4}
        assert [status for status, *_ in answers] == [200] * 20

    def test_without_the_gate_all_are(self):
        application = Application()
        with sent(application, *[PICK] * 20):
            until(lambda: application.count() == 20)
            application.open.set()
        assert application.most == {PICK: 20}

    def test_a_pick_finds_room_when_everything_else_is_taken(self):
        application = Application()
        gate = gate_of(application)
        with sent(gate, *[OTHER] * 6):
            until(lambda: application.count() == 3 and waiting_in(gate) == 3)
            with sent(gate, PICK):
                until(lambda: application.inside.get(PICK) == 1)
                application.open.set()
        assert application.most == {OTHER: 3, PICK: 1}

    def test_a_storm_of_sign_ins_is_worked_on_one_at_a_time(self):
        application = Application()
        gate = gate_of(application, waiting=20)
        with sent(gate, *[SIGN_IN] * 6):
            until(lambda: application.count() == 1 and waiting_in(gate) == 5)
            with sent(gate, OTHER, PICK, PICK):
                until(lambda: application.inside == {SIGN_IN: 1, OTHER: 1, PICK: 2})
                application.open.set()
        assert application.most[SIGN_IN] == 1

    def test_a_pick_is_next_even_if_it_came_last_and_the_others_keep_their_order(self):
        application = Application()
        gate = gate_of(application, at_once=1, waiting=20)
        with sent(gate, PICK):
            until(lambda: application.count() == 1)
            with ThreadPoolExecutor(4) as pool:
                for number, path in enumerate([OTHER, SIGN_IN, OTHER, PICK], 1):
                    pool.submit(call, gate, path, name=number)
                    until(lambda number=number: waiting_in(gate) == number)
                application.open.set()
        assert application.order[1:] == [4, 1, 2, 3]


class Clocked:
    """Takes `seconds` for each request, and remembers who began and ended when."""

    def __init__(self, seconds):
        self.seconds, self.began, self.ended = seconds, [], []

    def __call__(self, environ, start_response):
        self.began.append((time.monotonic(), environ["PATH_INFO"]))
        time.sleep(self.seconds)
        self.ended.append((time.monotonic(), environ["PATH_INFO"]))
        start_response("200 OK", [])
        return [b""]

    def pauses(self, path):
        """Between the end of one and the begin of the next."""
        began, ended = ([at for at, whose in marks if whose == path] for marks in (self.began, self.ended))
        return [later - earlier for earlier, later in zip(ended, began[1:], strict=False)]


class TestResting:
    def test_after_a_sign_in_the_next_waits_as_long_as_it_took(self):
        application = Clocked(0.05)
        with sent(gate_of(application, waiting=20), *[SIGN_IN] * 4) as answers:
            pass
        assert [status for status, *_ in answers] == [200] * 4
        assert min(application.pauses(SIGN_IN)) >= 0.05

    def test_and_four_times_as_long_while_picks_come(self):
        application = Clocked(0.05)
        gate = gate_of(application, waiting=20)
        call(gate, PICK)
        with sent(gate, SIGN_IN, SIGN_IN):
            pass
        assert application.pauses(SIGN_IN)[0] >= 0.2

    def test_nobody_else_waits_for_that(self):
        application = Clocked(0.2)
        gate = gate_of(application, waiting=20)
        with sent(gate, SIGN_IN, SIGN_IN):
            until(lambda: len(application.ended) == 1)
            call(gate, OTHER)
            call(gate, PICK)
            assert [path for _, path in application.began][1] == OTHER
        assert [path for _, path in application.ended].count(SIGN_IN) == 2

    def test_who_waits_is_not_forgotten_while_others_come_and_go(self):
        application = Clocked(0.02)
        gate = gate_of(application, waiting=20)
        with sent(gate, *[SIGN_IN, OTHER, PICK] * 4) as answers:
            pass
        assert [status for status, *_ in answers] == [200] * 12

    def test_a_rest_is_short_however_long_the_work_took(self, monkeypatch):
        monkeypatch.setattr("config.web.gate.LONGEST_REST", 0.01)
        application = Clocked(0.3)
        with sent(gate_of(application, waiting=20), SIGN_IN, SIGN_IN):
            pass
        assert 0.01 <= application.pauses(SIGN_IN)[0] < 0.3


class TestTurningAway:
    def test_sign_ins_leave_most_of_the_queue_to_others(self):
        application = Application()
        gate = gate_of(application, waiting=40)
        with sent(gate, *[SIGN_IN] * 11) as answers:
            until(lambda: application.count() == 1 and waiting_in(gate) == 10)
            assert call(gate, SIGN_IN)[0] == 503
            with sent(gate, *[OTHER] * 20) as others:
                application.open.set()
        assert [status for status, *_ in answers + others] == [200] * 31

    def test_past_the_queue_the_answer_is_there_at_once(self):
        application = Application()
        gate = gate_of(application, waiting=8, longest_wait=60)
        with sent(gate, *[OTHER] * 9) as answers:
            until(lambda: application.count() == 3 and waiting_in(gate) == 6)
            began = time.monotonic()
            status, _, _ = call(gate, OTHER)
            # In the queue it would have waited a minute.
            assert time.monotonic() - began < 30
            assert status == 503
            application.open.set()
        assert [status for status, *_ in answers] == [200] * 9
        assert application.refused[0] in range(1, 6)

    def test_it_says_different_times_to_different_callers(self):
        application = Application()
        gate = gate_of(application)
        for _ in range(200):
            gate.refuse(Lane.OTHER, environ := {"PATH_INFO": OTHER})
            application(environ, lambda *_: None)
        assert set(application.refused) == {1, 2, 3, 4, 5}

    def test_a_quarter_of_the_queue_is_left_to_picks(self):
        application = Application()
        gate = gate_of(application, waiting=8)
        with sent(gate, *[OTHER] * 9, PICK):
            until(lambda: application.count() == 4 and waiting_in(gate) == 6)
            assert call(gate, SIGN_IN)[0] == 503
            with sent(gate, PICK, PICK) as picks:
                until(lambda: waiting_in(gate) == 8)
                assert call(gate, PICK)[0] == 503
                application.open.set()
        assert [status for status, *_ in picks] == [200, 200]

    def test_who_waited_too_long_is_told_so_and_not_served_afterwards(self):
        application = Application()
        gate = gate_of(application, longest_wait=0.1)
        with sent(gate, *[OTHER] * 3):
            until(lambda: application.count() == 3)
            began = time.monotonic()
            assert call(gate, OTHER, name="late")[0] == 503
            assert time.monotonic() - began >= 0.1
            application.open.set()
        assert "late" not in application.order
        assert waiting_in(gate) == 0
        assert call(gate, OTHER)[0] == 200

    def test_whether_it_lives_is_answered_past_everything_and_asked_by_nobody(self):
        application = Application()
        gate = gate_of(application)
        with sent(gate, *[PICK] * 12):
            until(lambda: waiting_in(gate) == 8)
            environ = {
                "REQUEST_METHOD": "GET",
                "PATH_INFO": "/health/live",
                "HTTP_COOKIE": "a=b",
                "HTTP_AUTHORIZATION": "x",
            }
            assert gate(environ, lambda *_: None) == [b"None"]
            assert not {"HTTP_COOKIE", "HTTP_AUTHORIZATION"} & set(environ)
            application.open.set()


class TestAnswers:
    def test_each_caller_gets_the_answer_to_their_own_request(self):
        application = Application()
        application.open.set()
        gate = gate_of(application, waiting=400)
        with sent(gate, *[PICK, OTHER] * 100) as answers:
            pass
        expected = [f"{path} {number}" for number, path in enumerate([PICK, OTHER] * 100)]
        assert [(headers["X-Name"], body) for _, headers, body in answers] == [
            (name, [name.encode()]) for name in expected
        ]

    def test_a_crash_reaches_the_server_and_costs_no_place(self):
        def crashes(environ, start_response):
            raise LookupError(environ["PATH_INFO"])

        gate = gate_of(crashes)
        for _ in range(10):
            with pytest.raises(LookupError, match="pools"):
                call(gate, OTHER)
        until(lambda: set(gate._inside.values()) == set(gate._working.values()) == {0})

    def test_a_whole_answer_is_closed_by_the_thread_that_made_it(self):
        class Body(list):
            def close(self):
                closed.append(threading.current_thread().name)

        def application(environ, start_response):
            start_response("200 OK", [])
            return Body([b"a", b"b"])

        closed = []
        assert call(gate_of(application), OTHER)[2] == [b"a", b"b"]
        assert [name.startswith("work-") for name in closed] == [True]


class Stream:
    """An answer that is read while it is sent."""

    streaming = True

    def __init__(self):
        self.closed = 0

    def __iter__(self):
        yield from (b"a", b"b")

    def close(self):
        self.closed += 1


class TestReports:
    @pytest.fixture
    def made(self):
        return []

    @pytest.fixture
    def gate(self, made):
        def application(environ, start_response):
            start_response("503 Later" if REFUSED in environ else "200 OK", [])
            made.append(Stream())
            return made[-1]

        return gate_of(application, longest_wait=0.05)

    def test_one_keeps_its_place_until_it_is_sent(self, gate, made):
        body = call(gate, REPORT, "GET")[2]
        assert list(body) == [b"a", b"b"]
        assert call(gate, REPORT, "GET")[0] == 503
        body.close()
        body.close()
        assert made[0].closed == 1
        assert call(gate, REPORT, "GET")[0] == 200

    def test_one_that_nobody_closes_gives_its_place_back(self, gate, made):
        body = call(gate, REPORT, "GET")[2]
        assert gate._working[Lane.REPORT] == 1
        assert isinstance(body, Streamed)
        del body
        until(lambda: gate._working[Lane.REPORT] == 0)

    def test_files_keep_none(self, gate, made):
        assert call(gate, OTHER, "GET")[2] is made[0]
        assert set(gate._working.values()) == {0}
