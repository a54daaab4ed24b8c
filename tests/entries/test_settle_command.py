"""`manage.py settle`: what it says, and what it refuses."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from entries import tasks
from entries.models import Entry, EntryStatus
from pools.models import Pool, PoolStatus
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import play_round


def settle(*arguments) -> str:
    out = StringIO()
    call_command("settle", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def pool(db):
    losing = EntryFactory()
    pick(losing, 1, "BAT")
    for code in ("ANT", "CAT"):
        pick(EntryFactory(in_pool=losing.pool), 1, code)
    play_round(losing.pool.competition.rounds.get(number=1), winners=set())
    return losing.pool


def test_a_dry_run_says_what_would_change_and_changes_nothing(pool):
    assert settle(str(pool.pk), "--dry-run") == "would change: eliminated 1\n"
    assert not Entry.objects.filter(status=EntryStatus.ELIMINATED).exists()


def test_a_run_changes_it_and_the_next_finds_nothing(pool):
    assert settle("--competition", pool.competition.code) == "changed: eliminated 1\n"
    assert settle(str(pool.pk)).startswith("Nothing to settle")
    assert settle(pool.name).startswith("Nothing to settle")


def test_rounds_can_be_held_back(pool):
    assert settle(str(pool.pk), "--through", "0").startswith("Nothing to settle")


@pytest.mark.parametrize("arguments", [[], ["1", "--competition", "x"], ["999999"], ["--competition", "nowhere"]])
def test_what_is_not_there_is_refused(db, arguments):
    with pytest.raises(CommandError):
        settle(*arguments)


def test_the_schedule_reveals_starts_and_settles(pool):
    assert tasks.start_due_pools() == 1
    assert tasks.reveal_due_rounds() == 1
    assert tasks.settle_due() == 1
    assert tasks.settle_due() == 0
    assert Pool.objects.get().status == PoolStatus.RUNNING
