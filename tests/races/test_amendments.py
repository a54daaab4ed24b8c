"""Races for the rules: two who confirm at once, and a lock that passes while somebody confirms."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from config.models import OutboxMessage
from entries.queries.reveal import reveal_rounds
from pools.models import Amendment, Rules
from pools.models.competition import REVEAL_LOCK
from pools.services.rules import confirm_amendment, propose_amendment, withdraw_amendment
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league
from tests.support.deadlines import AHEAD, wait_past
from tests.support.threads import again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


def proposal(**league_fields) -> Amendment:
    pool = PoolFactory(competition=league(rounds=3, **league_fields))
    EntryFactory(in_pool=pool)
    return propose_amendment(pool=pool, changes={"tie": "win"}, reason="Agreed.", by=ModeratorFactory())


@again_and_again
def test_two_who_confirm_at_once_make_one_version():
    amendment, people = proposal(), ModeratorFactory.create_batch(2)
    outcomes = run_together([lambda by=by: confirm_amendment(amendment=amendment, by=by) for by in people])
    assert codes(outcomes) == ["INVALID_TRANSITION"]
    assert len(successes(outcomes)) == 1
    assert amendment.pool.rules_versions.count() == 2
    assert OutboxMessage.objects.filter(key__startswith=f"rules-amended-{amendment.pk}-").count() == 1


@again_and_again
def test_confirming_and_withdrawing_at_once_does_one_of_them():
    amendment, (one, other) = proposal(), ModeratorFactory.create_batch(2)
    outcomes = run_together(
        [
            lambda: confirm_amendment(amendment=amendment, by=one),
            lambda: withdraw_amendment(amendment=amendment, by=other),
        ]
    )
    assert codes(outcomes) == ["INVALID_TRANSITION"]
    amendment.refresh_from_db()
    assert amendment.pool.rules_versions.count() == (2 if amendment.status == "confirmed" else 1)


@again_and_again
def test_two_who_propose_at_once_leave_one_waiting():
    pool, people = PoolFactory(), ModeratorFactory.create_batch(2)
    outcomes = run_together(
        [lambda by=by: propose_amendment(pool=pool, changes={"strikes": 1}, reason="x", by=by) for by in people]
    )
    assert codes(outcomes) == ["INVALID_TRANSITION"]
    assert Amendment.objects.filter(pool=pool).count() == 1


@contextmanager
def holding(round_):
    """Somebody else has the round in hand, as who reveals it."""
    held, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [REVEAL_LOCK, round_.pk])
            held.set()
            release.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    try:
        yield release.set
    finally:
        release.set()
        thread.join(30)


def test_a_lock_that_passes_while_one_waits_is_not_overtaken():
    amendment, second = proposal(first_kickoff_in=AHEAD), ModeratorFactory()
    first = amendment.pool.competition.rounds.get(number=1)
    confirmed = []

    def confirm():
        confirmed.append(confirm_amendment(amendment=amendment, by=second))
        connection.close()

    with holding(first) as let_go:
        thread = threading.Thread(target=confirm)
        thread.start()
        wait_past(first.locks_at)
        assert not confirmed
        let_go()
        thread.join(30)
    # When it came to look, round 1 was open; when its turn came, round 1 had locked.
    assert confirmed[0].rules.effective_round_number == 2


def test_a_round_is_not_revealed_before_the_amendment_that_governs_it_is_there():
    amendment, second = proposal(first_kickoff_in=AHEAD), ModeratorFactory()
    first = amendment.pool.competition.rounds.get(number=1)
    done, finish = threading.Event(), threading.Event()

    def confirm():
        with transaction.atomic():
            confirm_amendment(amendment=amendment, by=second)
            done.set()
            finish.wait(30)
        connection.close()

    thread = threading.Thread(target=confirm)
    thread.start()
    assert done.wait(30)
    try:
        wait_past(first.locks_at)
        assert not reveal_rounds([first.pk])
        assert Rules.objects.filter(pool=amendment.pool).count() == 1
    finally:
        finish.set()
        thread.join(30)
    assert reveal_rounds([first.pk]) == {first.pk}
    assert Rules.objects.filter(pool=amendment.pool).latest("version").effective_round_number == 1
