"""`manage.py import_entries`: finding the pool, telling what was refused, and failing clearly."""

import csv
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from entries.models import Entry, Pick, Request
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.pools import PoolFactory

LINES = ("entry,owner,round,team", "7-1,Ada,1,ANT", "7-1,Ada,2,NOBODY", "8-1,=1+1,1,BAT", "8-1,=1+1,2,BAT")


@pytest.fixture
def pool(db):
    return PoolFactory(name="The moving pool")


@pytest.fixture
def file(tmp_path) -> Path:
    return written(tmp_path / "picks.csv", *LINES)


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def bring(capsys, settings, tmp_path):
    settings.OUTLAST_HOME = tmp_path / "home"

    def run(pool, file, **options) -> str:
        call_command("import_entries", str(pool), str(file), **options)
        return capsys.readouterr().out

    return run


def test_it_tells_what_landed_and_every_refused_line(bring, pool, file):
    said = bring(pool.pk, file)

    assert said.splitlines()[:2] == ["line 3: unknown team NOBODY", "line 5: BAT is used already by this entry"]
    counts = r"2 entries of 2 new players, 2 picks imported, 0 there already, 2 refused, in \d+\.\d s\."
    assert re.search(rf"^The moving pool \(pool {pool.pk}\): {counts}$", said, re.MULTILINE)
    assert Pick.objects.count() == 2


def test_the_report_lists_refused_lines_harmlessly_in_the_home(bring, pool, file, settings):
    said = bring(pool.pk, file)

    report = settings.OUTLAST_HOME / "reports" / "picks.csv.refused.csv"
    assert said.splitlines()[-1] == f"Refused lines: {report}"
    with report.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert rows == [
        {"line": "3", "entry": "7-1", "owner": "Ada", "round": "2", "team": "NOBODY", "reason": "unknown team NOBODY"},
        {"line": "5", "entry": "8-1", "owner": "'=1+1", "round": "2", "team": "BAT",
         "reason": "BAT is used already by this entry"},
    ]  # fmt: skip


def test_the_report_goes_where_it_is_wanted_and_never_beside_the_file(bring, pool, file, tmp_path):
    bring(pool.pk, file, report=tmp_path / "elsewhere" / "refused.csv")

    assert (tmp_path / "elsewhere" / "refused.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "picks.csv"]


def test_a_clean_import_leaves_an_empty_report_in_place_of_an_older_one(bring, pool, file, settings):
    bring(pool.pk, file)
    written(file, *LINES[:2])

    said = bring(pool.pk, file)

    assert "Refused lines" not in said
    report = settings.OUTLAST_HOME / "reports" / "picks.csv.refused.csv"
    assert report.read_text().splitlines() == ["line,entry,owner,round,team,reason"]


def test_many_refusals_are_told_by_their_reasons(bring, pool, file):
    written(file, LINES[0], *[f"{n},Ada,1,NOBODY" for n in range(14)])

    said = bring(pool.pk, file).splitlines()

    assert said[9:12] == ["line 11: unknown team NOBODY", "… and 4 more:", "  14 times: unknown team NOBODY"]


def test_a_pool_is_found_by_its_name(bring, pool, file):
    bring("The moving pool", file)

    assert Entry.objects.filter(pool=pool).count() == 2


def test_an_id_goes_before_a_name_of_digits(bring, pool, file):
    PoolFactory(name=str(pool.pk))

    bring(pool.pk, file)

    assert Entry.objects.filter(pool=pool).count() == 2


def test_a_name_that_several_pools_have_is_refused_with_their_ids(bring, pool, file):
    twin = PoolFactory(name=pool.name)

    with pytest.raises(CommandError, match=f"give an id: {pool.pk}, {twin.pk}"):
        bring(pool.name, file)


@pytest.mark.parametrize("name", ["No such pool", "999999999999999999", "9" * 40])
def test_a_pool_that_is_not_there_is_refused(bring, db, file, name):
    with pytest.raises(CommandError, match="no pool with the id or name"):
        bring(name, file)


def test_a_member_of_staff_answers_for_the_waived_fees(bring, pool, file):
    moderator = ModeratorFactory()

    bring(pool.pk, file, by=moderator.email.upper())

    assert set(Request.objects.values_list("waived_by", flat=True)) == {moderator.pk}


@pytest.mark.parametrize("email", ["nobody@example.test", "player@example.test"])
def test_nobody_else_can_waive_fees(bring, pool, file, email):
    UserFactory(email="player@example.test")

    with pytest.raises(CommandError, match="not a member of staff"):
        bring(pool.pk, file, by=email)


def test_a_file_that_cannot_be_read_is_refused(bring, pool, tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        bring(pool.pk, tmp_path / "missing.csv")
    with pytest.raises(CommandError, match="must name the columns"):
        bring(pool.pk, written(tmp_path / "other.csv", "a,b,c"))
