"""What an import writes, what it leaves alone, and that a second time changes nothing."""

from datetime import UTC, datetime

import pytest
from django.db.models import Q

from config.clock import database_now
from pools.models import Competition, Game, GameChange, GameStatus, Round, Team
from pools.services.results import record_result
from pools.services.schedule import ScheduleError, apply_schedule, open_rows, read_rounds, read_schedule
from tests.factories.pools import PoolFactory
from tests.support.schedules import epl_row, import_rows, nfl_row, write_csv
from tests.support.shared_data import shared_data

pytestmark = pytest.mark.django_db


def game(name: str) -> Game:
    return Game.objects.select_related("round", "home", "away").get(external_id=name)


def import_season(code: str, *, file="nfl/games.csv", drawn=None, **options):
    schedule = read_schedule(str(shared_data(file)), season=code[-4:])
    return apply_schedule(code=code, schedule=schedule, now=database_now(), drawn=drawn, **options)


def circa_rounds(season: int):
    with open_rows(str(shared_data(f"circa/{season}/rounds.csv"))) as rows:
        return read_rounds(rows)


def drawn_from(tmp_path, *rows: tuple[int, str, str]):
    path = write_csv(tmp_path / "rounds.csv", [{"round": str(n), "name": name, "game_id": g} for n, name, g in rows])
    with open_rows(path) as found:
        return read_rounds(found)


def test_a_real_season_becomes_a_competition():
    report = import_season("nfl-2024")
    competition = Competition.objects.get(code="nfl-2024")
    assert (competition.name, competition.season, competition.time_zone) == ("NFL 2024", "2024", "America/New_York")
    assert (report.teams, report.rounds, report.games, report.results) == (32, 18, 272, 272)
    first = Round.objects.get(competition=competition, number=1)
    assert (first.name, first.locks_at) == ("Week 1", datetime(2024, 9, 6, 0, 20, tzinfo=UTC))
    assert Team.objects.get(competition=competition, code="KC").name == "Kansas City Chiefs"
    assert game("2024_01_BAL_KC").status == GameStatus.FINAL
    assert (game("2024_01_BAL_KC").home_score, game("2024_01_BAL_KC").away_score) == (27, 20)


@pytest.mark.parametrize(
    ("code", "file"), [("nfl-2020", "nfl/games.csv"), ("nfl-1999", "nfl/games.csv"), ("epl-2021", "epl/fixtures.csv")]
)
def test_a_second_import_changes_nothing(code, file, django_assert_max_num_queries):
    import_season(code, file=file)
    changes, rounds = GameChange.objects.count(), list(Round.objects.values())
    with django_assert_max_num_queries(20):
        report = import_season(code, file=file)
    assert (report.created, report.updated, report.results) == (0, 0, 0)
    assert GameChange.objects.count() == changes
    assert list(Round.objects.values()) == rounds


