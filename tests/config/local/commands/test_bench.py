"""The command: one line a bar, the exit code, and what it refuses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from config.local.benches.scale import Pair, Scale
from config.local.commands import bench

ROOT = Path(__file__).parents[4]


@pytest.fixture
def bars(monkeypatch):
    """An empty registry."""
    found = {}
    monkeypatch.setattr(bench, "_bars", found)
    return found


def bar(name, measured, limit=2.0):
    return bench.Bar(name, "how long it takes", "s", limit, lambda runs, scale: Pair(measured, 1.0))


def result(measured, limit=2.0):
    return bench.Result(bar("settle", measured, limit), Pair(measured, 1.0))


def test_a_bar_is_one_line_of_six_words():
    assert str(result(1.5)) == "settle 1.5s 1s 1.5 2 ok"


def test_a_ratio_above_the_bar_is_over_and_one_that_meets_it_is_not():
    assert str(result(2.01)) == "settle 2.01s 1s 2.01 2 over"
    assert result(2.0).is_ok


def test_each_bar_prints_its_line_in_the_order_asked_for(capsys):
    asked = [bar("settle", 1.5), bar("save", 2.5)]

    results = bench.run_bars(asked, None, Scale())

    assert [each.is_ok for each in results] == [True, False]
    assert capsys.readouterr().out.splitlines() == ["settle 1.5s 1s 1.5 2 ok", "save 2.5s 1s 2.5 2 over"]


def test_an_unknown_bar_is_refused_with_the_known_ones(bars, capsys):
    bench.register(bar("settle", 1.5))

    assert bench.main(["setle"]) == 2
    assert capsys.readouterr().err == "No such bar: setle. Bars: settle: how long it takes.\n"


def test_two_bars_of_one_name_are_refused(bars):
    bench.register(bar("settle", 1.5))

    with pytest.raises(ValueError, match="two bars are named settle"):
        bench.register(bar("settle", 2.5))


@pytest.mark.parametrize(("number", "size"), [(1_000_000, 1000), (2_000, 2), (10, 1)])
def test_a_scale_makes_everything_smaller_but_never_nothing(number, size):
    assert Scale(0.001)(number) == size


def test_a_small_scale_keeps_entries_enough_for_some_to_fall():
    assert Scale(0.0001).entries(1_000_000) == Scale(0.0001).entries(10_000) == 100


def run(*arguments):
    """What the command said, how it ended, and the name that its databases began with."""
    environment = {**os.environ, "OUTLAST_ENV": "test"}
    command = [sys.executable, str(ROOT / "manage.py"), "bench", *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said, complaints = process.communicate(timeout=400)
    return process.returncode, said, complaints, f"_bench_{process.pid}"


@pytest.mark.slow
def test_a_small_run_says_how_it_ended_and_leaves_no_database(db):
    code, said, complaints, name = run("settlement", "settlement-memory", "--scale", "0.0003")

    lines = [line.split() for line in said.splitlines()]
    assert [(line[0], line[4]) for line in lines] == [("settlement", "1.25"), ("settlement-memory", "1.1")], complaints
    assert {line[5] for line in lines} <= {"ok", "over"}
    assert code == int(any(line[5] == "over" for line in lines))
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"%{name}%"])
        assert cursor.fetchall() == []
