"""Reading Premier League fixtures."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from pools.services.schedule import ScheduleError, read_schedule
from tests.support.schedules import epl_row, write_csv
from tests.support.shared_data import shared_data


def read(tmp_path, *rows, season="2023"):
    return read_schedule(write_csv(tmp_path / "fixtures.csv", list(rows)), season=season)


@pytest.mark.parametrize("season", ["2021", "2021-22"])
def test_a_season_is_named_by_its_first_year_or_in_full(season):
    schedule = read_schedule(str(shared_data("epl/fixtures.csv")), season=season)
    assert (schedule.season, len(schedule.fixtures)) == ("2021-22", 380)


def test_kickoffs_are_utc_as_written(tmp_path):
    [fixture] = read(tmp_path, epl_row("1", "Man Utd", "Leeds", score=(5, 1))).fixtures
    assert fixture.kickoff_at == datetime(2023, 8, 12, 14, tzinfo=UTC)
    assert (fixture.home, fixture.away, fixture.home_score, fixture.away_score) == ("Man Utd", "Leeds", 5, 1)


def test_double_and_blank_gameweeks_are_rounds_like_others():
    fixtures = read_schedule(str(shared_data("epl/fixtures.csv")), season="2021").fixtures
    games = Counter((fixture.round_number, team) for fixture in fixtures for team in (fixture.home, fixture.away))
    assert games[36, "Everton"] == 2
    assert games[30, "Everton"] == 0
    assert Counter(games.values()) == {1: 638, 2: 61}


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"finished": "True"}, "finished, but without both scores"),
        ({"finished": "True", "home_goals": "1"}, "finished, but without both scores"),
        ({"finished": "False", "home_goals": "1", "away_goals": "0"}, ""),
    ],
)
def test_only_a_finished_game_with_both_scores_has_a_result(tmp_path, values, fault):
    [fixture] = read(tmp_path, epl_row("1", "Leeds", "Spurs", **values)).fixtures
    assert (fixture.has_result, fixture.result_fault) == (False, fault)


def test_nil_nil_is_a_result_when_it_is_written(tmp_path):
    [fixture] = read(tmp_path, epl_row("1", "Leeds", "Spurs", score=(0, 0))).fixtures
    assert (fixture.home_score, fixture.away_score) == (0, 0)


def test_a_game_without_gameweek_waits_with_a_warning(tmp_path):
    schedule = read(tmp_path, epl_row("1", "Leeds", "Spurs"), epl_row("2", "Spurs", "Leeds", gameweek_played=""))
    assert [fixture.external_id for fixture in schedule.fixtures] == ["1"]
    assert schedule.warnings == ["1 games have no gameweek or kickoff yet and are left out."]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"kickoff_utc": "2023-08-12T14:00:00"}, "Line 2: kickoff_utc is '2023-08-12T14:00:00', without a zone."),
        ({"kickoff_utc": "soon"}, "Line 2: kickoff_utc is 'soon', not an instant"),
        ({"finished": "maybe"}, "Line 2: finished is 'maybe', not True or False."),
    ],
)
def test_a_bad_value_is_named_with_its_line(tmp_path, values, complaint):
    with pytest.raises(ScheduleError) as refusal:
        read(tmp_path, epl_row("1", "Leeds", "Spurs", **values))
    assert refusal.value.message.startswith(complaint)


def test_a_season_that_the_file_lacks_is_refused(tmp_path):
    with pytest.raises(ScheduleError, match=r"no games of season 2031\. It has seasons: 2023-24"):
        read(tmp_path, epl_row("1", "Leeds", "Spurs"), season="2031")
