"""Games that somebody has picked in stay where they are, also against a pick that is made at the same moment."""

import threading
import time

import pytest
from django.db import connection, transaction

from entries.models import Pick
from entries.services.picked_games import games_with_picks
from entries.services.picks import save_pick
from pools.models import Game, Round
from pools.services.schedule import guards
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory


def test_the_schedule_asks_here(db):
    assert guards._registered == [games_with_picks]


def test_games_with_a_pick_are_found_and_others_are_not(db):
    entry = EntryFactory(in_pool=PoolFactory())
    picked = pick(entry, 1, "BAT").game_id
    ids = set(Game.objects.values_list("pk", flat=True))

    assert guards.picked(ids) == {picked}
    assert guards.picked(ids - {picked}) == frozenset()
    assert guards.picked([]) == frozenset()


@pytest.mark.django_db(transaction=True)
def test_a_pick_that_is_being_made_is_waited_for_and_a_later_one_waits():
    first = EntryFactory(in_pool=PoolFactory())
    second = EntryFactory(in_pool=first.pool)
    games = list(Round.objects.get(number=1, competition=first.pool.competition).games.values_list("pk", flat=True))
    made, go_on, done = threading.Event(), threading.Event(), []

    def save_slowly() -> None:
        with transaction.atomic():
            save_pick(entry_id=first.pk, user=first.user, round_number=1, teams=["ANT"])
            made.set()
            go_on.wait(10)
        connection.close()

    def save_later() -> None:
        save_pick(entry_id=second.pk, user=second.user, round_number=1, teams=["DOG"])
        done.append(time.monotonic())
        connection.close()

    slow, later = threading.Thread(target=save_slowly), threading.Thread(target=save_later)
    slow.start()
    assert made.wait(10)
    threading.Timer(0.3, go_on.set).start()
    with transaction.atomic():
        found = games_with_picks(games)
        later.start()
        later.join(0.5)
        released = time.monotonic()
        assert done == []
    slow.join()
    later.join()

    assert found == [Pick.objects.get(entry=first).game_id]
    assert done[0] > released
