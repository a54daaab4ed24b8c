"""Requests, entries and picks, asked for in GraphQL: the same as over REST, for the same people."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.asking import ask
from tests.support.playing import enter, play

pytestmark = pytest.mark.django_db

# Everything that can be said of an entry, and of whatever it leads to.
EVERYTHING = """
    query ($first: Int! = 7) {
        me { id displayName role emailVerified }
        entries(first: $first) {
            total
            pageInfo { hasNextPage endCursor }
            nodes {
                id user number status strikes eliminatedRound eliminatedReason { code sentence rulesVersion } teamsUsed
                picksMade nextLockAt prizeCents suspended createdAt
                picks { round team result source locked pickedAt slip { signature } game { id home { code } } }
                pool { ...Card competition { code teams { code } rounds { number status games { id } } } }
                request { id number status feeCents currency entry { id picks { round } pool { id } } }
            }
        }
        requests(first: $first) {
            total nodes { id status waitingListPosition entry { id teamsUsed } pool { ...Card } }
        }
    }
    fragment Card on Pool {
        id name status entryFeeCents currency registrationClosesAt currentRound joining { firstRound strikes }
        entriesTotal entriesActive potCents paidCount valuePerEntryCents rules { version lock text }
    }
"""


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3), max_entries_per_user=5)


def test_entries_and_requests_are_told_as_over_rest(api, pool):
    entry = enter(pool, "ANT", "CAT")
    enter(pool, "BAT", "CAT")
    play(pool, 1, "BAT")

    found = ask(api(entry.user), EVERYTHING)

    rest = api(entry.user).get("/api/v1/entries").json()["data"]
    (mine,) = found["entries"]["nodes"]
    (theirs,) = rest
    assert {
        "id": mine["id"],
        "status": mine["status"],
        "eliminated_round": mine["eliminatedRound"],
        "eliminated_reason": {
            "code": mine["eliminatedReason"]["code"],
            "sentence": mine["eliminatedReason"]["sentence"],
            "rules_version": mine["eliminatedReason"]["rulesVersion"],
        },
        "teams_used": mine["teamsUsed"],
        "picks_made": mine["picksMade"],
        "created_at": mine["createdAt"],
    } == {
        name: theirs[name]
        for name in (
            "id", "status", "eliminated_round", "eliminated_reason", "teams_used", "picks_made", "created_at"
        )
    }  # fmt: skip
    picks = api(entry.user).get(f"/api/v1/entries/{entry.pk}/picks").json()["data"]
    assert [(pick["round"], pick["team"], pick["result"], pick["pickedAt"]) for pick in mine["picks"]] == [
        (pick["round"], pick["team"], pick["result"], pick["picked_at"]) for pick in picks
    ]
    assert [pick["slip"]["signature"] for pick in mine["picks"]] == [pick["slip"]["signature"] for pick in picks]
    assert mine["pool"]["id"] == pool.pk
    assert mine["request"]["entry"]["id"] == entry.pk
    assert found["requests"]["nodes"][0]["entry"]["teamsUsed"] == mine["teamsUsed"]


def test_it_costs_the_same_for_one_row_and_for_three_through_every_list(api):
    """Pools of one competition: for each competition among the entries one statement asks what has locked."""
    player, competition = UserFactory(), league(rounds=2)

    def grow():
        made = PoolFactory(competition=competition, max_entries_per_user=5)
        enter(made, "ANT", "CAT", owner=player, number=1)
        enter(made, "BAT", "DOG", owner=player, number=2)
        RequestFactory(pool=made, user=player, number=3)

    def cost():
        with CaptureQueriesContext(connection) as queries:
            found = ask(api(player), EVERYTHING)
        return len(found["entries"]["nodes"]), len(queries)

    grow()
    cost()
    few, small = cost()
    grow(), grow()
    many, large = cost()

    assert (few, many) == (2, 6)
    assert large == small


def test_one_competition_more_costs_one_statement_more_wherever_picks_are_asked_for(api):
    player = UserFactory()
    query = "{ entries { nodes { picks { team } } } }"

    def cost():
        enter(PoolFactory(competition=league(rounds=2)), "ANT", owner=player)
        with CaptureQueriesContext(connection) as queries:
            ask(api(player), query)
        return len(queries)

    cost()
    assert cost() + 1 == cost()


def test_an_alias_is_answered_for_itself(api, pool):
    """What is fetched with a row depends on what is asked of it there, not of its namesake."""
    entry = enter(pool, "ANT")
    query = """{ entries { nodes {
        short: pool { competition { code } } long: pool { competition { code rounds { number status } teams { code } } }
        one: request { id } two: request { id entry { picks { team } } }
    } } }"""

    (found,) = ask(api(entry.user), query)["entries"]["nodes"]

    assert found["short"]["competition"] == {"code": pool.competition.code}
    assert [row["number"] for row in found["long"]["competition"]["rounds"]] == [1, 2, 3]
    assert len(found["long"]["competition"]["teams"]) == 4
    assert found["one"]["id"] == found["two"]["id"]
    assert found["two"]["entry"]["picks"] == [{"team": "ANT"}]


def test_pages_of_entries_follow_one_another(api):
    """In both orders of asking: what comes next, before the rows and after them."""
    player = UserFactory()
    made = [enter(PoolFactory(competition=league(rounds=1)), owner=player).pk for _ in range(3)]
    for body in ("nodes { id } pageInfo { hasNextPage endCursor }", "pageInfo { hasNextPage endCursor } nodes { id }"):
        query = f"query ($after: String) {{ entries(first: 2, after: $after) {{ {body} }} }}"
        first = ask(api(player), query)["entries"]
        last = ask(api(player), query, after=first["pageInfo"]["endCursor"])["entries"]

        assert [row["id"] for row in first["nodes"] + last["nodes"]] == made[::-1]
        assert (first["pageInfo"]["hasNextPage"], last["pageInfo"]["hasNextPage"]) == (True, False)


@pytest.mark.parametrize("query", ["status: active", "status: eliminated", "pool: 1"])
def test_entries_are_filtered_as_over_rest(api, pool, moderator, query):
    enter(pool, "ANT"), enter(pool, "BAT"), enter(PoolFactory(), None)
    name, value = query.split(": ")

    found = ask(api(moderator), f"{{ entries({query}) {{ nodes {{ id }} }} }}")["entries"]["nodes"]

    rest = api(moderator).get("/api/v1/entries", {name: value}).json()["data"]
    assert [row["id"] for row in found] == [row["id"] for row in rest]
