"""Work for later: remembered with its cause, done at least once, never lost."""

import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from config import outbox
from config.clock import database_now
from config.errors import Conflict
from config.logging import current_request_id
from config.models import OutboxMessage
from config.tasks import drain_outbox, forget_done_messages


@pytest.fixture
def handled(monkeypatch):
    """Payloads that the handler of `test.note` got; it fails while `failing` is not empty."""
    monkeypatch.setattr(outbox, "_handlers", {})
    monkeypatch.setattr(outbox, "hurry", lambda: None)
    seen, failing = [], []

    @outbox.handler("test.note")
    def note(payload):
        if failing:
            raise ConnectionError(failing[0])
        seen.append(payload)

    return SimpleNamespace(seen=seen, failing=failing)


def post(key="k", **more):
    with transaction.atomic():
        return outbox.post(kind="test.note", key=key, payload={"key": key}, **more)


def make_due():
    OutboxMessage.objects.filter(done_at=None).update(due_at=database_now() - timedelta(seconds=1))


@pytest.mark.django_db
class TestPosting:
    def test_outside_a_transaction_it_is_refused(self, transactional_db):
        with pytest.raises(RuntimeError, match="transaction"):
            outbox.post(kind="test.note", key="k")

    def test_it_is_there_exactly_when_the_transaction_committed(self, handled):
        with transaction.atomic():
            outbox.post(kind="test.note", key="gone")
            transaction.set_rollback(True)
        post("kept")
        assert [message.key for message in OutboxMessage.objects.all()] == ["kept"]

    def test_the_same_key_is_posted_once(self, handled):
        assert [post("k"), post("k"), post("l")] == [True, False, True]
        assert OutboxMessage.objects.count() == 2

    def test_the_request_that_caused_it_is_remembered_and_followed(self, handled):
        token = current_request_id.set("abc")
        post()
        current_request_id.reset(token)
        seen = []
        outbox._handlers["test.note"] = lambda payload: seen.append(current_request_id.get())
        outbox.drain()
        assert seen == ["abc"]
        assert current_request_id.get() == "-"

    def test_workers_are_hurried_after_the_commit_only(self, handled, monkeypatch, django_capture_on_commit_callbacks):
        hurried = []
        monkeypatch.setattr(outbox, "hurry", lambda: hurried.append(1))
        with django_capture_on_commit_callbacks(execute=True):
            post("now")
            post("now")
            post("later", delay=timedelta(hours=1))
            assert hurried == []
        assert hurried == [1]


@pytest.mark.django_db
class TestDraining:
    def test_what_is_due_is_done_once_in_order(self, handled):
        for key in "abc":
            post(key)
        assert drain_outbox() == 3
        assert [payload["key"] for payload in handled.seen] == ["a", "b", "c"]
        assert outbox.drain() == 0
        assert OutboxMessage.objects.filter(done_at=None).count() == 0

    def test_what_is_not_due_waits(self, handled):
        post("later", delay=timedelta(hours=1))
        assert outbox.drain() == 0

    def test_a_failure_is_tried_again_later_with_its_error_kept(self, handled):
        post()
        handled.failing.append("mail server away, told ann@example.com")
        assert outbox.drain() == 1
        message = OutboxMessage.objects.get()
        assert message.last_error == "ConnectionError: mail server away, told [mail]"
        assert timedelta(seconds=3) < message.due_at - database_now() <= timedelta(seconds=5)
        assert outbox.drain() == 0
        handled.failing.clear()
        make_due()
        assert outbox.drain() == 1
        message.refresh_from_db()
        assert (message.done_at is not None, message.attempts, message.last_error) == (True, 2, "")

    def test_ten_failures_and_it_is_dead(self, handled):
        post()
        handled.failing.append("no")
        for _ in range(12):
            make_due()
            outbox.drain()
        message = OutboxMessage.objects.get()
        assert (message.attempts, message.dead_at is not None) == (10, True)
        assert message.last_error == "ConnectionError: no"

    def test_one_that_fails_does_not_hold_up_the_others(self, handled):
        with transaction.atomic():
            outbox.post(kind="test.unknown", key="first")
        post("second")
        assert outbox.drain() == 2
        assert handled.seen == [{"key": "second"}]
        assert "nobody handles test.unknown" in OutboxMessage.objects.get(key="first").last_error

    def test_a_worker_that_died_loses_its_message_when_the_lease_ends(self, handled):
        post()
        assert outbox._claim() is not None
        assert outbox.drain() == 0
        make_due()
        assert outbox.drain() == 1

    def test_a_message_that_kills_its_workers_is_given_up(self, handled):
        post()
        OutboxMessage.objects.update(attempts=10)
        outbox.drain()
        message = OutboxMessage.objects.get()
        assert message.dead_at is not None
        assert "died" in message.last_error
        assert handled.seen == []

    def test_a_limit_ends_it_early(self, handled):
        for key in "abc":
            post(key)
        assert outbox.drain(limit=2) == 2
        assert outbox.drain(seconds=0) == 0

    def test_the_dead_can_be_tried_again(self, handled):
        post()
        OutboxMessage.objects.update(attempts=10, dead_at=database_now())
        outbox.retry(message_id=OutboxMessage.objects.get().pk)
        assert outbox.drain() == 1
        assert len(handled.seen) == 1

    def test_the_living_cannot(self, handled):
        post()
        with pytest.raises(Conflict):
            outbox.retry(message_id=OutboxMessage.objects.get().pk)

    def test_done_long_ago_is_forgotten(self, handled):
        for key in ("old", "new", "waiting"):
            post(key)
        OutboxMessage.objects.filter(key="old").update(done_at=database_now() - timedelta(days=91))
        OutboxMessage.objects.filter(key="new").update(done_at=database_now())
        assert forget_done_messages() == 1
        assert set(OutboxMessage.objects.values_list("key", flat=True)) == {"new", "waiting"}


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 20), (3, 80), (6, 3600), (10, 3600), (1000, 3600)])
def test_delays_grow_up_to_an_hour(attempts, seconds):
    assert outbox.delay_after(attempts) == timedelta(seconds=seconds)


