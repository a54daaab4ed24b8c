"""Cases 2, 6 and 7: when a pool is over, and who has won it. One life and a tie is a loss, unless said."""

import pytest

from tests.factories.accounts import UserFactory


class TestAllLoseInOneRound:
    def test_case_02_split_lets_all_of_them_win(self, tell):
        """All lose in one round: by the pool's rule, split;"""
        story = tell(all_out="split")
        a, b, c = story.entries(3)

        story.week(1, {a: "W", b: "W", c: "L"})
        story.week(2, {a: "L", b: "L"})

        assert story.fates(a, b, c) == ["won", "won", "out in 1"]
        assert story.prizes(a, b, c) == [7500, 7500, None]
        assert story.is_over()

    def test_case_02_split_is_among_those_who_submitted(self, tell):
        """All lose in one round: by the pool's rule, split;"""
        story = tell(all_out="split")
        a, b = story.entries(2)

        story.week(1, {a: "L", b: "-"})

        assert story.fates(a, b) == ["won", "out in 1"]

    def test_case_02_split_is_among_all_of_them_where_nobody_submitted(self, tell):
        """never an accident of code."""
        story = tell(all_out="split")
        a, b, c = story.entries(3)

        story.week(1, {a: "W", b: "W", c: "L"})
        story.week(2, {a: "-", b: "-"})

        assert story.fates(a, b, c) == ["won", "won", "out in 1"]

    def test_case_02_revive_lets_the_round_eliminate_nobody(self, tell):
        """All lose in one round: by the pool's rule, revive;"""
        story = tell(all_out="revive", strikes=0)
        a, b, c = story.entries(3)

        story.week(1, {a: "W", b: "W", c: "L"})
        story.week(2, {a: "L", b: "L"})
        assert story.fates(a, b, c) == ["alive", "alive", "out in 1"]
        assert [story.strikes(entry) for entry in (a, b)] == [0, 0]
        assert not story.is_over()

        story.week(3, {a: "W", b: "L"})
        assert story.fates(a, b, c) == ["won", "out in 3", "out in 1"]

    @pytest.mark.parametrize(
        ("margins", "fates"),
        [(("L3", "L7"), ["won", "out in 2"]), (("L7", "L3"), ["out in 2", "won"]), (("L5", "L5"), ["won", "won"])],
    )
    def test_case_02_tiebreak_goes_by_the_margin_of_victory_then_splits(self, tell, margins, fates):
        """All lose in one round: by the pool's rule, tiebreak;"""
        story = tell(all_out="tiebreak")
        a, b, c = story.entries(3)

        story.week(1, {a: "W10", b: "W10", c: "L1"})
        story.week(2, dict(zip((a, b), margins, strict=True)))

        assert story.fates(a, b, c) == [*fates, "out in 1"]

    def test_case_02_the_margin_is_that_of_all_rounds(self, tell):
        """All lose in one round: by the pool's rule, tiebreak;"""
        story = tell(all_out="tiebreak")
        a, b = story.entries(2)

        story.week(1, {a: "W3", b: "W20"})
        story.week(2, {a: "L1", b: "L10"})

        assert story.fates(a, b) == ["out in 2", "won"]


class TestMondaysGameIsPending:
    def test_case_06_eliminations_show_and_no_winner_is_declared_before_monday(self, story):
        """Games of Friday to Sunday final, Monday's pending: eliminations show, no winner is declared; after Monday
        both do."""
        a, b = story.entries(2)

        story.weekend(1, {a: "W", b: "L"})
        assert story.fates(a, b) == ["alive", "out in 1"]
        assert not story.is_over()

        story.monday(1)
        assert story.fates(a, b) == ["won", "out in 1"]
        assert story.is_over()

    @pytest.mark.parametrize(
        ("rule", "after"),
        [("split", ["won", "won"]), ("revive", ["alive", "alive"]), ("tiebreak", ["out in 1", "won"])],
    )
    def test_case_06_no_all_out_rule_applies_before_monday(self, tell, rule, after):
        """no all-out rule applies; after Monday both do."""
        story = tell(all_out=rule)
        a, b = story.entries(2)

        story.weekend(1, {a: "L9", b: "L2"})
        assert story.fates(a, b) == ["out in 1", "out in 1"]
        assert not story.is_over()

        story.monday(1)
        assert story.fates(a, b) == after

    def test_case_06_whoever_has_mondays_game_is_alive_until_then(self, story):
        """Monday's pending: eliminations show, no winner is declared; after Monday both do."""
        a, b, c = story.entries(3)

        story.week(1, {a: "W", b: "?", c: "L"})
        assert story.fates(a, b, c) == ["alive", "alive", "out in 1"]

        story.results(1, {b: "L"})
        assert story.fates(a, b, c) == ["won", "out in 1", "out in 1"]


def test_case_07_the_last_two_entries_of_one_player_play_on(story):
    """Two entries of one player are the last two: not over; the entry wins, not the player."""
    player = UserFactory()
    first, second = story.entries(2, owner=player)
    (other,) = story.entries(1)

    story.week(1, {first: "W", second: "W", other: "L"})
    assert story.fates(first, second, other) == ["alive", "alive", "out in 1"]
    assert not story.is_over()

    story.week(2, {first: "L", second: "W"})
    assert story.fates(first, second) == ["out in 2", "won"]
    assert story.prizes(first, second) == [None, 15000]