def test_an_import_takes_a_constant_number_of_statements(django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        import_season("nfl-2023")


def test_every_imported_game_leaves_one_change_with_its_source(tmp_path):
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF")], source="games.csv")
    [change] = GameChange.objects.all()
    assert (change.game_id, change.before, change.reason) == (game("2024_01_KC_BUF").pk, None, "import of games.csv")


def test_ties_stay_ties():
    import_season("nfl-2022")
    tie = game("2022_01_IND_HOU")
    assert (tie.status, tie.home_score, tie.away_score) == (GameStatus.FINAL, 20, 20)


def test_an_epl_season_has_double_and_blank_gameweeks():
    report = import_season("epl-2021", file="epl/fixtures.csv")
    competition = Competition.objects.get(code="epl-2021")
    assert (report.teams, report.rounds, report.games) == (20, 38, 380)
    assert (competition.name, competition.season) == ("Premier League 2021-22", "2021-22")
    of_everton = Game.objects.filter(Q(home__name="Everton") | Q(away__name="Everton"))
    assert of_everton.filter(round__number=36).count() == 2
    assert of_everton.filter(round__number=30).count() == 0
    assert competition.rounds.get(number=1).name == "Gameweek 1"


# --- Results --------------------------------------------------------------------------------------------------------


def test_no_results_leaves_every_score_out():
    report = import_season("nfl-2024", results_through=0)
    assert report.results == 0
    assert set(Game.objects.values_list("status", "home_score", "away_score")) == {("scheduled", None, None)}


def test_results_come_up_to_the_round_asked_for_and_then_further():
    import_season("nfl-2024", results_through=3)
    assert set(Game.objects.filter(status="final").values_list("round__number", flat=True)) == {1, 2, 3}
    report = import_season("nfl-2024", results_through=5)
    assert report.results == 30
    assert set(Game.objects.filter(status="final").values_list("round__number", flat=True)) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("through", [0, 1, None])
def test_a_recorded_result_is_never_taken_away(tmp_path, through):
    import_rows(tmp_path, [nfl_row("2024_02_KC_BUF", score=(20, 17))])
    report = import_rows(tmp_path, [nfl_row("2024_02_KC_BUF")], results_through=through)
    assert report.updated == 0
    assert (game("2024_02_KC_BUF").status, game("2024_02_KC_BUF").home_score) == (GameStatus.FINAL, 20)


def test_a_corrected_score_is_applied_told_and_recorded(tmp_path):
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF", score=(20, 17))])
    report = import_rows(tmp_path, [nfl_row("2024_01_KC_BUF", score=(20, 23))])
    assert report.warnings == ["2024_01_KC_BUF: score corrected from 20-17 to 20-23."]
    change = GameChange.objects.latest("id")
    assert (change.before["away_score"], change.after["away_score"]) == (17, 23)


def test_a_score_before_the_lock_is_not_taken(tmp_path):
    row = nfl_row("2095_01_KC_BUF", season="2095", gameday="2095-09-11", score=(20, 17))
    report = import_rows(tmp_path, [row], code="nfl-2095")
    assert game("2095_01_KC_BUF").status == GameStatus.SCHEDULED
    assert report.warnings == ["2095_01_KC_BUF: has a score, but its round has not locked. Score not taken."]


def test_half_a_result_is_raised_and_a_whole_one_closes_it(tmp_path):
    report = import_rows(tmp_path, [nfl_row("2024_01_KC_BUF", home_score="20")])
    assert game("2024_01_KC_BUF").review == "The schedule has only one of the two scores."
    assert report.warnings == [
        "2024_01_KC_BUF: raised for a ruling. The schedule has only one of the two scores.",
    ]
    assert game("2024_01_KC_BUF").status == GameStatus.SCHEDULED
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF", score=(20, 0))])
    assert (game("2024_01_KC_BUF").review, game("2024_01_KC_BUF").status) == ("", GameStatus.FINAL)


def test_half_a_result_does_not_touch_a_recorded_one(tmp_path):
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF", score=(20, 17))])
    report = import_rows(tmp_path, [nfl_row("2024_01_KC_BUF", home_score="21")])
    assert (game("2024_01_KC_BUF").home_score, game("2024_01_KC_BUF").review) == (20, "")
    assert report.warnings == ["2024_01_KC_BUF: the file has only one of the two scores. The recorded result stays."]


def test_a_game_that_staff_cancelled_stays_cancelled(tmp_path, moderator):
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF")])
    record_result(game_id=game("2024_01_KC_BUF").pk, status="cancelled", by=moderator, reason="no floodlights")
    report = import_rows(tmp_path, [nfl_row("2024_01_KC_BUF", score=(20, 17))])
    assert game("2024_01_KC_BUF").status == GameStatus.CANCELLED
    assert report.warnings == ["2024_01_KC_BUF: cancelled here, but the file has a result. Left cancelled."]


# --- Games that move, without picks ---------------------------------------------------------------------------------


def test_a_moved_game_keeps_its_identity_under_its_new_name(tmp_path):
    import_rows(tmp_path, [nfl_row("2020_04_PIT_TEN"), nfl_row("2020_04_KC_BUF"), nfl_row("2020_07_BUF_KC")])
    before = game("2020_04_PIT_TEN")
    rows = [
        nfl_row("2020_07_PIT_TEN", gameday="2024-10-25"), nfl_row("2020_04_KC_BUF"), nfl_row("2020_07_BUF_KC"),
    ]  # fmt: skip
    report = import_rows(tmp_path, rows)
    assert (report.created, report.updated, report.games) == (0, 1, 3)
    assert (game("2020_07_PIT_TEN").pk, game("2020_07_PIT_TEN").round.number) == (before.pk, 7)


def test_a_dropped_game_is_raised_not_cancelled(tmp_path):
    import_rows(tmp_path, [nfl_row("2022_17_BUF_CIN"), nfl_row("2022_17_KC_DEN")])
    for _ in range(2):
        report = import_rows(tmp_path, [nfl_row("2022_17_KC_DEN")])
        assert report.warnings == ["2022_17_BUF_CIN: raised for a ruling. The schedule does not list it any more."]
    assert (report.updated, game("2022_17_BUF_CIN").status) == (0, GameStatus.SCHEDULED)
    assert game("2022_17_BUF_CIN").review == "The schedule does not list it any more."


def test_a_file_of_fewer_rounds_says_nothing_about_the_others(tmp_path):
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF"), nfl_row("2024_02_BUF_KC")])
    report = import_rows(tmp_path, [nfl_row("2024_01_KC_BUF")])
    assert (report.updated, report.warnings) == (0, [])


def test_another_kickoff_within_the_round_is_taken(tmp_path):
    import_rows(tmp_path, [nfl_row("2095_01_KC_BUF", season="2095", gameday="2095-09-11")], code="nfl-2095")
    row = nfl_row("2095_01_KC_BUF", season="2095", gameday="2095-09-11", gametime="20:20")
    assert import_rows(tmp_path, [row], code="nfl-2095").updated == 1
    assert game("2095_01_KC_BUF").round.locks_at == datetime(2095, 9, 12, 0, 20, tzinfo=UTC)


# --- Refusals: nothing is written ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["2024_01_KC_BUF", "2024_01_KC_BUF"], "Line 3: 2024_01_KC_BUF is the game of line 2 (2024_01_KC_BUF) again."),
        (["2024_01_KC_BUF", "2024_05_KC_BUF"], "Line 3: 2024_05_KC_BUF is the game of line 2 (2024_01_KC_BUF) again."),
    ],
)
def test_a_game_listed_twice_refuses_the_file(tmp_path, rows, complaint):
    with pytest.raises(ScheduleError) as refusal:
        import_rows(tmp_path, [nfl_row(name) for name in rows])
    assert refusal.value.message == complaint
    assert not Competition.objects.exists()


