"""Hints and sweeps."""

import logging
import re

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

from config.celery import BEAT, app
from config.logging import current_request_id
from config.scraping import Counted
from config.tracing import begin, current_work
from tests.support.running import wait_for


def test_every_periodic_task_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in BEAT.values()} - set(app.tasks) == set()


def test_a_lost_worker_loses_no_task():
    assert app.conf.task_acks_late is True
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.worker_prefetch_multiplier == 1


def test_redelivery_waits_longer_than_any_task_may_take():
    options = app.conf.broker_transport_options
    assert options["visibility_timeout"] > app.conf.task_time_limit > app.conf.task_soft_time_limit
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 10


SEEN: list[tuple[str, str, str]] = []
# What is done at a task's beginning and end is done for every app's.
sample = Celery("sample", broker="memory://", set_as_current=False)


@sample.task(name="tests.look_around", ignore_result=True)
def look_around() -> None:
    work = current_work.get()
    SEEN.append((current_request_id.get(), work.trace.trace_id, work.route))


@pytest.fixture
def worker(monkeypatch):
    """A worker's main loop in a thread of this process, on a broker in its memory: messages travel as they do."""
    # Celery prefers the variable to whatever it is configured with; there lie hints that other tests have sent.
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    SEEN.clear()
    with start_worker(sample, perform_ping_check=False, pool="solo", loglevel="ERROR"):
        yield


def test_a_task_goes_on_with_the_request_and_the_trace_that_sent_it(worker):
    with begin(request_id="req-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01"):
        look_around.delay()
    wait_for(lambda: SEEN, seconds=20)
    assert SEEN == [("req-1", "a" * 32, "tests.look_around")]
    assert current_request_id.get() == "-"


def test_a_task_that_nobody_asked_for_has_an_id_and_a_trace_of_its_own(worker):
    sent = look_around.delay()
    wait_for(lambda: SEEN, seconds=20)
    ((request_id, trace_id, _),) = SEEN
    assert request_id == sent.id
    assert re.fullmatch("[0-9a-f]{32}", trace_id)


def test_each_task_is_counted_and_has_its_line(worker, caplog):
    caplog.set_level(logging.DEBUG, "outlast.task")
    sent = look_around.delay()
    (line,) = wait_for(lambda: [one for one in caplog.records if one.name == "outlast.task"], seconds=20)
    assert (line.task, line.task_id, line.state, line.attempt) == ("tests.look_around", sent.id, "SUCCESS", 1)
    assert line.ms >= 0
    counted = [
        sample.value
        for family in Counted().collect()
        for sample in family.samples
        if sample.name == "outlast_task_attempts_total"
        and sample.labels == {"task": "tests.look_around", "outcome": "success"}
    ]
    assert counted[0] >= 1
