"""The command `import_schedule`."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pools.models import Competition, Game, GameChange, Round
from tests.support.schedules import epl_row, nfl_row, write_csv
from tests.support.shared_data import shared_data

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_schedule", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def games(tmp_path):
    return write_csv(tmp_path / "games.csv", [nfl_row("2024_01_KC_BUF", score=(20, 17)), nfl_row("2024_02_BUF_KC")])


def test_it_says_what_it_did_and_the_second_time_that_nothing_changed():
    source = str(shared_data("nfl/games.csv"))
    assert run(source, "--competition", "nfl-2021") == (
        "nfl-2021: 32 teams, 18 rounds, 272 games; 272 games new, 0 changed, 272 results taken, 0 warnings\n",
        "",
    )
    changes = GameChange.objects.count()
    assert run(source, "--competition", "nfl-2021") == (
        "nfl-2021: 32 teams, 18 rounds, 272 games; 0 games new, 0 changed, 0 results taken, 0 warnings\n",
        "",
    )
    assert GameChange.objects.count() == changes


def test_it_draws_rounds_from_a_file():
    run(
        str(shared_data("nfl/games.csv")), "--competition", "nfl-2020",
        "--rounds", str(shared_data("circa/2020/rounds.csv")), "--no-results",
    )  # fmt: skip
    assert Round.objects.get(number=12).name == "W12-THANKSGIVING"
    assert not Game.objects.filter(status="final").exists()


def test_it_takes_results_through_a_round(games):
    out, _ = run(games, "--competition", "nfl-2024", "--results-through", "1")
    assert "1 results taken" in out


def test_the_season_can_differ_from_the_code(tmp_path):
    source = write_csv(tmp_path / "fixtures.csv", [epl_row("1", "Leeds", "Spurs")])
    run(source, "--competition", "english-cup", "--season", "2023-24")
    assert Competition.objects.get().season == "2023-24"


def test_warnings_go_beside_the_output(tmp_path):
    source = write_csv(tmp_path / "g.csv", [nfl_row("2024_01_KC_BUF", gameday="2024-09-09", gametime="09:00")])
    out, err = run(source, "--competition", "nfl-2024")
    assert err == "2024_01_KC_BUF: kickoff 09:00 on a Monday is twelve hours off; taken as 21:00.\n"
    assert out.endswith(", 1 warnings\n")


def test_a_doubtful_kickoff_can_be_said(tmp_path):
    source = write_csv(tmp_path / "g.csv", [nfl_row("2024_01_KC_BUF", gametime="09:00")])
    with pytest.raises(CommandError, match="1 kickoffs are doubtful"):
        run(source, "--competition", "nfl-2024")
    run(source, "--competition", "nfl-2024", "--kickoff", "2024_01_KC_BUF=2024-09-08T09:30")
    assert Game.objects.get().kickoff_at.hour == 13


def test_a_kickoff_cannot_be_given_for_a_file_that_says_utc(tmp_path):
    source = write_csv(tmp_path / "fixtures.csv", [epl_row("1", "Leeds", "Spurs")])
    with pytest.raises(CommandError, match="--kickoff is for nflverse files"):
        run(source, "--competition", "epl-2023", "--kickoff", "1=2023-08-12T15:00")


def test_a_season_is_imported_in_as_many_statements_as_a_few_games(games, django_assert_max_num_queries):
    with CaptureQueriesContext(connection) as few:
        run(games, "--competition", "few-2024")
    with django_assert_max_num_queries(len(few) + 5):
        run(str(shared_data("nfl/games.csv")), "--competition", "nfl-2025")


def test_progress_is_drawn_on_a_terminal_alone(games, monkeypatch, capsys):
    run(games, "--competition", "nfl-2024")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    run(games, "--competition", "nfl-2024")
    assert "games.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--competition", "nfl"], "No year in nfl: give --season."),
        (["--competition", "nfl-2024", "--results-through", "-1"], "--results-through takes a round number."),
        (["--competition", "nfl-2024", "--kickoff", "x"], "--kickoff x: must be GAME=2024-09-05T20:20."),
        (["--competition", "nfl-2024", "--kickoff", "x=2024-09-08T13:00"], "no game of the season is called x."),
        (["--competition", "nfl-2031"], "The file has no games of season 2031. It has seasons: 2024."),
        (["--competition", "nfl-2024", "--rounds", "absent.csv"], "absent.csv: cannot be read"),
        (["--competition", "nfl-2024", "--no-results", "--results-through", "3"], "not allowed with"),
    ],
)
def test_what_cannot_be_is_refused_in_words(games, arguments, complaint):
    with pytest.raises(CommandError) as refusal:
        run(games, *arguments)
    assert complaint in str(refusal.value)
    assert not Competition.objects.exists()
