"""Plain picks, saved before Django is entered, against locks and each other: many at once, on real PostgreSQL."""

import pytest
from django.db import transaction

from entries.models import Entry, Pick, PickChange
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league
from tests.races.test_picks import Aside, about_to_lock
from tests.support.deadlines import wait_past
from tests.support.doors import Door, token_of
from tests.support.threads import again_and_again, errors, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")


def entry_with_token():
    entry = EntryFactory(in_pool=PoolFactory(competition=league(rounds=3, codes=CODES)))
    return entry, token_of(entry.user)


def is_prepared(door, entry, token):
    """The statement may be new to a connection: that must not be what makes a save late."""
    assert door.put(entry.pk, 3, {"team": "FOX"}, token=token).status == 200


@pytest.mark.parametrize("holds", ["entry", "pick"])
def test_a_save_that_waits_past_the_lock_is_refused(holds):
    entry, token = entry_with_token()
    door = Door(is_direct=True)
    is_prepared(door, entry, token)
    assert door.put(entry.pk, 1, {"team": "ANT"}, token=token).status == 200
    round_ = about_to_lock(entry)

    with transaction.atomic():
        # Somebody holds the row across the deadline.
        rows = Entry.objects.filter(pk=entry.pk) if holds == "entry" else Pick.objects.filter(round__number=1)
        assert rows.locked().get()
        late = Aside(lambda: door.put(entry.pk, 1, {"team": "CAT"}, token=token))
        wait_past(round_.locks_at)

    said = late.end()
    assert (said.status, said.code) == (422, "DEADLINE_PASSED")
    assert Pick.objects.get(round__number=1).team.code == "ANT"
    assert not PickChange.objects.filter(at__gte=round_.locks_at).exists()


@again_and_again
def test_saves_for_one_entry_come_one_after_the_other():
    entry, token = entry_with_token()
    doors = [Door(is_direct=number % 2 == 0) for number in range(6)]

    calls = [
        lambda door=door, team=team: door.put(entry.pk, 1, {"team": team}, token=token)
        for door, team in zip(doors, CODES, strict=True)
    ]
    outcomes = run_together(calls)

    assert errors(outcomes) == []
    assert {said.status for said in successes(outcomes)} == {200}
    steps = list(PickChange.objects.filter(entry_id=entry.pk).order_by("id").values_list("from_team_id", "to_team_id"))
    # Each began where the one before it ended.
    assert [before for before, _ in steps] == [None, *(after for _, after in steps[:-1])]
    assert Pick.objects.get(entry=entry).team_id == steps[-1][1]


@again_and_again
def test_one_team_is_taken_for_one_round_alone():
    entry, token = entry_with_token()
    doors = [Door(is_direct=True) for _ in range(3)]

    outcomes = run_together(
        [
            lambda door=door, number=number: door.put(entry.pk, number, {"team": "ANT"}, token=token)
            for number, door in enumerate(doors, start=1)
        ]
    )

    assert errors(outcomes) == []
    assert sorted(said.code or "saved" for said in successes(outcomes)) == [
        "TEAM_ALREADY_USED", "TEAM_ALREADY_USED", "saved",
    ]  # fmt: skip
    assert Pick.objects.filter(entry=entry, team__code="ANT").count() == 1
