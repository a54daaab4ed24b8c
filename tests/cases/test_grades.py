"""Cases 1, 3, 4, 5 and 11: what one pick, or none, is worth. One life and a tie is a loss, unless said."""

import pytest

from tests.factories.pools import game_of
from tests.support.calls import call


def test_case_01_whoever_wins_is_alive_and_whoever_loses_is_out_and_stays_out(story):
    """wk1 A W, B W: both alive. wk2 A W, B L: A alive, B out, and still out when asked again in wk3."""
    a, b, c = story.entries(3)

    story.week(1, {a: "W", b: "W", c: "W"})
    assert story.fates(a, b) == ["alive", "alive"]

    story.week(2, {a: "W", b: "L", c: "W"})
    assert story.fates(a, b) == ["alive", "out in 2"]

    story.week(3, {a: "W", c: "W"})
    assert story.fates(b) == ["out in 2"]
    story.settled(afresh=True)
    assert story.fates(b) == ["out in 2"]


def test_case_03_a_tie_is_a_loss(story):
    """A T: out;"""
    a, b, c = story.entries(3)

    story.week(1, {a: "T", b: "W", c: "W"})

    assert story.fates(a, b, c) == ["out in 1", "alive", "alive"]
    assert story.shown(a)["eliminated_reason"]["code"] == "pick_tied"


def test_case_03_with_tie_as_win_nobody_is_hurt(tell):
    """with tie = win alive and no life used;"""
    story = tell(tie="win", strikes=1)
    a, b = story.entries(2)

    story.week(1, {a: "T", b: "W"})

    assert (story.fates(a), story.strikes(a)) == (["alive"], 0)
    assert story.shown(a)["teams_used"] == [story.team_of(a, 1)]


def test_case_03_with_tie_as_void_nobody_is_hurt_and_the_team_is_free(tell):
    """with tie = void alive and the team not used up."""
    story = tell(tie="void", strikes=1)
    a, b = story.entries(2)

    story.week(1, {a: "T", b: "W"})

    assert (story.fates(a), story.strikes(a)) == (["alive"], 0)
    assert story.shown(a)["teams_used"] == []
    assert story.pick(a, 2, story.team_of(a, 1))[0] == 200
    assert story.pick(b, 2, story.team_of(b, 1)) == (422, "TEAM_ALREADY_USED")


@pytest.mark.parametrize(
    ("rules", "fate", "strikes"),
    [
        ({"missed_pick": "eliminate"}, "out in 1", 0),
        ({"missed_pick": "eliminate", "strikes": 2}, "out in 1", 0),
        ({"missed_pick": "strike"}, "out in 1", 0),
        ({"missed_pick": "strike", "strikes": 1}, "alive", 1),
        ({"missed_pick": "fallback"}, "out in 1", 0),
        ({"missed_pick": "fallback", "missed_pick_then": "strike", "strikes": 1}, "alive", 1),
    ],
)
def test_case_04_no_pick_costs_what_the_rule_says(tell, rules, fate, strikes):
    """No pick in a round others played: by the pool's rule."""
    story = tell(**rules)
    a, b, c = story.entries(3)

    story.week(1, {a: "-", b: "W", c: "W"})

    assert (story.fates(a), story.strikes(a)) == ([fate], strikes)
    assert [pick["result"] for pick in story.shown_picks(a)] == ["missed"]
    if fate != "alive":
        assert story.shown(a)["eliminated_reason"]["code"] == "no_pick"


@pytest.mark.parametrize(("end", "fate"), [("W", "alive"), ("L", "out in 1")])
def test_case_04_no_pick_is_filled_in_with_the_favourite(tell, end, fate):
    """No pick in a round others played: by the pool's rule."""
    story = tell(missed_pick="favourite")
    a, b, c = story.entries(3)
    for code, spread in (("GNU", 3), ("KOI", 7.5)):
        story.round(1).games.filter(home__code=code).update(home_spread=spread)

    story.picks(1, {a: "-", b: "W", c: "W"})
    story.kicks_off(1)
    story.result(game_of(story.round(1), "KOI"), *((20, 10) if end == "W" else (10, 20)))
    story.results(1, {b: "W", c: "W"})

    (filled,) = story.shown_picks(a)
    assert (filled["team"], filled["source"], story.fates(a)) == ("KOI", "favourite", [fate])


@pytest.mark.parametrize(
    ("listed", "filled"), [(["JAY", "ANT"], "JAY"), (["ANT", "JAY", "KOI"], "JAY")], ids=["the first", "used before"]
)
def test_case_04_no_pick_is_filled_in_from_the_players_own_list(tell, listed, filled):
    """No pick in a round others played: by the pool's rule."""
    story = tell(missed_pick="fallback")
    a, b, c = story.entries(3)
    story.week(1, {a: "W", b: "W", c: "W"})
    assert story.team_of(a, 1) == "ANT"
    assert call(story.api(a.user), "PUT", f"/entries/{a.pk}/fallback", {"teams": listed})[0] == 200

    story.picks(2, {a: "-", b: "W", c: "W"})
    story.kicks_off(2)
    story.result(game_of(story.round(2), "JAY"), 10, 20)
    story.results(2, {b: "W", c: "W"})

    pick = story.shown_picks(a)[-1]
    assert (pick["team"], pick["source"], pick["result"], story.fates(a)) == (filled, "fallback", "won", ["alive"])


@pytest.mark.parametrize(
    ("season", "fate"),
    [("WLLL", "out in 4"), ("WLLWL", "out in 5"), ("WLWWLL", "out in 6"), ("LLLWWW", "out in 3"), ("WLWL", "alive")],
)
def test_case_05_two_strikes_are_survived_the_third_loss_is_not_and_later_wins_revive_nobody(tell, season, fate):
    """Two strikes allowed: W L L L → out in 4; W L L W L → out in 5; W L W W L L → out in 6; L L L W W W → out in 3,
    later wins revive nobody."""
    story = tell(weeks=7, strikes=2)
    a, b, c = story.entries(3)
    weeks = [(week, {a: end, b: "W", c: "W"}) for week, end in enumerate(season, start=1)]

    for week, ends in weeks:
        story.picks(week, ends)
    for week, ends in weeks:
        story.kicks_off(week)
        story.results(week, ends)

    assert (story.fates(a), story.strikes(a)) == ([fate], season.count("L") if fate == "alive" else 2)
    assert story.fates(b, c) == ["alive", "alive"]


@pytest.mark.parametrize(("end", "fate"), [("WW", "alive"), ("WL", "out in 1"), ("LW", "out in 1"), ("LL", "out in 1")])
def test_case_11_both_picks_of_a_round_must_win(tell, end, fate):
    """Two-pick round: W W alive, W L out, L L out once."""
    story = tell(picks_per_round=2)
    a, b, c = story.entries(3)

    story.week(1, {a: end, b: "WW", c: "WW"})

    assert story.fates(a, b, c) == [fate, "alive", "alive"]


@pytest.mark.parametrize("end", ["WL", "LL"])
def test_case_11_a_round_costs_one_loss_at_most(tell, end):
    """L L out once."""
    story = tell(two_pick_rounds=[1], strikes=1)
    a, b, c = story.entries(3)

    story.week(1, {a: end, b: "WW", c: "WW"})
    assert (story.fates(a), story.strikes(a)) == (["alive"], 1)

    story.week(2, {a: "L", b: "W", c: "W"})
    assert story.fates(a) == ["out in 2"]
