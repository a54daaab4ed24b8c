"""Seasons played again on paper: by the settlement of real pools, and without leaving a trace in them."""

from datetime import timedelta

import pytest
from django.db import connection

from config import outbox
from entries.models import Entry, Rehearsal
from entries.queries.reveal import revealed_rounds
from entries.services.imports import import_entries
from entries.services.rehearsals import Wish, ask_rehearsal, run_rehearsal
from entries.services.rehearsals.pickers import WAYS, ways_of
from entries.services.rehearsals.playing import play
from entries.services.settlement import settle_competition
from pools.models import Game
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league
from tests.support.refusals import refusal_of, refused
from tests.support.rehearsing import graded, rows_of, season, told

pytestmark = pytest.mark.django_db

TWO = ("template:classic", "template:two-lives")
# Between them most of what settlement can do.
ODD = {
    "strikes": 1, "missed_pick": "fallback", "missed_pick_then": "favourite", "tie": "void", "all_out": "tiebreak",
    "last_round": "tiebreak", "payout": "table", "payout_table": [6_000, 3_000, 1_000], "cancelled_game": "win",
    "house_fee_bp": 750, "two_pick_rounds": [3],
}  # fmt: skip
RELATIONS = """
    SELECT relname, relkind = 'S' FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY relname
"""
ROWS = "SELECT '{0}', count(*), md5(string_agg(x::text, '|' ORDER BY x::text)) FROM public.{0} x"
NUMBERS = "SELECT '{0}', last_value, is_called::text FROM public.{0}"


@pytest.fixture
def played_season():
    return season()


def wish(competition, rules=TWO, **fields):
    return Wish(competition, rules, **{"entries": 60, "fee_cents": 1_001, **fields})


def asked(by, competition, rules=TWO, **fields):
    return ask_rehearsal(wish=wish(competition, rules, **fields), by=by)


def finished_pool(competition, **rules):
    """A pool that came here with its picks, and was settled."""
    pool = PoolFactory(competition=competition, max_entries_per_user=100, rules=rules)
    import_entries(pool=pool, rows=rows_of(competition))
    settle_competition(competition_id=competition.pk)
    pool.refresh_from_db()
    assert pool.status == "finished"
    return pool


def prizes_of(one):
    return [cents for cents, count in one["prizes"] for _ in range(count)]


def written():
    """Of each table and sequence, what any change of it would change."""
    with connection.cursor() as cursor:
        cursor.execute(RELATIONS)
        asked_of = [(NUMBERS if is_sequence else ROWS).format(name) for name, is_sequence in cursor.fetchall()]
        cursor.execute(" UNION ALL ".join(asked_of))
        # Asked of all at once, they answer in any order.
        return sorted(cursor.fetchall())


@pytest.mark.slow
class TestOutcome:
    def test_it_is_what_the_oracle_says_of_the_same_picks(self, played_season, moderator):
        odd = PoolFactory(competition=played_season, status="draft", rules=ODD)
        rehearsal = asked(moderator, played_season, (f"pool:{odd.pk}", "template:last-man-standing"), seed=2)

        result = play(rehearsal)

        for one, (verdict, made, filled) in zip(result["sets"], graded(rehearsal), strict=True):
            assert made == filled
            said = told(verdict, [it["number"] for it in one["rounds"]])
            assert (one["ended"], one["winners"]) == (said["ended"], said["winners"])
            assert prizes_of(one) == said["prizes"]
            assert (sum(prizes_of(one)), one["collected_cents"]) == (one["pot_cents"], 60 * 1_001)
            assert [(it["number"], it["left"], it["out"]) for it in one["rounds"]][:-1] == said["rounds"][:-1]

    def test_the_same_seed_gives_the_same_and_another_one_does_not(self, played_season, moderator):
        first, again, other = (play(asked(moderator, played_season, seed=seed)) for seed in (7, 7, 8))
        assert first == again
        assert first != other

    def test_two_rule_sets_see_the_same_players_with_the_same_luck(self, played_season, moderator):
        result = play(asked(moderator, played_season))
        assert result["alike"]["both"] == result["alike"]["same"] > 60
        classic, two_lives = result["sets"]
        assert classic["rounds"][0]["left"] < two_lives["rounds"][0]["left"]
        assert sum(two_lives["rounds"][0]["out"].values()) + two_lives["rounds"][0]["left"] == 60

    def test_a_range_of_rounds_is_a_season_of_its_own(self, played_season, moderator):
        (one,) = play(asked(moderator, played_season, TWO[1:], first=2, last=3))["sets"]
        assert [it["number"] for it in one["rounds"]] == [2, 3]
        assert (one["ended"], one["ran_out"]) == (3, True)

    def test_as_many_players_pick_in_each_way_as_the_mix_says(self):
        mix = {"favourites": 50, "chance": 25, "contrarian": 15, "forgetful": 10}
        ways = list(ways_of(mix, 200))
        assert {way: ways.count(way) for way in WAYS} == {way: 2 * share for way, share in mix.items()}


