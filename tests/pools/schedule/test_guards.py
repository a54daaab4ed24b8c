"""Games that somebody picked: an import raises them for a ruling and leaves them where they are."""

import pytest
from django.db import connection

from entries.models.pick import LATE_SETTING
from pools.models import Competition, Game, GameChange, GameStatus, LetStand
from pools.services.results import close_review, record_result
from pools.services.schedule import open_rows, read_rounds
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory
from tests.support.schedules import import_rows, nfl_row, write_csv

pytestmark = pytest.mark.django_db

CODE = "nfl-2095"
ROUND_1, ROUND_2, ROUND_3 = "2095-09-11", "2095-09-18", "2095-09-25"


def row(name: str, day: str = ROUND_1, **values):
    return nfl_row(name, season="2095", gameday=day, **values)


def others():
    return [
        row("2095_01_DEN_LV"),
        row("2095_02_LV_DEN", ROUND_2),
        row("2095_03_LV_BUF", ROUND_3),
    ]


def load(tmp_path, *rows, **options):
    return import_rows(tmp_path, [*rows, *others()], code=CODE, **options)


@pytest.fixture
def picked(tmp_path) -> Game:
    """KC at BUF in round 1, picked by one entry."""
    load(tmp_path, row("2095_01_KC_BUF"))
    entry = EntryFactory(in_pool=PoolFactory(competition=Competition.objects.get(code=CODE)))
    pick(entry, 1, "KC")
    return Game.objects.get(external_id="2095_01_KC_BUF")


def fresh(game: Game) -> Game:
    return Game.objects.select_related("round").get(pk=game.pk)


def facts(game: Game):
    game = fresh(game)
    return game.round.number, game.external_id, game.kickoff_at, game.status


MOVES = {
    "to another week": row("2095_02_KC_BUF", ROUND_2),
    "after the next lock": row("2095_01_KC_BUF", "2095-09-22"),
    "to other sides": row("2095_01_KC_BUF", away_team="DEN", home_team="KC"),
}


@pytest.mark.parametrize(
    ("moved", "review"),
    [
        (MOVES["to another week"], "The schedule has it in round 2 now, not 1."),
        (MOVES["after the next lock"], "The schedule has it at 2095-09-22 17:00 UTC now, after round 2 locks."),
        (MOVES["to other sides"], "The schedule has DEN at KC now."),
    ],
    ids=MOVES,
)
def test_a_picked_game_is_raised_and_left_alone(tmp_path, picked, moved, review):
    before = facts(picked)
    report = load(tmp_path, moved)
    assert facts(picked) == before
    assert fresh(picked).review == review
    assert report.warnings == [f"2095_01_KC_BUF: raised for a ruling. {review}"]


@pytest.mark.parametrize("moved", MOVES.values(), ids=MOVES)
def test_raising_again_changes_nothing(tmp_path, picked, moved):
    load(tmp_path, moved)
    changes = GameChange.objects.count()
    assert load(tmp_path, moved).updated == 0
    assert GameChange.objects.count() == changes


@pytest.mark.parametrize("moved", MOVES.values(), ids=MOVES)
def test_the_same_game_without_picks_moves(tmp_path, moved):
    load(tmp_path, row("2095_01_KC_BUF"))
    before = Game.objects.get(external_id="2095_01_KC_BUF")
    load(tmp_path, moved)
    after = fresh(before)
    assert (after.round.number, after.kickoff_at, after.home_id) != (1, before.kickoff_at, before.home_id)
    assert after.review == ""


def test_a_picked_game_that_the_file_drops_stays(tmp_path, picked):
    before = facts(picked)
    load(tmp_path)
    assert facts(picked) == before
    assert fresh(picked).review == "The schedule does not list it any more."


def test_a_redrawn_round_does_not_take_a_picked_game_along(tmp_path, picked):
    drawing = [{"round": "1", "name": "A", "game_id": "2095_01_DEN_LV"}] + [
        {"round": "2", "name": "B", "game_id": name} for name in ("2095_01_KC_BUF", "2095_02_LV_DEN", "2095_03_LV_BUF")
    ]
    with open_rows(write_csv(tmp_path / "rounds.csv", drawing)) as rows:
        drawn = read_rounds(rows)
    load(tmp_path, row("2095_01_KC_BUF"), drawn=drawn)
    assert fresh(picked).round.number == 1
    assert fresh(picked).review == "The schedule has it in round 2 now, not 1."
    assert Game.objects.get(external_id="2095_03_LV_BUF").round.number == 2


def test_a_picked_game_may_kick_off_at_another_hour_of_its_round(tmp_path, picked):
    report = load(tmp_path, row("2095_01_KC_BUF", "2095-09-12"))
    assert report.warnings == []
    assert fresh(picked).kickoff_at.day == 12


