"""Competitions and pools, asked for in GraphQL."""

import pytest

from tests.factories.pools import league, lock_round
from tests.support.asking import ask

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
