"""Tallies are exact at all times, after whatever was done to entries, picks and requests, by however many at once."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entries.models import Entry, EntryTally, FeeTally, Pick, PickTally, Request
from entries.models.tallies import FOLD_EVERY
from entries.services.summaries import TALLIES, recount, wrong_tallies
from pools.models import Game, Round
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.pools import CODES, PoolFactory, league, lock_round
from tests.support.playing import enter, play, void

RIGHT = {tally.table: 0 for tally in TALLIES}


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=4, codes=CODES[:6]))


def spread(round_number: int) -> dict[str, int]:
    """Team code → picks, as the tallies say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.code, sum(k.picks) FROM entries_picktally k JOIN pools_team t ON t.id = k.team_id"
            " JOIN pools_round r ON r.id = k.round_id WHERE r.number = %s GROUP BY t.code HAVING sum(k.picks) <> 0",
            [round_number],
        )
        return dict(cursor.fetchall())


def test_picks_are_counted_as_they_are_made_moved_and_taken_back(pool):
    entry = enter(pool, "ANT", "CAT")
    enter(pool, "ANT")
    made = spread(1)
    pick_ = Pick.objects.get(entry=entry, round__number=1)
    pick_.team, pick_.game = pick_.game.away, pick_.game
    pick_.save()
    moved = spread(1)
    pick_.delete()

    assert (made, moved, spread(1), spread(2)) == ({"ANT": 2}, {"ANT": 1, "BAT": 1}, {"ANT": 1}, {"CAT": 1})
    assert wrong_tallies() == RIGHT


def test_picks_ahead_stop_counting_with_an_elimination_and_count_again_after_a_correction(pool):
    enter(pool, "BAT", "CAT", "ELK"), enter(pool, "ANT", "CAT"), enter(pool, "ANT", "DOG")
    play(pool, 1)
    fallen = (spread(1), spread(2), spread(3))
    play(pool, 1, "BAT")

    assert fallen == ({"ANT": 2, "BAT": 1}, {"CAT": 1, "DOG": 1}, {})
    assert Entry.objects.filter(status="active").count() + Entry.objects.filter(status="winner").count() == 1
    assert wrong_tallies() == RIGHT


def test_those_who_swap_fates_in_one_statement_swap_their_picks_ahead(pool):
    first, second = enter(pool, "ANT", "CAT"), enter(pool, "ANT", "DOG")
    set_fates({first: 1, second: None})
    assert spread(2) == {"DOG": 1}

    set_fates({first: None, second: 1})

    assert spread(2) == {"CAT": 1}
    assert wrong_tallies() == RIGHT


def test_a_void_entry_takes_all_its_picks_along(pool):
    enter(pool, "ANT", "CAT")
    void(enter(pool, "ANT", "DOG"))

    assert (spread(1), spread(2)) == ({"ANT": 1}, {"CAT": 1})
    assert wrong_tallies() == RIGHT


def test_a_late_entrys_picks_count_from_its_first_round_on(pool):
    entry = enter(pool, "ANT", "CAT", "ELK")
    other = enter(pool, "BAT", "DOG")
    Entry.objects.filter(pk__in=[entry.pk, other.pk]).update(first_round_number=2)

    assert (spread(1), spread(2)) == ({}, {"CAT": 1, "DOG": 1})
    Entry.objects.filter(pk=entry.pk).update(first_round_number=3)
    assert (spread(1), spread(2), spread(3)) == ({}, {"DOG": 1}, {"ELK": 1})
    assert wrong_tallies() == RIGHT


def test_a_fee_counts_from_its_payment_to_its_refund(pool):
    paid = [EntryFactory(in_pool=pool) for _ in range(3)]
    RequestFactory(pool=pool, approved=True)
    void(paid[0])
    Request.objects.filter(entry=paid[0]).update(payment_status="refunded")

    assert sum(FeeTally.objects.values_list("requests", flat=True)) == 2
    assert wrong_tallies() == RIGHT


def test_what_piles_up_is_folded(pool):
    for _ in range(2 * FOLD_EVERY + 2):
        EntryFactory(in_pool=pool)

    assert EntryTally.objects.count() < FOLD_EVERY + 2
    assert wrong_tallies() == RIGHT


def test_a_text_of_a_pick_tally_names_neither_team_nor_game(pool):
    enter(pool, "ANT")
    round_ = Round.objects.get(number=1)

    assert str(PickTally.objects.get()) == f"+1 picks of round {round_.pk} in pool {pool.pk}"


