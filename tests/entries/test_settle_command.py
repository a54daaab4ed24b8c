"""`manage.py settle`: what it says, and what it refuses."""

import csv
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from entries import tasks
from entries.models import Entry, EntryStatus
from pools.models import Pool, PoolStatus
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import finish, play_round


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
    entry = Entry.objects.get(picks__team__code="BAT")
    assert settle(str(pool.pk), "--dry-run").splitlines() == [
        f"{pool.name}: entry {entry.pk}, {entry.user.display_name} 1: active → eliminated in round 1 (pick_lost)",
        "would change: eliminated 1",
    ]
    assert not Entry.objects.filter(status=EntryStatus.ELIMINATED).exists()


def test_every_line_lands_in_a_file(pool, tmp_path):
    entry = Entry.objects.get(picks__team__code="BAT")
    told = settle(str(pool.pk), "--dry-run", "-o", str(tmp_path / "who.csv"))
    rows = list(csv.DictReader((tmp_path / "who.csv").open()))
    assert told.endswith("would change: eliminated 1\n")
    assert [(row["entry_id"], row["from_status"], row["to_status"], row["to_round"]) for row in rows] == [
        (str(entry.pk), "active", "eliminated", "1")
    ]


def test_a_correction_tells_titles_and_money(pool):
    last = pool.competition.rounds.get(number=2)
    Pool.objects.filter(pk=pool.pk).update(last_round_number=2)
    ant, cat = (Entry.objects.get(picks__team__code=code) for code in ("ANT", "CAT"))
    pick(ant, 2, "BAT"), pick(cat, 2, "DOG")
    play_round(last, winners={"BAT"})
    settle(str(pool.pk))
    finish(last.games.get(away__code="DOG"), 10, 20)
    finish(last.games.get(away__code="BAT"), 20, 10)

    told = settle(str(pool.pk), "--dry-run").splitlines()

    who = f"{pool.name}: entry {cat.pk}, {cat.user.display_name} 1"
    assert f"{who}: eliminated in round 2 → winner, prize none → 150.00 USD" in told
    assert told[-1] == "would change: eliminated 1, revived 1, winners 1, unseated 1"


def test_a_file_that_cannot_be_written_is_said_and_nothing_settled(pool, tmp_path):
    with pytest.raises(CommandError, match="cannot be written"):
        settle(str(pool.pk), "-o", str(tmp_path / "nowhere" / "who.csv"))
    assert not Entry.objects.filter(status=EntryStatus.ELIMINATED).exists()


def test_settling_afresh_finds_nothing_more(pool):
    settle(str(pool.pk))
    assert settle(str(pool.pk), "--afresh").startswith("Nothing to settle")


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
