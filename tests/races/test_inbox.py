"""Workers at the inbox, all at once: one object is never looked at by two of them, and none waits for another's."""

import threading
import time
from collections import Counter

import pytest

from payments.models import WebhookEvent
from payments.services.inbox import following, process_event, sweep_events, working
from payments.services.inbox.kinds import Subject
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)

OBJECTS, EVENTS_EACH, WORKERS = 5, 4, 6


@pytest.fixture
def watched(monkeypatch, double):
    """Following takes a moment, and tells how many were at one object at once, and how often each was asked about."""
    at_work, most, asked, guard = Counter(), Counter(), Counter(), threading.Lock()

    def ask(about):
        name = about.session
        with guard:
            at_work[name] += 1
            asked[name] += 1
            most[name] = max(most[name], at_work[name])
        time.sleep(0.02)
        with guard:
            at_work[name] -= 1
        return ""

    monkeypatch.setitem(following.ASK, Subject.PAYMENT, ask)
    return most, asked


def news():
    rows = [
        WebhookEvent(
            provider="stripe",
            event_id=f"evt_{number}_{again}",
            event_type="checkout.session.completed",
            object_id=f"cs_{number}",
            payload={"data": {"object": {"id": f"cs_{number}"}}},
        )
        for again in range(EVENTS_EACH)
        for number in range(OBJECTS)
    ]
    return [row.pk for row in WebhookEvent.objects.bulk_create(rows)]


@pytest.mark.parametrize("repetition", range(6))
def test_two_sweeps_never_look_at_one_object_together(watched, repetition):
    most, asked = watched
    news()

    outcomes = run_together([sweep_events] * WORKERS)

    assert [one.error for one in outcomes] == [None] * WORKERS
    sweep_events()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    assert set(WebhookEvent.objects.values_list("attempts", flat=True)) == {1}
    assert set(most.values()) == {1}
    assert len(asked) == OBJECTS


@pytest.mark.parametrize("repetition", range(6))
def test_hints_for_all_news_at_once_never_meet_at_an_object_and_leave_nothing(watched, repetition):
    most, _ = watched
    rows = news()

    outcomes = run_together([lambda pk=pk: process_event(event_id=pk) for pk in rows])

    assert [one.error for one in outcomes] == [None] * len(rows)
    sweep_events()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed"}
    assert set(most.values()) == {1}


def test_all_due_news_of_an_object_is_one_question(watched):
    _, asked = watched
    news()

    assert sweep_events() == OBJECTS * EVENTS_EACH

    assert dict(asked) == {f"cs_{number}": 1 for number in range(OBJECTS)}


def test_an_object_at_work_keeps_no_other_waiting(watched):
    news()
    held = working._claim()

    assert len(held) == EVENTS_EACH
    assert sweep_events() == (OBJECTS - 1) * EVENTS_EACH
    assert working._claim() == []


def test_news_that_comes_meanwhile_waits_and_is_taken_by_the_same_worker(watched, monkeypatch):
    """Its own hint finds the object taken; without this it would wait for the sweep."""
    _, asked = watched
    first, *_ = news()
    ask = following.ASK[Subject.PAYMENT]
    hinted = []

    def ask_while_more_comes(about):
        if not hinted:
            row = WebhookEvent.objects.create(
                provider="stripe", event_id="evt_late", event_type="checkout.session.expired", object_id=about.session,
                payload={},
            )  # fmt: skip
            hinted.append(process_event(event_id=row.pk))
        return ask(about)

    monkeypatch.setitem(following.ASK, Subject.PAYMENT, ask_while_more_comes)
    assert process_event(event_id=first) is True

    assert hinted == [False]
    assert WebhookEvent.objects.get(event_id="evt_late").status == "processed"
    assert asked["cs_0"] == 2
