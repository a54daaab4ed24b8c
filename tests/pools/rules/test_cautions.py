"""What is allowed but will surprise is said, and nothing else."""

from datetime import timedelta

import pytest

from config.clock import database_now
from pools.services.rules import cautions
from tests.factories.pools import PoolFactory, league

pytestmark = pytest.mark.django_db


def said(rules, *, rounds=3, **fields) -> list[str]:
    competition = fields.pop("competition", None) or league(rounds=rounds)
    pool = PoolFactory(competition=competition, rules=rules, **fields)
    return cautions(pool.rules_versions.get(), pool)


def test_usual_rules_need_no_caution():
    assert said({}) == []
    assert said({"strikes": 2, "missed_pick": "strike", "late_entry_until": 2, "reuse_limit": 3}) == []


OUT = "an entry that gets through runs out of teams and misses its picks."


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"strikes": 3}, "With 3 strikes in 3 rounds no lost pick ever eliminates an entry."),
        (
            {"missed_pick": "strike"},
            "There are no strikes, so missed_pick=strike eliminates as missed_pick=eliminate does.",
        ),
        (
            {"picks_per_round": 2},
            f"Rounds 1 to 3 ask for 6 picks, and 4 teams once each make 4: {OUT}",
        ),
        ({"late_entry_until": 1}, "late_entry_until=1 is the pool's first round: nobody comes in late."),
        ({"house_fee_bp": 10_000}, "The house keeps every fee whole: nothing is left to win."),
    ],
)  # fmt: skip
def test_a_surprise_is_told(rules, sentence):
    assert said(rules) == [sentence]


def test_teams_are_counted_between_resets():
    assert len(said({}, rounds=5)) == 1
    assert said({"reuse_reset_round": 5}, rounds=5) == []
    assert said({"reuse_reset_round": 2}, rounds=5) == []
    assert "Rounds 2 to 6 ask for 5 picks" in said({"reuse_reset_round": 2}, rounds=6)[0]
    assert said({"reuse_limit": 2, "two_pick_rounds": [1, 2, 3]}, rounds=5) == []
    assert "ask for 9 picks, and 4 teams 2 times each make 8" in said(
        {"reuse_limit": 2, "two_pick_rounds": [1, 2, 3, 4]}, rounds=5
    )[0]  # fmt: skip


def test_favourites_need_spreads():
    competition = league()
    assert said({"missed_pick": "favourite"}, competition=competition) == [
        "No game of the pool has a spread: as long as none has, there are no favourites to fill in."
    ]
    competition.games.filter(round__number=2).update(home_spread="3.5")
    assert said({"missed_pick": "fallback", "missed_pick_then": "favourite"}, competition=competition) == []
    assert len(said({"missed_pick": "favourite"}, competition=competition, first_round_number=3)) == 1


def test_a_fixed_lock_means_nothing_where_games_lock():
    competition = league()
    competition.rounds.filter(number=2).update(fixed_locks_at=database_now() + timedelta(days=1))
    assert said({}, competition=competition) == []
    assert said({"lock": "game"}, competition=competition) == [
        "With lock=game the fixed lock of round 2 fixes no pick."
    ]


def test_nobody_comes_late_where_registration_closes_before():
    closes_at = database_now()
    told = said({"late_entry_until": 2}, registration_closes_at=closes_at)
    assert told == [
        f"Registration closes at {closes_at:%Y-%m-%d %H:%M} UTC, before the first lock: nobody comes in late."
    ]
    assert said({"late_entry_until": 2}, registration_closes_at=closes_at + timedelta(days=3)) == []


def test_a_free_pool_shares_out_nothing():
    rules = {"payout": "table", "payout_table": [10_000], "house_fee_bp": 100}
    assert said(rules, entry_fee_cents=0) == [
        "The pool is free: payout=table shares out nothing.",
        "The pool is free: house_fee_bp takes nothing.",
    ]
    back = {"buy_back_until": 1, "buy_back_limit": 1, "buy_back_fee_cents": 100}
    assert said(rules | back, entry_fee_cents=0) == []