def test_the_same_sides_may_meet_again_in_the_playoffs(tmp_path):
    rows = [nfl_row("2024_01_KC_BUF"), nfl_row("2024_20_KC_BUF", game_type="DIV")]
    schedule = read_schedule(write_csv(tmp_path / "g.csv", rows), season="2024", game_types=["REG", "DIV"])
    assert apply_schedule(code="nfl-2024", schedule=schedule, now=database_now()).games == 2


def test_an_unknown_team_is_refused_unless_it_is_said_to_be_new(tmp_path):
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF")])
    rows = [nfl_row("2024_01_KC_BUF"), nfl_row("2024_01_XXX_DEN")]
    with pytest.raises(ScheduleError, match=r"^Line 3: nfl-2024 has no team (DEN|XXX)\. If it is new"):
        import_rows(tmp_path, rows)
    assert Team.objects.count() == 2
    assert import_rows(tmp_path, rows, allow_new_teams=True).teams == 4


def test_another_season_under_the_same_code_is_refused(tmp_path):
    import_rows(tmp_path, [nfl_row("2024_01_KC_BUF")], code="nfl-2024")
    schedule = read_schedule(write_csv(tmp_path / "g.csv", [nfl_row("2023_01_KC_BUF", season="2023")]), season="2023")
    with pytest.raises(ScheduleError, match="nfl-2024 holds season 2024, the file's is 2023"):
        apply_schedule(code="nfl-2024", schedule=schedule, now=database_now())


def test_a_code_that_is_none_is_refused(tmp_path):
    with pytest.raises(ScheduleError, match=r"^--competition nfl 2024: "):
        import_rows(tmp_path, [nfl_row("2024_01_KC_BUF")], code="nfl 2024")


def test_an_epl_team_keeps_its_code_when_the_file_is_read_again(tmp_path):
    import_rows(tmp_path, [epl_row("1", "Lee Town", "Spurs")], code="epl-2023")
    rows = [epl_row("1", "Lee Town", "Spurs"), epl_row("2", "Leeds", "Spurs")]
    import_rows(tmp_path, rows, code="epl-2023", allow_new_teams=True)
    assert dict(Team.objects.values_list("name", "code")) == {"Lee Town": "LTO", "Spurs": "TOT", "Leeds": "LEE"}


# --- Rounds drawn by file --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("season", "rounds"), [(2020, 18), (2021, 20), (2024, 20)])
def test_a_rounds_file_draws_the_rounds_of_a_real_contest(season, rounds):
    report = import_season(f"nfl-{season}", drawn=circa_rounds(season))
    assert (report.rounds, report.warnings) == (rounds, [])
    changes = GameChange.objects.count()
    assert import_season(f"nfl-{season}", drawn=circa_rounds(season)).updated == 0
    assert GameChange.objects.count() == changes


def test_thanksgiving_locks_before_the_sunday_of_its_week():
    import_season("nfl-2021", drawn=circa_rounds(2021))
    rounds = {round_.name: round_ for round_ in Round.objects.all()}
    assert rounds["W12-THANKSGIVING"].locks_at == datetime(2021, 11, 25, 17, 30, tzinfo=UTC)
    assert rounds["W12"].locks_at == datetime(2021, 11, 28, 18, tzinfo=UTC)
    assert (rounds["W12-THANKSGIVING"].games.count(), rounds["W12"].games.count()) == (3, 12)


