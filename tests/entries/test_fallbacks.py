"""The fallback list: whose it is, what it takes, and how it stood at a lock."""

import pytest
from django.db import IntegrityError, connection, transaction

from entries.models import EntryStatus, Fallback, FallbackChange
from entries.services.fallbacks import save_fallback
from pools.models import Pool, PoolStatus, Round, Rules, Team
from tests.factories.accounts import ModeratorFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.calls import call, respond

CODES = ("ANT", "BAT", "CAT", "DOG")


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES), rules={"missed_pick": "fallback"})


@pytest.fixture
def entry(pool):
    return EntryFactory(in_pool=pool)


def put(api, entry, teams, caller=None):
    return call(api(caller or entry.user), "PUT", f"/entries/{entry.pk}/fallback", {"teams": teams})


def get(api, entry, caller=None):
    return call(api(caller or entry.user), "GET", f"/entries/{entry.pk}/fallback")


def history() -> list[tuple[list[str], int | None]]:
    codes = dict(Team.objects.values_list("pk", "code"))
    return [([codes[pk] for pk in change.team_ids], change.actor_id) for change in FallbackChange.objects.all()]


def test_the_list_is_kept_in_the_players_order(api, entry):
    status, data = put(api, entry, ["CAT", "ANT", "DOG"])

    assert (status, data["teams"]) == (200, ["CAT", "ANT", "DOG"])
    assert get(api, entry) == (200, data)
    assert history() == [(["CAT", "ANT", "DOG"], entry.user_id)]


def test_the_same_again_changes_nothing(api, entry):
    first = put(api, entry, ["CAT", "ANT"])

    assert put(api, entry, ["CAT", "ANT"]) == first
    assert len(history()) == 1


def test_another_order_is_another_list(api, entry):
    put(api, entry, ["CAT", "ANT"])

    assert put(api, entry, ["ANT", "CAT"])[1]["teams"] == ["ANT", "CAT"]
    assert len(history()) == 2


def test_an_empty_list_clears_and_never_starts_one(api, entry):
    assert put(api, entry, []) == (200, {"teams": [], "saved_at": None})
    assert not Fallback.objects.exists()
    put(api, entry, ["CAT"])

    assert put(api, entry, [])[1]["teams"] == []
    assert get(api, entry)[1]["teams"] == []
    assert history()[1] == ([], entry.user_id)


def test_an_entry_without_a_list_shows_an_empty_one(api, entry):
    assert get(api, entry) == (200, {"teams": [], "saved_at": None})


@pytest.mark.parametrize(
    ("teams", "message"),
    [
        (["ANT", "ZEBRA", "YAK"], "Unknown teams: ZEBRA, YAK."),
        (["ANT", "CAT", "ANT"], "Name each team once."),
    ],
)
def test_unknown_and_repeated_teams_are_refused(api, entry, teams, message):
    error = respond(api(entry.user), "PUT", f"/entries/{entry.pk}/fallback", {"teams": teams}).json()["error"]

    assert (error["code"], error["details"]) == ("VALIDATION_ERROR", {"teams": [message]})
    assert not Fallback.objects.exists()


@pytest.mark.parametrize("body", [{}, {"teams": None}, {"teams": "ANT"}, {"teams": [None]}, {"teams": ["x" * 21]}, []])
def test_a_malformed_body_is_refused(api, entry, body):
    answer = call(api(entry.user), "PUT", f"/entries/{entry.pk}/fallback", body)

    assert answer == (400, "VALIDATION_ERROR")


def test_a_team_of_another_competition_is_unknown(api, entry):
    PoolFactory(competition=league(codes=("YAK", "ZEB")))

    assert put(api, entry, ["YAK"]) == (400, "VALIDATION_ERROR")


