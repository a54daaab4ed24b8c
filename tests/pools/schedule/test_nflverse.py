"""Reading nflverse's files."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pools.services.schedule import ScheduleError, read_schedule
from tests.support.schedules import nfl_row, write_csv
from tests.support.shared_data import shared_data


def read(tmp_path, *rows, season="2024", **options):
    return read_schedule(write_csv(tmp_path / "games.csv", list(rows)), season=season, **options)


def test_a_season_has_its_regular_games_alone():
    schedule = read_schedule(str(shared_data("nfl/games.csv")), season="2024")
    assert len(schedule.fixtures) == 272
    assert {fixture.round_number for fixture in schedule.fixtures} == set(range(1, 19))
    assert schedule.warnings == []


def test_playoffs_come_when_asked_for():
    schedule = read_schedule(str(shared_data("nfl/games.csv")), season="2024", game_types=["WC", "DIV", "CON", "SB"])
    assert [fixture.round_number for fixture in schedule.fixtures] == [19] * 6 + [20] * 4 + [21] * 2 + [22]


def test_the_preseason_file_with_fewer_columns_is_read():
    schedule = read_schedule(str(shared_data("nfl/schedule_2026_preseason.csv")), season="2026")
    assert len(schedule.fixtures) == 272
    assert schedule.fixtures[0].kickoff_at == datetime(2026, 9, 10, 0, 20, tzinfo=UTC)
    assert not any(fixture.has_result for fixture in schedule.fixtures)


def test_a_row_becomes_a_fixture_in_utc(tmp_path):
    [fixture] = read(tmp_path, nfl_row("2024_01_KC_BUF", score=(20, 17), spread_line="-2.5")).fixtures
    assert (fixture.external_id, fixture.home, fixture.away) == ("2024_01_KC_BUF", "BUF", "KC")
    assert fixture.kickoff_at == datetime(2024, 9, 8, 17, tzinfo=UTC)
    assert (fixture.home_score, fixture.away_score, fixture.home_spread) == (20, 17, Decimal("-2.5"))


def test_games_on_both_sides_of_a_clock_change_keep_their_wall_time():
    schedule = read_schedule(str(shared_data("nfl/games.csv")), season="2024")
    hours = {fixture.external_id: fixture.kickoff_at.hour for fixture in schedule.fixtures}
    assert hours["2024_08_NYJ_NE"] == 17  # 27 October, 13:00 in New York
    assert hours["2024_09_NE_TEN"] == 18  # 3 November, 13:00 again


def test_a_known_slip_is_corrected_with_a_warning(tmp_path):
    schedule = read(tmp_path, nfl_row("2024_01_KC_BUF", gameday="2024-09-09", gametime="09:00"))
    assert schedule.fixtures[0].kickoff_at == datetime(2024, 9, 10, 1, tzinfo=UTC)
    assert schedule.warnings == ["2024_01_KC_BUF: kickoff 09:00 on a Monday is twelve hours off; taken as 21:00."]


def test_a_doubtful_kickoff_refuses_the_file_until_somebody_says_which(tmp_path):
    row = nfl_row("2024_01_KC_BUF", gametime="09:00")
    with pytest.raises(ScheduleError, match="line 2, 2024_01_KC_BUF: Sunday 2024-09-08 09:00") as refusal:
        read(tmp_path, row)
    assert "--kickoff" in refusal.value.message
    schedule = read(tmp_path, row, kickoffs={"2024_01_KC_BUF": datetime(2024, 9, 8, 9, 30)})  # noqa: DTZ001  # wall time
    assert schedule.fixtures[0].kickoff_at == datetime(2024, 9, 8, 13, 30, tzinfo=UTC)


def test_a_season_without_kickoff_times_is_taken_at_noon_with_one_warning():
    schedule = read_schedule(str(shared_data("nfl/games.csv")), season="1999")
    assert {fixture.kickoff_at.hour for fixture in schedule.fixtures} == {16, 17}  # noon, in summer and in winter time
    assert schedule.warnings == ["248 games have no kickoff time; noon US Eastern of their day is assumed."]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"home_score": "20"}, "only one of the two scores"),
        ({"away_score": "0"}, "only one of the two scores"),
        ({"result": "3"}, "a result without scores"),
        ({"home_score": "20", "away_score": "17", "result": "4"}, "a result of 4 for a score of 20-17"),
        ({"home_score": "20", "away_score": "17", "result": "3", "total": "38"}, "a total of 38 for a score of 20-17"),
    ],
)
def test_half_a_result_is_no_result(tmp_path, values, fault):
    [fixture] = read(tmp_path, nfl_row("2024_01_KC_BUF", **values)).fixtures
    assert not fixture.has_result
    assert fixture.result_fault == fault


def test_missing_scores_are_never_nil_nil(tmp_path):
    for missing in ("", "NA"):
        [fixture] = read(tmp_path, nfl_row("2024_01_KC_BUF", home_score=missing, away_score=missing)).fixtures
        assert (fixture.home_score, fixture.away_score, fixture.result_fault) == (None, None, "")


def test_the_fifteen_ties_since_1999_stay_ties():
    found = []
    for season in range(1999, 2026):
        fixtures = read_schedule(str(shared_data("nfl/games.csv")), season=str(season)).fixtures
        found += [fixture for fixture in fixtures if fixture.home_score == fixture.away_score]
    assert len(found) == 15
    assert not any(fixture.result_fault for fixture in found)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"week": "x"}, "Line 2: week is 'x', not a whole number from 1 to 99."),
        ({"week": ""}, "Line 2: week is missing."),
        ({"week": "1.5"}, "Line 2: week is '1.5'"),
        ({"gameday": "8.9.2024"}, "Line 2: gameday is '8.9.2024', not a date"),
        ({"gametime": "1 pm"}, "Line 2: gametime is '1 pm', not a time"),
        ({"gametime": "25:00"}, "Line 2: gametime is '25:00', not a time"),
        ({"home_score": "-3"}, "Line 2: home_score is '-3'"),
        ({"home_team": ""}, "Line 2: home_team must have 1 to 20 characters."),
        ({"game_id": "x" * 61}, "Line 2: game_id must have 1 to 60 characters."),
    ],
)
def test_a_bad_value_is_named_with_its_line(tmp_path, values, complaint):
    with pytest.raises(ScheduleError) as refusal:
        read(tmp_path, nfl_row("2024_01_KC_BUF", **values))
    assert refusal.value.message.startswith(complaint)


def test_a_spread_that_makes_no_sense_is_no_spread(tmp_path):
    for nonsense in ("NA", "even", "12345"):
        assert read(tmp_path, nfl_row("2024_01_KC_BUF", spread_line=nonsense)).fixtures[0].home_spread is None


def test_a_season_that_the_file_lacks_is_refused_with_those_it_has(tmp_path):
    with pytest.raises(ScheduleError, match=r"no games of season 2031\. It has seasons: 2024"):
        read(tmp_path, nfl_row("2024_01_KC_BUF"), season="2031")
