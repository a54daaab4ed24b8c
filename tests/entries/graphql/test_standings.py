"""A pool in full, asked for in GraphQL."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.asking import ask, refused
from tests.support.playing import enter, play

pytestmark = pytest.mark.django_db
STANDINGS = """
    query ($pool: BigInt!, $first: Int! = 20, $after: String, $status: EntryStatus, $search: String) {
        pool(id: $pool) {
            standings(first: $first, after: $after, status: $status, search: $search) {
                total
                pageInfo { hasNextPage endCursor }
                nodes {
                    rank entry displayName number status strikes eliminatedRound roundsSurvived
                    picks { round team result }
                }
            }
        }
    }
"""


@pytest.fixture
def pool(db):
    made = PoolFactory(competition=league(rounds=3))
    for code in ("ANT", "BAT", "BAT", "CAT", "DOG"):
        enter(made, code)
    play(made, 1, "BAT")
    return made


def standings(api, pool, **variables):
    return ask(api(), STANDINGS, pool=pool.pk, **variables)["pool"]["standings"]


def snake(row):
    names = {"displayName": "display_name", "eliminatedRound": "eliminated_round", "roundsSurvived": "rounds_survived"}
    return {names.get(name, name): value for name, value in row.items()}


@pytest.mark.parametrize(
    "query", [{}, {"status": "active"}, {"status": "eliminated"}, {"search": "Player"}, {"search": "x"}]
)
def test_standings_are_told_as_over_rest(api, pool, query):
    rest = api().get(f"/api/v1/pools/{pool.pk}/standings", query).json()

    found = standings(api, pool, **query)

    assert [snake(row) for row in found["nodes"]] == rest["data"]
    assert found["total"] == rest["meta"]["pagination"]["total"]


def test_pages_follow_one_another_to_the_end(api, pool):
    seen, after = [], None
    for _ in range(3):
        page = standings(api, pool, first=2, after=after)
        seen += [row["entry"] for row in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert page["pageInfo"]["hasNextPage"] is False
    whole = standings(api, pool, first=100)
    assert seen == [row["entry"] for row in whole["nodes"]]
    assert standings(api, pool, first=2, after=after)["nodes"] == []


def test_a_cursor_of_another_list_is_refused(api, pool):
    other = PoolFactory(competition=pool.competition)
    cursor = standings(api, pool, first=1)["pageInfo"]["endCursor"]

    assert refused(api(), STANDINGS, pool=other.pk, after=cursor) == ["VALIDATION_ERROR"]
    assert refused(api(), STANDINGS, pool=pool.pk, after=cursor, status="active") == ["VALIDATION_ERROR"]


def test_void_places_have_no_rank(api, pool):
    assert refused(api(), STANDINGS, pool=pool.pk, status="void") == ["VALIDATION_ERROR"]


def test_a_page_costs_the_same_for_one_row_and_for_five(api, pool):
    def cost(first):
        with CaptureQueriesContext(connection) as queries:
            standings(api, pool, first=first)
        return len(queries)

    cost(5)
    assert cost(1) == cost(3) == cost(5)


def test_rounds_and_their_numbers_are_told_as_over_rest(api, pool):
    query = """{ pool(id: %d) { rounds { number name opensAt locksAt status picksTotal missed eliminated aliveAfter
        merkleRoot games { id } } round(number: 1) { number status } } }"""

    found = ask(api(), query % pool.pk)["pool"]

    rest = api().get(f"/api/v1/pools/{pool.pk}/rounds").json()["data"]
    told = [
        (row["number"], row["status"], row["locksAt"], row["picksTotal"], row["missed"], row["eliminated"],
         row["aliveAfter"], [game["id"] for game in row["games"]])
        for row in found["rounds"]
    ]  # fmt: skip
    assert told == [
        (row["number"], row["status"], row["locks_at"], row["picks_total"], row["missed"], row["eliminated"],
         row["alive_after"], [game["id"] for game in row["games"]])
        for row in rest
    ]  # fmt: skip
    assert found["round"] == {"number": 1, "status": "final"}


def test_the_spread_of_a_round_is_told_once_it_has_locked(api, pool):
    query = """query ($pool: BigInt!, $round: Int!) {
        pool(id: $pool) { distribution(round: $round) { team picks share result } } }"""

    assert (
        ask(api(), query, pool=pool.pk, round=1)["pool"]["distribution"]
        == (api().get(f"/api/v1/pools/{pool.pk}/rounds/1/distribution").json()["data"])
    )
    assert refused(api(), query, pool=pool.pk, round=2) == ["FORBIDDEN"]
    assert refused(api(), query, pool=pool.pk, round=9) == ["NOT_FOUND"]
    assert refused(api(), f"{{ pool(id: {pool.pk}) {{ round(number: 9) {{ name }} }} }}") == ["NOT_FOUND"]


def test_own_places_are_the_callers_alone_also_for_staff(api, pool, moderator):
    mine = EntryFactory(in_pool=pool)
    waiting = RequestFactory(pool=pool, user=mine.user, number=2)
    query = f"{{ pool(id: {pool.pk}) {{ myEntries {{ id number }} myRequests {{ id }} }} }}"

    assert ask(api(mine.user), query)["pool"] == {
        "myEntries": [{"id": mine.pk, "number": 1}],
        "myRequests": [{"id": mine.request_id}, {"id": waiting.pk}],
    }
    assert ask(api(moderator), query)["pool"] == {"myEntries": [], "myRequests": []}
    assert refused(api(), query) == ["NOT_AUTHENTICATED", "NOT_AUTHENTICATED"]


def test_facts_and_rules_of_a_pool_are_told_as_over_rest(api, pool):
    query = """{ pool(id: %d) { id name status entryFeeCents currency capacity maxEntriesPerUser registrationClosesAt
        firstRound lastRound currentRound entriesTotal entriesActive potCents paidCount valuePerEntryCents createdAt
        joining { firstRound strikes } rules { version effectiveRound text lock payout houseFeeBp }
        competition { code } } }"""

    found = ask(api(), query % pool.pk)["pool"]

    rest = api().get(f"/api/v1/pools/{pool.pk}").json()["data"]
    for mine, theirs in (
        ("status", "status"), ("registrationClosesAt", "registration_closes_at"), ("currentRound", "current_round"),
        ("entriesTotal", "entries_total"), ("entriesActive", "entries_active"), ("potCents", "pot_cents"),
        ("createdAt", "created_at"), ("joining", "joining"), ("currency", "currency"), ("capacity", "capacity"),
    ):  # fmt: skip
        assert found[mine] == rest[theirs], mine
    assert found["rules"]["text"] == rest["rules"]["text"]
    assert found["competition"]["code"] == rest["competition"]


def test_a_draft_is_there_for_staff_alone(api, moderator):
    draft = PoolFactory(status="draft")
    query = f"{{ pool(id: {draft.pk}) {{ name }} }}"

    assert refused(api(UserFactory()), query) == refused(api(), query) == ["NOT_FOUND"]
    assert ask(api(moderator), query)["pool"] == {"name": draft.name}
    assert ask(api(), "{ pools { total nodes { id } } }")["pools"] == {"total": 0, "nodes": []}


def test_a_locked_round_shows_picks_and_an_open_one_none(api, pool):
    late = enter(pool, None, "CAT")
    lock_round(pool.competition.rounds.get(number=2))

    shown = {row["entry"]: row["picks"] for row in standings(api, pool)["nodes"]}

    assert [(pick["round"], pick["team"]) for pick in shown[late.pk]] == [(2, "CAT")]
