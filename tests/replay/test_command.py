"""The replay command on a season small enough to read: what it prints, what it leaves, how it ends."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from rich.console import Console

from config.local.replay import main
from config.local.replay.play import Difference, PlayedRound
from config.local.replay.run import Outcome, show
from config.local.replay.season import DataMissing, Fate, NotPlayed, Season
from config.local.replay.show import difference_lines, round_table, ruling_lines, terminal_plot
from config.local.replay.staff import Ruled
from tests.support.schedules import nfl_row, write_csv

ROOT = Path(__file__).parents[2]


@pytest.fixture
def season(tmp_path) -> Path:
    """Two rounds of two games; four entries, of which one falls in each round and one is missing in the second."""
    games = [
        nfl_row("2024_01_KC_BUF", score=(20, 10)),
        nfl_row("2024_01_NE_MIA", score=(20, 10)),
        nfl_row("2024_02_BUF_NE", gameday="2024-09-15", score=(10, 20)),
        nfl_row("2024_02_MIA_KC", gameday="2024-09-15", score=(20, 10)),
    ]
    (tmp_path / "nfl").mkdir()
    contest = tmp_path / "circa" / "2024"
    contest.mkdir(parents=True)
    write_csv(tmp_path / "nfl" / "games.csv", games)
    rounds = [{"round": g["week"], "name": f"W{g['week']}", "game_id": g["game_id"]} for g in games]
    write_csv(contest / "rounds.csv", rounds)
    packed(contest / "picks.csv.gz", "entry,owner,round,team", "1-1,1,1,BUF", "1-1,1,2,KC", "1-2,1,1,KC", "2-1,2,1,MIA",
           "2-1,2,2,BUF", "3-1,3,1,BUF", "3-1,3,2,NOBODY")  # fmt: skip
    packed(contest / "expected_entries.csv.gz", "entry,status,eliminated_round,reason", "1-1,winner,,",
           "1-2,eliminated,1,pick_lost", "2-1,winner,,", "3-1,eliminated,2,no_pick")  # fmt: skip
    (contest / "alive_by_round.csv").write_text("round,name,alive_after\n1,W1,3\n2,W2,2\n")
    return tmp_path


def packed(path: Path, *lines: str) -> None:
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))


def run(folder: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """What the command said, and the name that its database had."""
    environment = {**os.environ, "OUTLAST_SHARED_DATA": str(folder), "OUTLAST_ENV": "test", "COLUMNS": "120"}
    command = [sys.executable, str(ROOT / "manage.py"), "replay", "2024"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(command, process.returncode, out, err), f"outlast_replay_{process.pid}"


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


def leave_behind() -> str:
    """A database as a killed run leaves it."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        name = f"{server.info.dbname}_replay_1"
        server.execute(f'DROP DATABASE IF EXISTS "{name}"')
        server.execute(f'CREATE DATABASE "{name}"')
    return name


@pytest.mark.slow
def test_a_season_as_published_ends_with_0_a_table_plots_and_no_database_left(db, season):
    picture = settings.OUTLAST_HOME / "reports" / "replay-2024.png"
    picture.unlink(missing_ok=True)
    left = leave_behind()

    ended, own = run(season)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "4 of 4 entries and 2 of 2 rounds as published" in ended.stdout
    assert "entries alive after each round" in ended.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert not databases() & {left, own}


@pytest.mark.slow
def test_an_entry_that_ends_otherwise_is_named_and_the_command_fails(db, season):
    packed(season / "circa" / "2024" / "expected_entries.csv.gz", "entry,status,eliminated_round,reason",
           "1-1,winner,,", "1-2,eliminated,1,pick_lost", "2-1,eliminated,2,pick_lost", "4-1,winner,,")  # fmt: skip

    ended, own = run(season)

    assert ended.returncode == 1
    said = " ".join(ended.stdout.split())
    assert "2-1: published eliminated in round 2, here winner; NOT EXCUSED" in said
    assert "3-1: published nothing, here eliminated in round 2; NOT EXCUSED" in said
    assert "4-1: published winner, here nothing; NOT EXCUSED" in said
    assert own not in databases()


def test_missing_data_is_told_with_the_files_and_the_variable(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("OUTLAST_SHARED_DATA", str(tmp_path))

    assert main(["2020"]) == 2

    said = capsys.readouterr().err
    assert "OUTLAST_SHARED_DATA" in said
    assert "picks.csv.gz" in said


def test_an_unknown_season_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["1999"])

    assert ended.value.code == 2
    assert "2020" in capsys.readouterr().err


def test_the_data_is_looked_for_beside_the_project_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("OUTLAST_SHARED_DATA", raising=False)
    monkeypatch.setattr(Path, "exists", lambda path: False)

    with pytest.raises(DataMissing, match=str(ROOT.parent / "shared" / "data" / "nfl" / "games.csv")):
        Season("2020")


# --- What is shown --------------------------------------------------------------------------------------------------


def played(number: int, after: int, published: int, **excused: int) -> PlayedRound:
    return PlayedRound(number, f"W{number}", 10, 0, 10 - after, after, published, excused)


def printed(*things) -> str:
    console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115  # lives as long as the console
    for thing in things:
        console.print(thing)
    return console.export_text()


def test_a_round_is_all_right_only_as_published_or_with_exactly_the_excused_shift():
    assert played(1, 5, 5).is_ok
    assert not played(1, 6, 5).is_ok
    assert played(1, 6, 5, odd=1).is_ok
    assert not played(1, 5, 5, odd=1).is_ok


def test_the_table_marks_what_differs_and_what_is_excused():
    text = printed(round_table("A season", [played(1, 6, 5), played(2, 4, 4), played(3, 3, 2, odd=1)]))

    assert [line.split()[-1] for line in text.splitlines() if " W" in line] == ["NO", "yes", "yes*"]
    assert "* but for entry odd" in text


def test_differences_are_told_in_words():
    excused = Difference("1-1", Fate("eliminated", 3), Fate("winner", None), "it rained")
    fault = Difference("1-2", None, Fate("active", None), "")

    text = printed(*difference_lines([excused, fault]))

    assert text.splitlines() == [
        "1-1: published eliminated in round 3, here winner; it rained",
        "1-2: published nothing, here active; NOT EXCUSED",
    ]


def test_rulings_are_told_with_both_names_and_what_they_did():
    decided = NotPlayed("2020_12_BAL_PIT", 12, "It was moved.")

    text = printed(*ruling_lines([Ruled(7, decided, 1, "Ada", "Ben")]))

    assert " ".join(text.split()) == (
        "ruling 7: 2020_12_BAL_PIT not played in round 12, which puts 1 out. It was moved. Proposed by Ada,"
        " confirmed by Ben."
    )


def test_the_terminal_plot_survives_that_nobody_is_left():
    assert "after round" in terminal_plot("A season", [played(1, 3, 3), played(2, 0, 0)]).plain


def test_an_outcome_with_any_fault_is_not_all_right(capsys):
    outcome = Outcome()
    outcome.rounds, outcome.entries = [played(1, 5, 5)], 10
    assert outcome.is_ok

    outcome.differences = [Difference("1-2", None, Fate("active", None), "")]
    assert not outcome.is_ok
    show(Console(), "test", outcome)
    assert "9 of 10 entries and 1 of 1 rounds as published" in capsys.readouterr().out
