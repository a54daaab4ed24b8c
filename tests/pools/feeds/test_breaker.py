"""The circuit breaker of a source, kept in its row: closed, open, half-open, closed."""

from datetime import timedelta

import pytest

from config.clock import database_now
from pools.models import FeedSource
from pools.models.feed import BREAKS_AFTER
from pools.services.feeds import ask_to_pull, close_breaker, pull_due_sources
from pools.services.feeds.claims import FIRST_COOL_OFF, LONGEST_COOL_OFF, wait_after
from tests.pools.feeds.conftest import fresh
from tests.support import bad_server as bad
from tests.support.feeds import QUICK, as_csv, season


def wait_of(source) -> timedelta:
    """How long the source is left alone after its last pull."""
    return fresh(source).next_pull_at - fresh(source).last_pulled_at


def make_due() -> None:
    FeedSource.objects.update(next_pull_at=database_now() - timedelta(seconds=1))


@pytest.fixture
def broken(pull, source) -> FeedSource:
    """A source whose server has been down for as often as it takes."""
    for _ in range(BREAKS_AFTER):
        pull(bad.status(404))
    return fresh(source)


def test_single_failures_leave_it_closed_and_in_its_rhythm(pull, source):
    for number in range(1, BREAKS_AFTER):
        pull(bad.status(404))
        assert (fresh(source).failures, fresh(source).breaker(database_now())) == (number, "closed")
        assert timedelta(seconds=50) < wait_of(source) < timedelta(seconds=70)


def test_one_success_forgets_the_failures(pull, source):
    for _ in range(BREAKS_AFTER - 1):
        pull(bad.status(404))
    pull(bad.answer(as_csv(season())))
    pull(bad.status(404))
    assert (fresh(source).failures, fresh(source).is_broken) == (1, False)


def test_enough_failures_in_a_row_open_it(broken, caplog):
    assert (broken.failures, broken.breaker(database_now())) == (BREAKS_AFTER, "open")
    assert FIRST_COOL_OFF <= wait_of(broken) <= FIRST_COOL_OFF * 1.6


def test_it_opens_loudly(pull, caplog):
    for _ in range(BREAKS_AFTER):
        pull(bad.status(404))
    levels = [record.levelname for record in caplog.records if record.name.startswith("pools.services.feeds")]
    assert levels == ["WARNING"] * (BREAKS_AFTER - 1) + ["ERROR"]


def test_bodies_that_are_refused_open_it_too(pull, source):
    for _ in range(BREAKS_AFTER):
        pull(bad.answer(b"<html>Sorry</html>"))
    assert fresh(source).is_broken


def test_nobody_is_asked_while_it_is_open(broken, server):
    asked = len(server.asked)
    assert pull_due_sources(limits=QUICK) == []
    assert len(server.asked) == asked


def test_after_the_cool_off_one_try_alone_is_made(broken, server):
    server.does(bad.status(503))
    asked = len(server.asked)
    make_due()
    assert fresh(broken).breaker(database_now()) == "half-open"
    assert [pulled.outcome for pulled in pull_due_sources(limits=QUICK)] == ["failed"]
    assert len(server.asked) == asked + 1
    assert fresh(broken).breaker(database_now()) == "open"
    assert FIRST_COOL_OFF * 2 <= wait_of(broken) <= FIRST_COOL_OFF * 3.1


def test_a_try_that_works_closes_it(broken, server):
    server.does(bad.answer(as_csv(season())))
    make_due()
    assert [pulled.outcome for pulled in pull_due_sources(limits=QUICK)] == ["applied"]
    after = fresh(broken)
    assert (after.failures, after.broken_at, after.last_error) == (0, None, "")


def test_since_when_it_is_open_is_kept(broken, server):
    make_due()
    pull_due_sources(limits=QUICK)
    assert fresh(broken).broken_at == broken.broken_at


def test_the_cool_off_doubles_up_to_a_limit_and_is_never_the_same(source):
    for failures, factor in ((5, 1), (6, 2), (7, 4), (9, 16), (10, 30), (50, 30)):
        waits = {wait_after(source, failures).time for _ in range(50)}
        assert len(waits) == 50
        assert min(waits) >= FIRST_COOL_OFF * factor
        assert max(waits) <= FIRST_COOL_OFF * factor * 1.5
    assert wait_after(source, 5).is_broken
    assert not wait_after(source, 4).is_broken
    assert LONGEST_COOL_OFF == FIRST_COOL_OFF * 30


def test_the_cool_off_is_never_shorter_than_the_rhythm(source):
    source.every_seconds = 3600
    assert wait_after(source, 5).time >= timedelta(hours=1)


@pytest.mark.parametrize(("asked", "kept"), [("300", 300), ("999999", 3600)])
def test_a_server_that_asks_us_to_stay_away_is_heard_within_reason(pull, source, asked, kept):
    pull(bad.status(429, Retry_After=asked))
    assert timedelta(seconds=kept - 5) < wait_of(source) < timedelta(seconds=kept + 5)


def test_a_person_can_ask_for_a_pull_now_and_gets_one_try(broken, server):
    ask_to_pull(source_id=broken.pk)
    assert fresh(broken).breaker(database_now()) == "half-open"
    assert len(pull_due_sources(limits=QUICK)) == 1


def test_a_person_can_close_it(broken):
    assert close_breaker(source_id=broken.pk) is True
    assert (fresh(broken).failures, fresh(broken).breaker(database_now())) == (0, "closed")
    assert close_breaker(source_id=broken.pk) is False
    assert len(pull_due_sources(limits=QUICK)) == 1