def test_sides_that_swap_home_and_away_are_no_matter_for_picks(tmp_path, picked):
    report = load(tmp_path, row("2095_01_KC_BUF", away_team="BUF", home_team="KC"))
    assert report.warnings == []
    assert Game.objects.select_related("home").get(pk=picked.pk).home.code == "KC"


def test_a_file_that_moves_it_back_closes_the_review(tmp_path, picked):
    load(tmp_path, MOVES["to another week"])
    load(tmp_path, row("2095_01_KC_BUF"))
    assert fresh(picked).review == ""


def test_a_staff_decision_closes_the_review_for_good(tmp_path, picked, moderator):
    load(tmp_path, MOVES["to another week"])
    assert record_result(game_id=picked.pk, status="cancelled", by=moderator, reason="moved out of its round")
    assert load(tmp_path, MOVES["to another week"]).updated == 0
    assert (fresh(picked).status, fresh(picked).review) == (GameStatus.CANCELLED, "")


def test_what_staff_let_stand_is_not_raised_again(tmp_path, picked, moderator):
    load(tmp_path, MOVES["to another week"])
    assert close_review(game_id=picked.pk, by=moderator, reason="the league's page is wrong")
    report = load(tmp_path, MOVES["to another week"])
    assert (report.updated, report.warnings, fresh(picked).review) == (0, [], "")
    stood = LetStand.objects.get()
    assert (stood.game, stood.difference, stood.by) == (picked, "round 1 > 2", moderator)
    assert stood.reason == "the league's page is wrong"


def test_another_difference_is_raised_again(tmp_path, picked, moderator):
    load(tmp_path, MOVES["to another week"])
    close_review(game_id=picked.pk, by=moderator, reason="the league's page is wrong")
    load(tmp_path, MOVES["to other sides"])
    assert fresh(picked).review == "The schedule has DEN at KC now."


def test_a_game_that_a_ruling_decided_is_left_alone(tmp_path, picked):
    Game.objects.filter(pk=picked.pk).update(is_ruled=True)
    before = facts(picked)
    report = load(tmp_path, MOVES["to another week"])
    assert (facts(picked), fresh(picked).review, report.warnings) == (before, "", [])
    load(tmp_path)
    assert fresh(picked).review == ""


@pytest.mark.parametrize("status", ["scheduled", "postponed"])
def test_of_a_ruled_game_a_file_gives_only_the_first_result(tmp_path, status):
    """Played on another day, in what the file calls another week: it counts where the ruling left it."""
    past = [nfl_row("2020_04_PIT_TEN"), nfl_row("2020_07_KC_BUF", gameday="2020-10-25")]
    import_rows(tmp_path, past, code="nfl-2024")
    game = Game.objects.get(external_id="2020_04_PIT_TEN")
    entry = EntryFactory(in_pool=PoolFactory(competition=game.competition, last_round_number=7))
    pick_in_the_past(entry, game)
    Game.objects.filter(pk=game.pk).update(status=status, is_ruled=True)
    kickoff = fresh(game).kickoff_at
    import_rows(tmp_path, [nfl_row("2020_07_PIT_TEN", score=(20, 23)), past[1]], code="nfl-2024")
    left = fresh(game)
    assert (left.round.number, left.kickoff_at, left.review) == (4, kickoff, "")
    assert (left.status, left.away_score) == (("final", 23) if status == "scheduled" else ("postponed", None))
    import_rows(tmp_path, [nfl_row("2020_07_PIT_TEN", score=(20, 17)), past[1]], code="nfl-2024")
    assert fresh(game).away_score == left.away_score


def test_a_final_game_that_moves_takes_a_corrected_score_where_it_is(tmp_path):
    past = [nfl_row("2020_04_PIT_TEN", score=(20, 17)), nfl_row("2020_07_KC_BUF", gameday="2020-10-25")]
    import_rows(tmp_path, past, code="nfl-2024")
    game = Game.objects.get(external_id="2020_04_PIT_TEN")
    entry = EntryFactory(in_pool=PoolFactory(competition=game.competition, last_round_number=7))
    pick_in_the_past(entry, game)
    moved = [nfl_row("2020_07_PIT_TEN", score=(20, 23)), past[1]]
    report = import_rows(tmp_path, moved, code="nfl-2024")
    assert report.warnings == [
        "2020_04_PIT_TEN: final, with picks. The schedule has it in round 7 now, not 4. Left as it was.",
        "2020_04_PIT_TEN: score corrected from 20-17 to 20-23.",
    ]
    assert (fresh(game).round.number, fresh(game).away_score) == (4, 23)


def pick_in_the_past(entry, game):
    """As an import of picks does it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'import', true)", [LATE_SETTING])
    pick(entry, game.round.number, game.home.code, source="import")
