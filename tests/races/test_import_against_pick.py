"""A schedule that moves a game while somebody picks it: one of the two gives way, and no pick is left in the air."""

import pytest
from django.db.models import F

from entries.models import Pick
from pools.models import Competition, Game, GameChange
from pools.services.results import record_result
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory
from tests.support.schedules import import_rows, nfl_row
from tests.support.threads import REPETITIONS, run_together

pytestmark = pytest.mark.django_db(transaction=True)


def schedule(week: int):
    return [
        nfl_row(f"2095_{week:02}_KC_BUF", season="2095", gameday="2095-09-11" if week == 1 else "2095-09-18"),
        nfl_row("2095_01_DEN_LV", season="2095", gameday="2095-09-12"),
        nfl_row("2095_02_LV_DEN", season="2095", gameday="2095-09-19"),
    ]


def test_a_pick_and_a_move_at_once_never_part(tmp_path):
    seen = set()
    for number in range(REPETITIONS):
        code = f"race{number}-2095"
        import_rows(tmp_path, schedule(1), code=code)
        entry = EntryFactory(in_pool=PoolFactory(competition=Competition.objects.get(code=code)))
        moved = [lambda code=code: import_rows(tmp_path, schedule(2), code=code)]
        picked = [lambda entry=entry: pick(entry, 1, "KC")]
        run_together(picked + moved if number % 2 else moved + picked)
        game = Game.objects.select_related("round").get(competition__code=code, home__code="BUF")
        is_picked = Pick.objects.filter(entry=entry).exists()
        seen.add((game.round.number, bool(game.review), is_picked))
    assert not Pick.objects.exclude(round=F("game__round")).exists()
    assert seen <= {(1, True, True), (2, False, False)}


def test_two_imports_at_once_write_once(tmp_path):
    for number in range(REPETITIONS):
        code = f"twice{number}-2095"
        folders = [tmp_path / f"{code}-{side}" for side in "ab"]
        for folder in folders:
            folder.mkdir()
        calls = [lambda folder=folder, code=code: import_rows(folder, schedule(1), code=code) for folder in folders]
        outcomes = run_together(calls)
        assert [outcome.error for outcome in outcomes] == [None, None]
        assert sorted(outcome.value.created for outcome in outcomes) == [0, 3]
    assert GameChange.objects.count() == REPETITIONS * 3


def test_a_result_recorded_while_an_import_runs_is_kept(tmp_path, moderator):
    rows = [nfl_row("2024_01_KC_BUF"), nfl_row("2024_01_DEN_LV")]
    for number in range(REPETITIONS):
        code = f"result{number}-2024"
        import_rows(tmp_path, rows, code=code)
        game = Game.objects.get(competition__code=code, home__code="BUF")
        later = [rows[0] | {"gametime": "16:25"}, rows[1]]
        said = {"game_id": game.pk, "status": "final", "home_score": 20, "away_score": 17, "by": moderator}
        outcomes = run_together(
            [
                lambda later=later, code=code: import_rows(tmp_path, later, code=code),
                lambda said=said: record_result(**said),
            ]
        )
        assert [outcome.error for outcome in outcomes] == [None, None]
        game.refresh_from_db()
        assert (game.status, game.home_score, game.kickoff_at.hour) == ("final", 20, 20)