class TestBroughtPicks:
    def test_a_finished_pool_under_its_own_rules_ends_as_it_did(self, played_season, moderator):
        pool = finished_pool(played_season, **ODD)
        entries = list(Entry.objects.filter(pool=pool))
        (one,) = play(asked(moderator, played_season, (f"pool:{pool.pk}",), origin="pool", pool=pool))["sets"]

        assert (one["ended"], one["entries"]) == (pool.ended_round_number, len(entries))
        assert one["winners"] == sum(entry.status == "winner" for entry in entries)
        assert prizes_of(one) == sorted((entry.prize_cents for entry in entries if entry.prize_cents), reverse=True)
        for line in one["rounds"][:-1]:
            fell = [entry for entry in entries if entry.eliminated_round_number == line["number"]]
            assert sum(line["out"].values()) == len(fell)

    @pytest.mark.slow
    def test_what_was_filled_in_is_looked_for_anew_where_other_picks_count(self, moderator):
        """ANT, the favourite of both rounds, ties in the first: where that counts for nothing, it is not used up."""
        competition = league(rounds=2, first_kickoff_in=timedelta(days=-21))
        for game in Game.objects.filter(competition=competition).select_related("round", "home"):
            is_ant, is_first = game.home.code == "ANT", game.round.number == 1
            game.home_spread, game.status = 7 if is_ant else 3, "final"
            game.home_score, game.away_score = (1, 1) if is_first else (2, 0) if is_ant else (0, 2)
            game.save()
        revealed_rounds(competition.pk)
        rules = {"missed_pick": "favourite", "strikes": 1}
        loss, void = (PoolFactory(competition=competition, rules=rules | {"tie": tie}) for tie in ("loss", "void"))
        for pool in (loss, void):
            EntryFactory(in_pool=pool), EntryFactory(in_pool=pool)
        settle_competition(competition_id=competition.pk)
        loss.refresh_from_db()
        picked = [[pick.team.code for pick in pool.entries.first().picks.order_by("round")] for pool in (loss, void)]
        assert picked == [["ANT", "CAT"], ["ANT", "ANT"]]

        (one,) = play(asked(moderator, competition, (f"pool:{void.pk}",), origin="pool", pool=loss))["sets"]

        assert set(void.entries.values_list("status", "strikes")) == {("winner", 0)}
        assert (one["winners"], dict(one["teams"])) == (2, {"The Ants": 4})
        assert [(line["left"], line["lives"]) for line in one["rounds"]] == [(2, 0), (2, 0)]

    @pytest.mark.slow
    def test_the_same_picks_from_a_file_end_the_same(self, played_season, moderator):
        pool = finished_pool(played_season)
        of_pool = play(asked(moderator, played_season, TWO, origin="pool", pool=pool, goes_on=False))
        ask = {"origin": "file", "rows": rows_of(played_season), "goes_on": False, "fee_cents": pool.entry_fee_cents}
        of_file = asked(moderator, played_season, TWO, **ask)

        assert play(of_file)["sets"][0] == of_pool["sets"][0]
        assert "Owner" not in str(Rehearsal.objects.filter(pk=of_file.pk).values_list())

    @pytest.mark.slow
    def test_who_was_out_goes_on_as_a_made_up_player_where_the_rules_are_kinder(self, played_season, moderator):
        pool = finished_pool(played_season)
        kept, gone_on = (
            play(asked(moderator, played_season, TWO, origin="pool", pool=pool, goes_on=goes_on))
            for goes_on in (False, True)
        )
        assert (kept["made_up"], gone_on["made_up"] > 0) == (0, True)
        assert kept["sets"][0]["rounds"] == gone_on["sets"][0]["rounds"]
        assert kept["sets"][1]["ended"] <= gone_on["sets"][1]["ended"]

    @pytest.mark.slow
    def test_lines_that_mean_nothing_are_left_out_and_told(self, played_season, moderator):
        rows = rows_of(played_season)
        rows[0] = rows[0]._replace(team="NOBODY")
        rows[1] = rows[1]._replace(round=77)
        rehearsal = asked(moderator, played_season, origin="file", rows=rows)
        assert rehearsal.left_out["count"] == 2
        assert [line.split(": ")[1] for line in rehearsal.left_out["lines"]] == [
            "unknown team NOBODY", "round 77 is not rehearsed",
        ]  # fmt: skip


