"""A host that fails is left alone, tried by one, and taken up again; and retries have a budget."""

import threading
import time

import pytest

from config.http import CircuitOpen, Limits, Purpose, StatusRefused, Unreachable, fetch, send
from config.http.breakers import LONGEST_REST, Breaker, Outcome, State, breaker_of
from tests.support import bad_server as bad
from tests.support.bad_server import BadServer

PURPOSE = Purpose("tests", opens_after=3, rest=10.0)
ONCE = Limits(connect=1.0, read=2.0, total=5.0, attempts=1)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(PURPOSE, clock)


def passes(breaker, outcome):
    with breaker.passing() as passage:
        passage.outcome = outcome


def opened(breaker):
    for _ in range(PURPOSE.opens_after):
        passes(breaker, Outcome.FAILED)
    assert breaker.state is State.OPEN


class TestStates:
    def test_failures_in_a_row_open_it(self, breaker):
        passes(breaker, Outcome.FAILED)
        passes(breaker, Outcome.FAILED)
        passes(breaker, Outcome.SUCCEEDED)
        passes(breaker, Outcome.FAILED)
        passes(breaker, Outcome.FAILED)
        assert breaker.state is State.CLOSED
        passes(breaker, Outcome.FAILED)
        assert breaker.state is State.OPEN

    def test_what_was_ours_to_end_says_nothing_about_the_host(self, breaker):
        for _ in range(9):
            passes(breaker, Outcome.NEITHER)
        assert breaker.state is State.CLOSED

    def test_while_it_rests_nobody_passes_and_everybody_learns_how_long(self, breaker):
        opened(breaker)
        with pytest.raises(CircuitOpen) as refused:
            passes(breaker, Outcome.SUCCEEDED)
        assert 8 <= refused.value.retry_after <= 12

    def test_a_probe_that_succeeds_closes_it(self, breaker, clock):
        opened(breaker)
        clock.now += 13
        assert breaker.state is State.HALF_OPEN
        passes(breaker, Outcome.SUCCEEDED)
        assert breaker.state is State.CLOSED

    def test_a_probe_that_fails_doubles_the_rest_up_to_a_limit(self, breaker, clock):
        opened(breaker)
        rests = []
        for _ in range(8):
            clock.now += LONGEST_REST * 1.3
            passes(breaker, Outcome.FAILED)
            with pytest.raises(CircuitOpen) as refused:
                passes(breaker, Outcome.FAILED)
            rests.append(refused.value.retry_after)
        assert 16 <= rests[0] <= 24
        assert 32 <= rests[1] <= 48
        assert rests[-1] <= LONGEST_REST * 1.2

    def test_a_probe_that_dies_leaves_the_next_one_its_turn(self, breaker, clock):
        opened(breaker)
        clock.now += 13
        with pytest.raises(KeyboardInterrupt), breaker.passing():
            raise KeyboardInterrupt
        passes(breaker, Outcome.SUCCEEDED)
        assert breaker.state is State.CLOSED

    def test_late_failures_of_calls_under_way_do_not_prolong_the_rest(self, breaker, clock):
        with breaker.passing() as late:
            opened(breaker)
            clock.now += 7
            late.outcome = Outcome.FAILED
        clock.now += 6
        assert breaker.state is State.HALF_OPEN


class TestThreads:
    def test_of_many_at_once_one_is_the_probe(self, breaker, clock):
        opened(breaker)
        clock.now += 13
        start, done, passed, refused = threading.Barrier(32), threading.Event(), [], []

        def call():
            start.wait()
            try:
                with breaker.passing() as passage:
                    passed.append(1)
                    done.wait(10)
                    passage.outcome = Outcome.SUCCEEDED
            except CircuitOpen:
                refused.append(1)
                if len(refused) == 31:
                    done.set()

        threads = [threading.Thread(target=call) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(passed), len(refused), breaker.state) == (1, 31, State.CLOSED)

    def test_failures_of_all_threads_count_together(self):
        with BadServer() as server:
            server.does(bad.status(500))

            def call():
                with pytest.raises(StatusRefused):
                    fetch(server.address(), limits=ONCE)

            threads = [threading.Thread(target=call) for _ in range(5)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            with pytest.raises(CircuitOpen):
                fetch(server.address(), limits=ONCE)
            assert len(server.asked) == 5


class TestBudget:
    def test_a_host_that_fails_all_the_time_gets_a_tenth_more_calls(self):
        patient = Purpose("patient", opens_after=10_000)
        quick = Limits(connect=1, read=2, total=5, attempts=3, backoff=0.001)
        with BadServer() as server:
            server.does(bad.status(503))
            for _ in range(50):
                send("GET", server.address(), purpose=patient, limits=quick)
            assert 50 + 10 <= len(server.asked) <= 50 + 10 + 6

    def test_calls_earn_retries_up_to_a_limit(self, breaker):
        assert sum(breaker.may_retry() for _ in range(20)) == 10
        for _ in range(11):
            passes(breaker, Outcome.SUCCEEDED)
        assert [breaker.may_retry(), breaker.may_retry()] == [True, False]


class TestHosts:
    def test_each_host_and_purpose_has_its_own(self):
        assert breaker_of(PURPOSE, "a.test", 443) is breaker_of(PURPOSE, "a.test", 443)
        others = [breaker_of(PURPOSE, "b.test", 443), breaker_of(PURPOSE, "a.test", 80),
                  breaker_of(Purpose("other"), "a.test", 443)]  # fmt: skip
        assert breaker_of(PURPOSE, "a.test", 443) not in others

    def test_a_neighbour_who_answers_500_does_not_shut_a_shared_host(self):
        shared = Purpose("shared", opens_after=2, counts_statuses=False)
        with BadServer() as server:
            server.does(bad.status(500))
            for _ in range(6):
                assert send("POST", server.address(), purpose=shared, limits=ONCE).status == 500

    def test_nobody_there_shuts_it(self):
        shared = Purpose("shared", opens_after=2, counts_statuses=False)
        with BadServer() as server:
            address = server.address()
        for _ in range(2):
            with pytest.raises(Unreachable):
                send("POST", address, purpose=shared, limits=ONCE)
        started = time.monotonic()
        with pytest.raises(CircuitOpen):
            send("POST", address, purpose=shared, limits=ONCE)
        assert time.monotonic() - started < 1
