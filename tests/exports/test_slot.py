"""Several workers, and workers that die: one slot, no half file, the same file in the end."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from config.clock import database_now
from config.errors import Gone
from payments.exports import storage, work
from payments.exports.fetching import fetch_by_link, make_link
from payments.exports.rows import Tally
from payments.models import Export, ExportDownload, ExportState, FileFormat
from tests.support.children import Child
from tests.support.exporting import content, files_in, wish, written
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_write_each_export_once(numbers, finance, folder):
    exports = [wish(finance, options={"count": 20_000}) for _ in range(4)]
    outcomes = run_together([lambda: [work.write_next() for _ in range(4)]] * 2)
    while work.write_next():
        pass
    assert all(outcome.worked for outcome in outcomes), outcomes
    assert {(row.status, row.attempts) for row in Export.objects.all()} == {("done", 1)}
    assert len(files_in(folder)) == len(exports)


def test_the_slot_is_the_databases(numbers, finance):
    first, second = wish(finance), wish(finance)
    Export.objects.filter(pk=first.pk).update(status=ExportState.RUNNING, touched_at=database_now())
    assert not work.write_next()
    with pytest.raises(DatabaseError, match="export_one_slot"), transaction.atomic():
        Export.objects.filter(pk=second.pk).update(status=ExportState.RUNNING)


def test_a_silent_worker_loses_its_export_and_its_file(numbers, finance, folder, monkeypatch):
    """It wakes up after another has written it: its own file is thrown away."""
    export = wish(finance)
    keep, attempts = storage.keep, []

    def falls_asleep(key, file):
        keep(key, file)
        attempts.append(key)
        if len(attempts) == 1:
            Export.objects.filter(pk=export.pk).update(touched_at=database_now() - timedelta(minutes=2))
            assert work.write_next()

    monkeypatch.setattr(storage, "keep", falls_asleep)
    assert work.write_next()
    export.refresh_from_db()
    assert (export.status, export.attempts, export.file_key) == ("done", 2, attempts[1])
    assert [path.name for path in files_in(folder)] == [attempts[1].rpartition("/")[2]]


def test_a_worker_says_that_it_is_alive_and_how_far(numbers, finance, monkeypatch):
    monkeypatch.setattr(work, "BEAT_SECONDS", 0.02)
    export = wish(finance)
    claimed = work._claim()
    tally = Tally(numbers)
    before = Export.objects.get(pk=export.pk).touched_at
    with work.Heart(claimed, tally):
        tally.rows = 4321
        deadline = time.monotonic() + 10
        while Export.objects.get(pk=export.pk).rows_done != 4321 and time.monotonic() < deadline:
            time.sleep(0.02)
    found = Export.objects.get(pk=export.pk)
    assert (found.rows_done, found.touched_at > before) == (4321, True)
    assert not [one for one in threading.enumerate() if "heart" in one.name]


def test_a_link_that_two_open_at_once_opens_for_one(numbers, finance):
    export = written(finance)
    token = make_link(export_id=export.pk, by=finance).path.partition("token=")[2]

    def opens():
        fetch_by_link(export_id=export.pk, token=token, address=None).file.close()

    outcomes = run_together([opens] * 4)
    assert sorted(outcome.worked for outcome in outcomes) == [False, False, False, True]
    assert all(isinstance(outcome.error, Gone) for outcome in outcomes if not outcome.worked)
    assert ExportDownload.objects.count() == 1


def test_rows_that_come_while_it_is_written_are_not_in_it(numbers, finance, changed):
    """As of a posting: what is committed later is in none of its files, however often they are made."""
    from tests.support.ledger import posted

    changed(
        sql="SELECT p.id::text, 'x', (p.amount / 100.0)::numeric(20, 2), p.amount, p.currency_id"
        " FROM payments_posting p WHERE p.id <= %(as_of_posting)s AND %(count)s > 0 ORDER BY p.id"
    )
    posted()
    first = written(finance)
    posted()
    again = written(finance, like=first)
    now = written(finance)
    assert (first.rows, again.sha256 == first.sha256, now.rows) == (2, True, 4)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", [FileFormat.CSV, FileFormat.XLSX])
def test_killed_at_any_moment_it_is_written_anew(numbers, finance, folder, settings, file_format):
    """A worker process is killed ten times, each time later; then one is let be."""
    export = wish(finance, file_format=file_format, options={"count": 60_000})
    program = f"""
from django.conf import settings
from payments.exports import work
from payments.reports import REPORTS
from tests.exports.conftest import NUMBERS
from tests.support.exporting import store_in
store_in(settings, {str(folder)!r})
REPORTS["numbers"] = NUMBERS
work.write_next()
"""
    for number in range(10):
        before = export.attempts
        with Child(program, settings) as worker:
            while not worker.has_ended and export.attempts == before:
                time.sleep(0.01)
                export.refresh_from_db()
            time.sleep(number * 0.05)
        export.refresh_from_db()
        if export.status == "done":
            break
        # As if its lease were over; and as if it were not the third time.
        with connection.cursor() as cursor:
            cursor.execute("UPDATE payments_export SET touched_at = touched_at - interval '2 minutes', attempts = 1")
        export.refresh_from_db()
    while export.status in ("queued", "running"):
        work.write_next()
        export.refresh_from_db()
    assert (export.status, export.rows) == ("done", 60_000), export.error
    assert len(content(export)) == export.size
    assert written(finance, file_format=file_format, options={"count": 60_000}, like=export).sha256 == export.sha256
    # Nobody is left who could have left another.
    assert len(files_in(folder)) == 2
