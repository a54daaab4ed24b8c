import os
import subprocess
import sys

import pytest

from config.local import home
from config.local.commands.test import options, workers


def test_a_full_run_is_parallel():
    assert options([]) == ["-n", str(workers()), "--dist", "worksteal", "--durations=10"]


def test_with_coverage_a_run_has_the_floor():
    found = options(["--coverage"])

    assert found[:2] == ["-n", str(workers())]
    assert "--coverage" not in found
    assert "--cov-fail-under=90" in found
    assert "--cov-branch" in found


def test_a_partial_run_measures_no_coverage():
    found = options(["tests/pools", "-k", "capacity"])

    assert found[-3:] == ["tests/pools", "-k", "capacity"]
    assert not any(option.startswith("--cov") for option in found)


@pytest.mark.parametrize("argument", ["--pdb", "-n0", "-s", "--collect-only"])
def test_what_needs_a_single_process_gets_it(argument):
    assert options([argument]) == [argument]


def test_two_workers_are_the_least():
    assert workers() >= 2


@pytest.mark.slow
def test_the_exit_code_is_that_of_pytest(tmp_path):
    (tmp_path / "test_one.py").write_text(
        "import os, sys\n"
        "def test_fine(): assert os.environ['OUTLAST_ENV'] == 'test'\n"
        "def test_what_is_compiled_is_kept(): assert not sys.dont_write_bytecode\n"
        "def test_wrong(): assert 1 == 2\n"
    )

    said = subprocess.run(
        [sys.executable, "manage.py", "test", "-n0", str(tmp_path)],
        cwd=home.ROOT,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 1
    assert "1 failed, 2 passed" in said.stdout


def test_help_explains_partial_runs():
    said = subprocess.run(
        [sys.executable, "manage.py", "test", "--help"], cwd=home.ROOT, capture_output=True, text=True, check=True
    )

    assert "--coverage" in said.stdout
