"""Competitions and pools, asked for in GraphQL."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.asking import ask, refused

pytestmark = pytest.mark.django_db

SCHEDULE = """
    query ($code: String!) {
        competition(code: $code) {
            code name season timeZone
            teams { code name }
            rounds {
                number name opensAt locksAt status
                games { id home { code } away { code } kickoff status homeScore awayScore }
            }
        }
    }
"""


def test_a_competition_is_told_as_over_rest(api):
    competition = league(rounds=2)
    lock_round(competition.rounds.get(number=1))

    found = ask(api(), SCHEDULE, code=competition.code)["competition"]

    rest = api().get(f"/api/v1/competitions/{competition.code}/rounds").json()["data"]
    assert [round_["status"] for round_ in found["rounds"]] == [round_["status"] for round_ in rest]
    assert [round_["locksAt"] for round_ in found["rounds"]] == [round_["locks_at"] for round_ in rest]
    for mine, theirs in zip(found["rounds"], rest, strict=True):
        assert [(game["id"], game["home"]["code"], game["kickoff"]) for game in mine["games"]] == [
            (game["id"], game["home"], game["kickoff"]) for game in theirs["games"]
        ]
    assert [team["code"] for team in found["teams"]] == ["ANT", "BAT", "CAT", "DOG"]


LISTS = {
    "competitions": """{ competitions(first: 3) { nodes {
        code teams { code } rounds { number status games { home { code } } }
    } } }""",
    "pools": """{ pools(first: 3) { nodes {
        id currentRound entriesTotal potCents joining { strikes } rules { text }
        competition { code teams { code } rounds { number games { away { code } } } }
    } } }""",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_for_one_row_and_for_three(api, name):
    def cost():
        PoolFactory(competition=league(rounds=2))
        with CaptureQueriesContext(connection) as queries:
            found = ask(api(), LISTS[name])[name]["nodes"]
        return len(found), len(queries)

    one, _, three = cost(), cost(), cost()

    assert (one[0], three[0]) == (1, 3)
    assert one[1] == three[1]


def test_there_is_no_competition_of_another_name(api):
    assert refused(api(), '{ competition(code: "none") { name } }') == ["NOT_FOUND"]


def test_pools_are_found_as_over_rest(api):
    cup = league(code="cup")
    PoolFactory(name="The big one", competition=cup), PoolFactory(name="Small", status="cancelled", competition=cup)
    PoolFactory(name="Big elsewhere"), PoolFactory(name="Big draft", status="draft")
    for query, parameters in (
        ("first: 20", {}),
        ('search: "big"', {"search": "big"}),
        ("status: cancelled", {"status": "cancelled"}),
        ('competition: "cup"', {"competition": "cup"}),
        ('competition: "cup", search: "BIG", status: open', {"competition": "cup", "search": "BIG", "status": "open"}),
    ):
        found = ask(api(), f"{{ pools({query}) {{ total nodes {{ id }} }} }}")["pools"]
        rest = api().get("/api/v1/pools", parameters).json()["data"]
        assert [row["id"] for row in found["nodes"]] == [row["id"] for row in rest]
        assert found["total"] == len(rest)