def test_only_the_owner_reads_or_writes_it_not_even_staff(api, entry, stranger, moderator, finance, admin_user):
    put(api, entry, ["CAT"])

    for staff in (moderator, finance, admin_user):
        assert get(api, entry, staff) == (403, "FORBIDDEN")
        assert put(api, entry, ["ANT"], staff) == (404, "NOT_FOUND")
    assert get(api, entry, stranger) == (404, "NOT_FOUND")
    assert put(api, entry, ["ANT"], stranger) == (404, "NOT_FOUND")
    assert call(api(), "GET", f"/entries/{entry.pk}/fallback") == (401, "NOT_AUTHENTICATED")
    assert get(api, entry)[1]["teams"] == ["CAT"]


def test_it_stays_the_owners_after_the_lock(api, entry, moderator):
    put(api, entry, ["CAT"])
    lock_round(Round.objects.get(number=1))

    assert get(api, entry, moderator) == (403, "FORBIDDEN")


# --- Where it has no use ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missed", ["eliminate", "strike", "favourite"])
def test_a_pool_that_fills_in_otherwise_takes_no_list(api, db, missed):
    entry = EntryFactory(in_pool=PoolFactory(rules={"missed_pick": missed, "strikes": 1}))

    assert put(api, entry, ["CAT"]) == (422, "FALLBACK_NOT_USED")


def amended(pool, version, effective, **changes) -> None:
    Rules.objects.create(
        pool=pool, version=version, effective_round_number=effective, created_by=ModeratorFactory(),
        confirmed_by=ModeratorFactory(), **changes,
    )  # fmt: skip


def test_a_pool_that_will_use_lists_from_a_later_round_takes_them(api, db):
    pool = PoolFactory()
    amended(pool, 2, 3, missed_pick="fallback")

    assert put(api, EntryFactory(in_pool=pool), ["CAT"])[0] == 200


def test_a_pool_whose_rounds_to_come_use_no_lists_takes_none_any_more(api, pool, entry):
    amended(pool, 2, 2, missed_pick="eliminate")
    assert put(api, entry, ["CAT"])[0] == 200

    lock_round(Round.objects.get(number=1))

    assert put(api, entry, ["ANT"]) == (422, "FALLBACK_NOT_USED")


def test_an_entry_that_is_out_takes_none(api, entry):
    entry.status, entry.eliminated_round_number, entry.eliminated_code = EntryStatus.ELIMINATED, 1, "pick_lost"
    entry.save()

    assert put(api, entry, ["CAT"]) == (422, "ENTRY_NOT_ACTIVE")


def test_a_pool_that_is_over_takes_none(api, entry):
    Pool.objects.update(status=PoolStatus.FINISHED)

    assert put(api, entry, ["CAT"]) == (422, "ROUND_NOT_OPEN")


# --- The database -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM entries_fallback",
        "TRUNCATE entries_fallback CASCADE",
        "UPDATE entries_fallbackchange SET team_ids = '{}'",
        "DELETE FROM entries_fallbackchange",
        "TRUNCATE entries_fallbackchange",
    ],
)
def test_raw_sql_removes_neither_the_list_nor_its_history(entry, sql):
    save_fallback(entry_id=entry.pk, user=entry.user, teams=["CAT"])
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # so that nothing but the guards refuses a TRUNCATE

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_raw_sql_leaves_history_too(entry):
    save_fallback(entry_id=entry.pk, user=entry.user, teams=["CAT"])

    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries_fallback SET team_ids = '{}'")

    assert [teams for teams, _ in history()] == [["CAT"], []]


def test_a_list_says_no_team_when_printed(entry):
    save_fallback(entry_id=entry.pk, user=entry.user, teams=["CAT"])

    assert "CAT" not in f"{Fallback.objects.get()} {FallbackChange.objects.get()}"


def test_saving_costs_two_statements(entry, django_assert_num_queries):
    with django_assert_num_queries(4):  # with SAVEPOINT and RELEASE, which are BEGIN and COMMIT outside a test
        save_fallback(entry_id=entry.pk, user=entry.user, teams=["CAT", "ANT", "DOG"])
