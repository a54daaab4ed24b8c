"""Entries whose money is disputed: they play on, and whether they pick, their pool says."""

import pytest
from django.db import IntegrityError, connection, transaction

from config.errors import Code, Refused
from entries.models import EntryChange, Pick
from entries.services.lost_places import lift_suspension, suspend_entry
from entries.services.picks import delete_pick, save_pick
from entries.services.repicks import release_picks
from pools.models import Game, GameStatus
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, game_of
from tests.support.buying_back import fresh
from tests.support.playing import enter, play
from tests.support.ruling import rule

pytestmark = pytest.mark.django_db

SUSPENDED = "pick_entry_suspended"


def suspend(entry, by=None):
    return suspend_entry(entry=entry, by=by, reason="disputed")


def choose(entry, code="ANT"):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=[code])


def refusal(act):
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def refused(sql):
    """The name of the guard that refuses the statement."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    return caught.value.__cause__.diag.constraint_name


@pytest.fixture
def strict():
    return PoolFactory(suspended_may_pick=False, rules={"missed_pick": "favourite", "cancelled_game": "repick"})


def test_a_suspension_is_written_down_and_lifted_again(finance):
    entry = EntryFactory()
    assert suspend(entry, by=finance).is_suspended
    assert not lift_suspension(entry=entry, by=finance, reason="won").is_suspended
    told = EntryChange.objects.filter(subject_id=entry.pk).values_list("reason", "actor_id", "details__is_suspended")
    assert list(told)[1:] == [("disputed", finance.pk, True), ("won", finance.pk, False)]
    assert fresh(entry).status == "active"


def test_a_second_time_changes_nothing():
    entry = EntryFactory()
    suspend(entry), suspend(entry)
    assert EntryChange.objects.filter(subject_id=entry.pk).count() == 2
    lift_suspension(entry=entry, by=None, reason="won"), lift_suspension(entry=entry, by=None, reason="won")
    assert EntryChange.objects.filter(subject_id=entry.pk).count() == 3


def test_a_suspended_entry_picks_on_where_its_pool_lets_it():
    entry = EntryFactory()
    suspend(entry)
    assert choose(entry).changed
    assert delete_pick(entry_id=entry.pk, user=entry.user, round_number=1)


def test_elsewhere_it_can_neither_save_nor_take_back_a_pick(strict):
    entry = enter(strict, "ANT")
    suspend(entry)
    assert refusal(lambda: choose(entry, "CAT")) == Code.ENTRY_SUSPENDED
    assert refusal(lambda: delete_pick(entry_id=entry.pk, user=entry.user, round_number=1)) == Code.ENTRY_SUSPENDED
    lift_suspension(entry=entry, by=None, reason="won")
    assert choose(entry, "CAT").changed


def test_the_database_has_the_last_word(strict):
    entry = enter(strict, "ANT")
    suspend(entry)
    cat = game_of(strict.competition.rounds.get(number=1), "CAT")
    assert refused("DELETE FROM entries_pick") == SUSPENDED
    assert refused(f"UPDATE entries_pick SET team_id = {cat.home_id}, game_id = {cat.pk}") == SUSPENDED
    with pytest.raises(IntegrityError, match="is suspended"), transaction.atomic():
        pick(entry, 2, "ANT")


def test_another_entry_of_the_pool_picks_on(strict):
    suspend(enter(strict, "ANT"))
    assert choose(EntryFactory(in_pool=strict)).changed


def test_a_suspension_that_nobody_saw_in_time_is_told_as_one(strict, monkeypatch):
    entry = enter(strict)
    monkeypatch.setattr("entries.services.picks.refusals.check_open", lambda *_, **__: None)
    suspend(entry)
    assert refusal(lambda: choose(entry)) == Code.ENTRY_SUSPENDED


def test_a_missing_pick_is_filled_in_and_settled_all_the_same(strict):
    Game.objects.update(home_spread=3)
    entry, other = enter(strict), enter(strict, "ANT")
    suspend(entry)
    play(strict, 1)
    assert list(Pick.objects.filter(entry=entry).values_list("source", flat=True)) == ["favourite"]
    assert (fresh(entry).status, fresh(other).status) == ("active", "active")


def test_staff_may_still_rule_on_its_picks(strict):
    entry = enter(strict, "ANT")
    suspend(entry)
    play(strict, 1)
    rule("pick", entry=entry, round=1, teams=["CAT"])
    assert Pick.objects.get(entry=entry).team.code == "CAT"


def test_a_pick_whose_game_is_off_is_taken_back(strict):
    entry = enter(strict, "ANT")
    suspend(entry)
    Game.objects.filter(pk=game_of(strict.competition.rounds.get(number=1), "ANT").pk).update(
        status=GameStatus.CANCELLED
    )
    assert release_picks(competition_id=strict.competition_id) == 1
    assert not Pick.objects.filter(entry=entry).exists()