def test_nothing_real_is_written_not_even_a_number_is_drawn(played_season, moderator):
    pool = finished_pool(played_season, missed_pick="favourite")
    made_up, brought = asked(moderator, played_season), asked(moderator, played_season, origin="pool", pool=pool)
    before = written()

    play(made_up)
    play(brought)

    assert written() == before
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert "pg_temp" not in cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname ~ 'entr'")
        assert cursor.fetchone() == (0,)


class TestRunning:
    def test_a_worker_plays_it_once_and_the_row_keeps_what_came_of_it(self, played_season, moderator):
        rehearsal = asked(moderator, played_season)
        assert (rehearsal.status, rehearsal.result) == ("queued", None)

        outbox.drain()

        rehearsal.refresh_from_db()
        assert (rehearsal.status, rehearsal.rounds_done, rehearsal.attempts) == ("done", 6, 1)
        assert [one["entries"] for one in rehearsal.result["sets"]] == [60, 60]
        run_rehearsal(rehearsal_id=rehearsal.pk)
        assert Rehearsal.objects.get().finished_at == rehearsal.finished_at

    @pytest.mark.slow
    def test_what_cannot_be_played_says_so_after_three_times(self, played_season, moderator):
        rehearsal = asked(moderator, played_season)
        kept = [{**one, "switches": {"lock": "round"}} for one in rehearsal.rule_sets]
        Rehearsal.objects.update(rule_sets=kept)
        for _ in range(2):
            with pytest.raises(KeyError):
                run_rehearsal(rehearsal_id=rehearsal.pk)
        run_rehearsal(rehearsal_id=rehearsal.pk)
        rehearsal.refresh_from_db()
        assert (rehearsal.status, rehearsal.error_code) == ("failed", "INTERNAL_ERROR")

    @pytest.mark.slow
    def test_what_three_workers_died_of_waits_no_more(self, played_season, moderator):
        rehearsal = asked(moderator, played_season)
        Rehearsal.objects.update(status="running", attempts=3)
        run_rehearsal(rehearsal_id=rehearsal.pk)
        rehearsal.refresh_from_db()
        assert (rehearsal.status, rehearsal.error_code) == ("failed", "INTERNAL_ERROR")


class TestRefusals:
    def test_what_cannot_be_meant_is_told_by_its_field(self, played_season, moderator):
        for fields, field in (
            ({"entries": 10_001}, "entries"),
            ({"seed": -1}, "seed"),
            ({"mix": {"favourites": 99}}, "mix"),
            ({"rules": ("template:none",)}, "rules"),
            ({"rules": (TWO[0], "pool:0")}, "other"),
            ({"rules": (TWO[0], TWO[0])}, "other"),
            ({"first": 9}, "first_round_number"),
            ({"currency": "xxx"}, "currency"),
            ({"fee_cents": 1}, "entry_fee_cents"),
            ({"origin": "pool"}, "pool"),
            ({"origin": "file"}, "file"),
            ({"origin": "file", "rows": []}, "file"),
        ):
            refusal = refusal_of(asked, moderator, played_season, **fields)
            assert (refusal.code, list(refusal.details)) == ("VALIDATION_ERROR", [field])
        assert not Rehearsal.objects.exists()

    @pytest.mark.slow
    def test_rules_that_the_season_cannot_have(self, played_season, moderator):
        late = PoolFactory(rules={"late_entry_until": 40})
        refusal = refusal_of(asked, moderator, played_season, (TWO[0], f"pool:{late.pk}"))
        assert refusal.details == {"other": ["late_entry_until: The pool does not play round 40."]}

    def test_a_season_that_is_not_over(self, played_season, moderator):
        Game.objects.filter(round__number=5).update(status="in_progress")
        refusal = refusal_of(asked, moderator, played_season)
        assert refusal.details == {"competition": ["Round 5 is not over: all of its games need a result."]}
        asked(moderator, played_season, last=4)

    def test_picks_of_a_pool_that_has_not_finished_stay_secret(self, played_season, moderator):
        for status in ("draft", "open", "running", "cancelled"):
            pool = PoolFactory(competition=played_season, status=status)
            assert list(refusal_of(asked, moderator, played_season, origin="pool", pool=pool).details) == ["pool"]

    def test_who_may_not_make_pools(self, played_season):
        for person in (UserFactory(), FinanceFactory()):
            assert refused(asked, person, played_season) == "FORBIDDEN"

    def test_more_than_five_at_a_time(self, played_season, moderator):
        for _ in range(5):
            asked(moderator, played_season)
        assert refused(asked, moderator, played_season) == "ALREADY_RUNNING"
