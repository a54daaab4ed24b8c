"""What operators ask on a command line: whether a slip is ours, and whether the tallies are right."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from entries.services.picks import save_pick
from entries.services.summaries import wrong_tallies
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db


def run(*args, **options) -> str:
    told = io.StringIO()
    call_command(*args, stdout=told, **options)
    return told.getvalue()


def test_a_slip_is_ours_or_not(tmp_path):
    entry = EntryFactory()
    slip = save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ANT"]).slip
    file = tmp_path / "slip.json"
    file.write_text(json.dumps(slip))
    assert run("check_slip", str(file)).startswith(f"Genuine. Entry {entry.pk}, round 1: ANT, saved at ")

    for text, refusal in (
        (json.dumps(slip | {"team": "BAT"}), "We did not sign this."),
        (json.dumps([slip]), "We did not sign this."),
        ("{", "This is no slip"),
    ):
        file.write_text(text)
        with pytest.raises(CommandError, match=refusal):
            run("check_slip", str(file))
    with pytest.raises(CommandError, match="This is no slip"):
        run("check_slip", str(tmp_path / "nothing.json"))


def test_tallies_are_compared_and_counted_anew():
    entry = EntryFactory()
    save_pick(entry_id=entry.pk, user=entry.user, round_number=1, teams=["ANT"])
    assert "entries_picktally: 0 sums differ" in run("tallies")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE entries_pick SET slot = slot + 1")
        cursor.execute("SET LOCAL session_replication_role = origin")

    with pytest.raises(CommandError, match="tallies --repair"):
        run("tallies")
    assert run("tallies", repair=True).endswith("Counted anew.\n")
    assert not any(wrong_tallies().values())
