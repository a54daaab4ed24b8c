import sys
from io import StringIO

import pytest

from config import env
from config.env.declared import VARIABLES
from config.local.commands import lengths, lint
from config.local.progress import Progress


def python(code):
    return [sys.executable, "-S", "-c", code]


FINE = lint.Check("fine", python("print('all well')"))
WRONG = lint.Check("wrong", python("print('a finding'); raise SystemExit(2)"))


def test_every_check_runs_and_each_is_shown_with_its_seconds():
    said = StringIO()

    verdicts = lint.run_all([WRONG, FINE], Progress(stream=said))

    assert {verdict.check.name: verdict.is_ok for verdict in verdicts} == {"wrong": False, "fine": True}
    assert sorted(line.split()[-1] for line in said.getvalue().splitlines()) == ["failed", "ok"]


def test_a_failed_check_shows_its_findings_and_fails_the_whole(capsys):
    assert lint.report(lint.run_all([FINE, WRONG], Progress(stream=StringIO()))) == 1

    said = capsys.readouterr().out
    assert "a finding" in said
    assert "all well" not in said
    assert "1 of 2 checks ok" in said


def test_all_well_is_a_success(capsys):
    assert lint.report(lint.run_all([FINE], Progress(stream=StringIO()))) == 0
    assert "1 of 1 checks ok" in capsys.readouterr().out


def test_a_long_check_is_named_while_it_runs(monkeypatch):
    monkeypatch.setattr(lint, "HEARTBEAT", 0.05)
    said = StringIO()

    lint.run_all([lint.Check("slow", python("import time; time.sleep(0.3)"))], Progress(stream=said))

    assert "waiting for slow" in said.getvalue()


def test_a_check_gets_its_own_environment():
    check = lint.Check(
        "own", python("import os; raise SystemExit(os.environ['WHERE'] != 'here')"), lambda: {"WHERE": "here"}
    )

    assert lint.judge(check).is_ok


def test_an_unknown_check_is_refused_by_name(capsys):
    with pytest.raises(SystemExit) as refusal:
        lint.main(["spelling"])

    assert refusal.value.code == 2
    assert "no such check: spelling" in capsys.readouterr().err


def test_the_named_checks_alone_are_run(capsys):
    assert lint.main(["imports"]) == 0

    said = capsys.readouterr().out
    assert "1 of 1 checks ok" in said
    assert "imports" in said


def test_the_throw_away_production_environment_is_complete_and_accepted():
    settings = env.read(lint.production_environment())

    assert settings.text("OUTLAST_ENV") == "production"


def test_a_developers_own_variables_do_not_reach_the_deployment_check():
    assert lint.production_environment().keys() >= {variable.name for variable in VARIABLES}


def test_files_that_are_too_long_are_named_with_their_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(lengths.home, "ROOT", tmp_path)
    for name, count in (("fine.py", 3), ("long.py", 4), ("data.csv", 9)):
        (tmp_path / name).write_text("line\n" * count)

    assert lengths.too_long(sorted(tmp_path.iterdir()), 3) == ["long.py has 4 lines; 3 are allowed"]


def test_without_git_every_file_outside_the_environment_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(lengths.home, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "library.py").touch()
    (tmp_path / "ours.py").touch()

    assert lengths.tracked_files() == [tmp_path / "ours.py"]


def test_with_git_its_own_list_counts():
    assert lengths.home.ROOT / "manage.py" in lengths.tracked_files()