def test_a_recount_repairs_what_came_past_the_triggers_and_a_look_tells_of_it(pool):
    enter(pool, "ANT"), enter(pool, "BAT")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE entries_pick SET team_id = (SELECT min(team_id) FROM entries_pick)")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert wrong_tallies() == {**RIGHT, "entries_picktally": 3}

    recount()

    assert wrong_tallies() == RIGHT
    assert sorted(spread(1).values()) == [2]


def set_fates(fates: dict[Entry, int | None]) -> None:
    """Write what settlement would, for several entries in one statement: the round that each fell in, or none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('outlast.correction', 'settlement', true)")
        cursor.execute(
            "UPDATE entries_entry e SET eliminated_round_number = f.number,"
            " status = CASE WHEN f.number IS NULL THEN 'active' ELSE 'eliminated' END,"
            " eliminated_code = CASE WHEN f.number IS NULL THEN '' ELSE 'pick_lost' END"
            " FROM unnest(%s::bigint[], %s::int[]) f (id, number) WHERE f.id = e.id",
            [[entry.pk for entry in fates], list(fates.values())],
        )


steps = st.one_of(
    st.tuples(st.just("enter"), st.lists(st.sampled_from([*CODES[:6], None]), max_size=4, unique=True)),
    st.tuples(st.just("pick"), st.integers(0, 9), st.integers(1, 4), st.sampled_from(CODES[:6])),
    st.tuples(st.just("fates"), st.dictionaries(st.integers(0, 9), st.sampled_from([None, 1, 2, 3, 4]), min_size=1)),
    st.tuples(st.just("void"), st.integers(0, 9)),
    st.tuples(st.just("late"), st.integers(0, 9), st.integers(1, 4)),
    st.tuples(st.just("drop"), st.integers(0, 9), st.integers(1, 4)),
)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(st.lists(steps, min_size=3, max_size=14))
def test_whatever_is_done_the_tallies_are_the_counts(done):
    with transaction.atomic():
        pool, entries = PoolFactory(competition=league(rounds=4, codes=CODES[:6])), []
        for step in done:
            try:
                with transaction.atomic():
                    take(step, pool, entries)
            except IntegrityError:
                pass  # a guard refused it: nothing was done
            assert wrong_tallies() == RIGHT, step
        transaction.set_rollback(True)


def take(step, pool, entries) -> None:
    verb, *rest = step
    if verb == "enter":
        entries.append(enter(pool, *rest[0]))
        return
    if verb == "fates":
        set_fates({entries[n]: number for n, number in rest[0].items() if n < len(entries)})
        return
    if rest[0] >= len(entries):
        return
    entry = entries[rest[0]]
    if verb == "void":
        Entry.objects.filter(pk=entry.pk, status="active").update(status="void")
    elif verb == "late":
        Entry.objects.filter(pk=entry.pk).update(first_round_number=rest[1])
    elif verb == "drop":
        Pick.objects.filter(entry=entry, round__number=rest[1]).delete()
    else:
        Pick.objects.filter(entry=entry, round__number=rest[1]).delete()
        pick(entry, rest[1], rest[2])


@pytest.mark.django_db(transaction=True)
def test_players_who_pay_at_once_do_not_wait_for_each_other():
    pool = PoolFactory()
    requests = [RequestFactory(pool=pool, paid=True) for _ in range(2)]

    with transaction.atomic():
        Entry.objects.create(request=requests[0], pool=pool, user=requests[0].user, number=1)
        other = threading.Thread(target=_born, args=(requests[1],))
        other.start()
        other.join(timeout=10)
        assert not other.is_alive()

    assert Entry.objects.count() == 2
    assert wrong_tallies() == RIGHT


def _born(request) -> None:
    Entry.objects.create(request=request, pool=request.pool, user=request.user, number=1)
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_pick_that_meets_an_elimination_waits_for_it_and_is_not_counted():
    pool = PoolFactory(competition=league(rounds=3, codes=CODES[:4]))
    entry = EntryFactory(in_pool=pool)
    lock_round(Round.objects.get(number=1))
    game = Game.objects.filter(round__number=2).first()
    row = {"entry": entry, "round": game.round, "game": game, "team": game.home, "nonce": "0" * 32}

    def insert() -> None:
        Pick.objects.create(**row)
        connection.close()

    with transaction.atomic():
        set_fates({entry: 1})
        other = threading.Thread(target=insert)
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()
    other.join(timeout=10)

    assert Pick.objects.count() == 1
    assert spread(2) == {}
    assert wrong_tallies() == RIGHT