def test_a_kind_has_one_handler(handled):
    with pytest.raises(ValueError, match="already"):
        outbox.handler("test.note")(lambda payload: None)


@pytest.mark.django_db(transaction=True)
def test_a_handler_runs_outside_any_transaction(handled):
    seen = []
    outbox._handlers["test.note"] = lambda payload: seen.append(connection.in_atomic_block)
    post()
    outbox.drain()
    assert seen == [False]


@pytest.mark.django_db(transaction=True)
def test_eight_drains_at_once_do_everything_once(handled):
    with transaction.atomic():
        for number in range(40):
            outbox.post(kind="test.note", key=str(number), payload={"key": number})

    def drain(_):
        try:
            return outbox.drain()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(drain, range(8)))
    assert sum(done) == 40
    assert sorted(payload["key"] for payload in handled.seen) == list(range(40))


class TestHurrying:
    @pytest.fixture(autouse=True)
    def own_messenger(self, monkeypatch):
        monkeypatch.setattr(outbox, "_messenger", None)

    @pytest.fixture
    def broker_at(self, settings, monkeypatch):
        def move(url):
            settings.CELERY_BROKER_URL = url
            # Celery prefers the variable to whatever it is configured with.
            monkeypatch.setenv("CELERY_BROKER_URL", url)

        return move

    @pytest.mark.slow
    def test_with_the_broker_away_it_neither_raises_nor_waits(self, broker_at, caplog):
        caplog.set_level(logging.WARNING)
        broker_at("redis://127.0.0.1:1/0")
        started = time.perf_counter()
        for _ in range(100):
            outbox.hurry()
        # The broker's own client would have waited a second each time.
        assert time.perf_counter() - started < 30
        for _ in range(100):
            if "broker away" in caplog.text:
                break
            time.sleep(0.1)
        assert "broker away" in caplog.text

    def test_with_the_broker_frozen_it_does_not_wait(self, broker_at):
        # Accepts connections and never answers, as a stopped process does.
        with socket.create_server(("127.0.0.1", 0)) as frozen:
            broker_at(f"redis://127.0.0.1:{frozen.getsockname()[1]}/0")
            started = time.perf_counter()
            for _ in range(30):
                outbox.hurry()
            # The broker's own client would have waited a second each time.
            assert time.perf_counter() - started < 15

    def test_a_hint_reaches_the_broker_and_names_the_drain(self, settings):
        from redis import Redis

        broker = Redis.from_url(settings.CELERY_BROKER_URL)

        def hints():
            return sum(b"config.tasks.drain_outbox" in hint for hint in broker.lrange("celery", 0, -1))

        before = hints()
        outbox.hurry()

        # Tests that run beside this one leave hints in the same broker, so nothing is emptied here.
        for _ in range(100):
            if hints() > before:
                return
            time.sleep(0.1)
        pytest.fail("no hint came")
        broker.close()

    def test_no_new_thread_can_be_started_at_the_end(self, monkeypatch):
        def refuse(self):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", refuse)
        outbox.hurry()


@pytest.mark.django_db
class TestPostingMany:
    ROWS = "SELECT 'n-' || n, jsonb_build_object('n', n) FROM generate_series(1, %(last)s) n"

    def post_many(self, last, rows=ROWS):
        with transaction.atomic():
            return outbox.post_many(kind="test.note", rows=rows, params={"last": last})

    def test_one_message_for_each_row(self, handled):
        assert self.post_many(3) == 3
        assert outbox.drain() == 3
        assert handled.seen == [{"n": 1}, {"n": 2}, {"n": 3}]

    def test_a_key_already_posted_changes_nothing(self, handled):
        assert [self.post_many(2), self.post_many(3), self.post_many(3)] == [2, 1, 0]
        assert OutboxMessage.objects.count() == 3

    def test_outside_a_transaction_it_is_refused(self, transactional_db):
        with pytest.raises(RuntimeError, match="transaction"):
            outbox.post_many(kind="test.note", rows=self.ROWS, params={"last": 1})

    def test_they_are_there_exactly_when_the_transaction_committed(self, handled):
        with transaction.atomic():
            outbox.post_many(kind="test.note", rows=self.ROWS, params={"last": 2})
            transaction.set_rollback(True)
        assert not OutboxMessage.objects.exists()

    def test_workers_are_hurried_once_and_only_for_new_ones(
        self, handled, monkeypatch, django_capture_on_commit_callbacks
    ):
        hurried = []
        monkeypatch.setattr(outbox, "hurry", lambda: hurried.append(1))
        with django_capture_on_commit_callbacks(execute=True):
            self.post_many(3)
            self.post_many(3)
            self.post_many(0)
        assert hurried == [1]

    def test_the_request_that_caused_them_is_remembered(self, handled):
        token = current_request_id.set("abc")
        self.post_many(2)
        current_request_id.reset(token)
        assert set(OutboxMessage.objects.values_list("request_id", flat=True)) == {"abc"}