def test_rounds_can_be_redrawn_after_a_plain_import():
    import_season("nfl-2024")
    report = import_season("nfl-2024", drawn=circa_rounds(2024))
    assert (report.rounds, report.created) == (20, 0)
    assert game("2024_13_CHI_DET").round.name == "W13-THANKSGIVING"


def test_a_later_import_without_the_rounds_file_leaves_games_in_their_rounds():
    import_season("nfl-2024", drawn=circa_rounds(2024), results_through=0)
    report = import_season("nfl-2024", results_through=13)
    assert (report.rounds, report.warnings) == (20, [])
    assert game("2024_13_CHI_DET").round.number == 13
    assert set(Game.objects.filter(status="final").values_list("round__number", flat=True)) == set(range(1, 14))


def test_a_rounds_file_that_names_an_unknown_game_is_refused_with_the_line(tmp_path):
    drawn = drawn_from(tmp_path, (1, "A", "2024_01_KC_BUF"), (1, "A", "2024_01_XX_YY"))
    with pytest.raises(ScheduleError) as refusal:
        import_rows(tmp_path, [nfl_row("2024_01_KC_BUF")], drawn=drawn)
    assert refusal.value.message == "Rounds file, line 3: the schedule has no game 2024_01_XX_YY."


def test_games_of_no_round_are_left_out_of_a_new_competition(tmp_path):
    rows = [nfl_row("2024_01_KC_BUF"), nfl_row("2024_01_DEN_LV")]
    report = import_rows(tmp_path, rows, drawn=drawn_from(tmp_path, (1, "A", "2024_01_KC_BUF")))
    assert (report.games, report.teams) == (1, 4)
    assert report.warnings == ["1 games belong to no round of the rounds file and are left out: 2024_01_DEN_LV."]


def test_a_rounds_file_that_would_lose_a_game_is_refused(tmp_path):
    rows = [nfl_row("2024_01_KC_BUF"), nfl_row("2024_01_DEN_LV")]
    import_rows(tmp_path, rows)
    with pytest.raises(ScheduleError, match="no round for 1 games that nfl-2024 has: 2024_01_DEN_LV"):
        import_rows(tmp_path, rows, drawn=drawn_from(tmp_path, (1, "A", "2024_01_KC_BUF")))


def test_rounds_that_own_nothing_go_unless_a_pool_plays_them(tmp_path):
    rows = [nfl_row("2024_01_KC_BUF"), nfl_row("2024_02_DEN_LV"), nfl_row("2024_03_SF_SEA")]
    import_rows(tmp_path, rows)
    pool = PoolFactory(competition=Competition.objects.get(), last_round_number=2)
    drawn = drawn_from(tmp_path, *((1, "All", row["game_id"]) for row in rows))
    report = import_rows(tmp_path, rows, drawn=drawn)
    assert report.warnings == [
        "Round 2 has no games any more, but a pool plays it.",
    ]
    assert list(Round.objects.values_list("number", "name")) == [(1, "All"), (2, "Week 2")]
    assert pool.last_round_number == 2


def test_a_pool_that_ends_before_the_redrawn_rounds_is_named(tmp_path):
    rows = [nfl_row("2024_01_KC_BUF"), nfl_row("2024_01_DEN_LV")]
    import_rows(tmp_path, rows)
    pool = PoolFactory(competition=Competition.objects.get())
    drawn = drawn_from(tmp_path, (1, "Early", "2024_01_KC_BUF"), (2, "Late", "2024_01_DEN_LV"))
    report = import_rows(tmp_path, rows, drawn=drawn)
    assert report.warnings == [f"Pool {pool.pk} plays rounds 1 to 1 of now 2; make sure that this is meant."]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([(1, "A", "g1"), (1, "B", "g2")], "rounds.csv, line 3: round 1 is 'A' further up."),
        ([(1, "A", "g1"), (2, "B", "g1")], "rounds.csv, line 3: g1 is in round 1 already (line 2)."),
        ([(0, "A", "g1")], "Line 2: round is '0', not a whole number from 1 to 999."),
    ],
)
def test_a_rounds_file_that_contradicts_itself_is_refused(tmp_path, rows, complaint):
    with pytest.raises(ScheduleError) as refusal:
        drawn_from(tmp_path, *rows)
    assert refusal.value.message == complaint


def test_a_rounds_file_with_other_columns_or_without_rows_is_refused(tmp_path):
    for text, complaint in (
        ("a,b\n1,2\n", "has the columns round, name, game_id"),
        ("round,name,game_id\n", "no rounds"),
    ):
        (tmp_path / "rounds.csv").write_text(text)
        with pytest.raises(ScheduleError, match=complaint), open_rows(str(tmp_path / "rounds.csv")) as rows:
            read_rounds(rows)
