"""An export is a row: what it is of, what came out, and the same bytes whenever it is made again."""

import hashlib
import json
from datetime import date

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, transaction

from accounts.models import User
from config.clock import database_now
from config.errors import DomainError
from payments.exports import storage, work
from payments.exports.asking import approve_export, cancel_export, request_check, try_again
from payments.exports.fetching import sweep_expired
from payments.exports.formats import FORMS
from payments.models import Export, ExportState, FileFormat
from payments.reports import REPORTS
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.payments import paid_entry
from tests.support.exporting import content, files_in, wish, written

pytestmark = pytest.mark.django_db


def refused(code, do, *arguments, **named):
    with pytest.raises(DomainError) as refusal:
        do(*arguments, **named)
    assert refusal.value.code == code
    return refusal.value


def test_the_row_says_everything_about_the_file(numbers, finance, folder):
    export = written(finance, options={"count": 4})

    raw = content(export)
    assert raw == (
        b"id,name,amount,amount_minor,currency\r\n1,name 1,1.00,100,usd\r\n2,name 2,2.00,200,usd\r\n"
        b"3,name 3,300,300,jpy\r\n4,name 4,4.00,400,usd\r\n"
    )
    assert (export.status, export.rows, export.rows_done, export.size) == ("done", 4, 4, len(raw))
    assert export.sha256 == hashlib.sha256(raw).hexdigest()
    assert export.totals == {"amount": {"jpy": 300, "usd": 700}}
    assert export.parameters == {"pool": None, "first_day": None, "last_day": None, "options": {"count": 4}}
    assert export.bounds["posting"] == 0
    assert export.as_of is not None
    assert export.schema_version == 1
    assert export.code_version
    assert 85 < (export.expires_at - export.finished_at).days <= 90
    assert [str(path.relative_to(folder)) for path in files_in(folder)] == [export.file_key]


@pytest.mark.parametrize("file_format", [each for each in FileFormat if each is not FileFormat.PDF])
def test_same_parameters_and_as_of_are_the_same_bytes(numbers, finance, file_format):
    first = written(finance, file_format=file_format, options={"count": 50})
    again = written(finance, file_format=file_format, options={"count": 50}, like=first)

    assert again.bounds == first.bounds
    assert again.sha256 == first.sha256
    assert content(again) == content(first)
    assert again.file_key != first.file_key


def test_a_check_makes_it_again_and_compares(numbers, finance, folder, changed):
    export = written(finance, options={"count": 50})
    request_check(export_id=export.pk, by=finance)
    work.write_next()
    check = Export.objects.latest("pk")
    assert (check.repeats_id, check.agrees, check.file_key, check.status) == (export.pk, True, "", "done")
    assert len(files_in(folder)) == 1

    changed(sql=numbers.sql.replace("'name '", "'other '"))
    request_check(export_id=export.pk, by=finance)
    work.write_next()
    assert Export.objects.latest("pk").agrees is False

    changed(version=2)
    refused("INVALID_TRANSITION", request_check, export_id=export.pk, by=finance)


def test_each_format_is_what_it_says(numbers, finance, changed):
    changed(sql=numbers.sql.replace("'name ' || i", "'=1+' || i"))
    raw = {each: content(written(finance, file_format=each)) for each in set(FileFormat) - {FileFormat.PDF}}

    assert raw["csv"].splitlines()[1] == b"1,'=1+1,1.00,100,usd"
    assert raw["csv-excel"] == b"\xef\xbb\xbf" + raw["csv"]
    assert raw["csv-raw"].splitlines()[1] == b"1,=1+1,1.00,100,usd"
    assert [json.loads(line) for line in raw["jsonl"].splitlines()][2] == {
        "id": "3", "name": "=1+3", "amount": "300", "amount_minor": 300, "currency": "jpy",
    }  # fmt: skip
    assert raw["xlsx"].startswith(b"PK")
    refused("VALIDATION_ERROR", wish, finance, file_format=FileFormat.PDF)


def test_what_names_people_is_marked_in_every_row(numbers, finance, changed, tmp_path):
    changed(is_personal=True)
    plain, book = (written(finance, file_format=each) for each in (FileFormat.CSV, FileFormat.XLSX))

    heading, *lines = content(plain).decode().splitlines()
    assert heading.endswith(",exported_for")
    assert {line.split(",", 5)[5].strip('"') for line in lines} == {plain.watermark}
    assert plain.watermark.startswith(f"Export {plain.ref} for Fay <fay@example.test>, 20")
    (tmp_path / "book.xlsx").write_bytes(content(book))
    opened = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert opened.properties.description == book.watermark
    assert book.watermark in opened.active.oddFooter.left.text
    assert opened.active["F2"].value == book.watermark
    assert (plain.expires_at - plain.finished_at).days == 14


def test_a_mark_is_no_formula_and_no_second_line(numbers, changed):
    from tests.factories.accounts import FinanceFactory

    changed(is_personal=True)
    export = written(FinanceFactory(display_name="x;=1+1\r\n=2"))
    assert content(export).count(b"\r\n") == 4
    assert b";=" not in content(export)


def test_who_may_not_export_people_does_not(numbers, changed):
    clerk = ModeratorFactory()
    refused("FORBIDDEN", wish, clerk)
    refused("FORBIDDEN", wish, UserFactory())
    clerk.user_permissions.add(Permission.objects.get(codename="export_reports"))
    clerk = User.objects.get(pk=clerk.pk)
    wish(clerk)
    changed(is_personal=True)
    refused("FORBIDDEN", wish, clerk)


def test_a_second_name_where_the_report_needs_one(numbers, changed, finance, colleague):
    changed(needs_approval=True)
    export = wish(finance)
    assert export.status == "waiting"
    assert not work.write_next()
    refused("SECOND_NAME_NEEDED", approve_export, export_id=export.pk, by=finance)
    approve_export(export_id=export.pk, by=colleague)
    refused("INVALID_TRANSITION", approve_export, export_id=export.pk, by=colleague)
    assert work.write_next()
    declined = wish(finance)
    cancel_export(export_id=declined.pk, by=colleague, reason="Not now.")
    assert not work.write_next()


def test_what_makes_no_sense_is_refused_by_name(numbers, finance, changed):
    for asked, field in [
        ({"kind": "nonsense"}, "kind"),
        ({"options": {"count": 0}}, "count"),
        ({"options": {"count": "1e3"}}, "count"),
        ({"options": {"count": True}}, "count"),
        ({"options": {"size": 1}}, "size"),
        ({"pool_id": 77}, "pool"),
        ({"first_day": date.min}, "first_day"),
        ({"last_day": date.max}, "last_day"),
    ]:
        assert list(refused("VALIDATION_ERROR", wish, finance, **asked).details) == [field]
    changed(has_pool=False)
    assert list(refused("VALIDATION_ERROR", wish, finance, pool_id=1).details) == ["pool"]
    live = written(finance, "pool_summary")
    assert list(refused("VALIDATION_ERROR", wish, finance, like=live).details) == ["as_of_export"]
    refused("INVALID_TRANSITION", request_check, export_id=live.pk, by=finance)


def test_one_person_cannot_fill_the_queue(numbers, finance, colleague, monkeypatch):
    monkeypatch.setattr("payments.exports.asking.MOST_WAITING", 2)
    done = written(colleague)
    wish(finance), wish(finance)
    refused("ALREADY_RUNNING", wish, finance)
    refused("ALREADY_RUNNING", request_check, export_id=done.pk, by=finance)
    wish(colleague)


def test_a_refusal_while_writing_fails_it_and_a_person_may_try_again(numbers, finance, changed, mailoutbox):
    export = wish(finance)
    changed(version=2)
    work.write_next()
    export.refresh_from_db()
    assert (export.status, export.error) == ("failed", "There is no report numbers of version 1 any more.")
    changed(version=1)
    try_again(export_id=export.pk, by=finance)
    work.write_next()
    export.refresh_from_db()
    assert (export.status, export.error) == ("done", "")
    refused("INVALID_TRANSITION", try_again, export_id=export.pk, by=finance)


def test_a_store_that_is_away_is_tried_three_times_and_nothing_is_left(numbers, finance, folder, monkeypatch):
    def away(key, file):
        raise OSError("no space left")

    monkeypatch.setattr(storage, "keep", away)
    export = wish(finance)
    for attempt in (1, 2, 3):
        assert work.write_next()
        export.refresh_from_db()
        assert export.attempts == attempt
    assert not work.write_next()
    assert (export.status, export.sha256, files_in(folder)) == ("failed", "", [])
    assert "no space left" in export.error


def test_what_a_failed_attempt_left_in_the_store_is_deleted(numbers, finance, folder, monkeypatch):
    keep = storage.keep

    def breaks_off(key, file):
        keep(key, file)
        raise OSError("connection reset")

    monkeypatch.setattr(storage, "keep", breaks_off)
    export = wish(finance)
    for _ in range(work.MAX_ATTEMPTS):
        assert work.write_next()
        assert len(files_in(folder)) == 1
    export.refresh_from_db()
    assert (export.status, export.file_key.rpartition("/")[2]) == ("failed", files_in(folder)[0].name)
    sweep_expired(now=database_now())
    export.refresh_from_db()
    assert (export.file_key, files_in(folder)) == ("", [])


def test_a_report_that_breaks_off_leaves_no_file(numbers, finance, folder, changed):
    changed(sql=numbers.sql.replace("i::text", "(100000 / (20000 - i))::text"))
    export = wish(finance, options={"count": 30_000})
    work.write_next()
    export.refresh_from_db()
    assert (export.status, export.attempts, files_in(folder)) == ("queued", 1, [])


def test_every_report_says_its_totals_and_comes_out_alike_twice(finance):
    """Of each kind and format, beside what their own tests say."""
    paid_entry()
    for kind, report in REPORTS.items():
        if report.needs_approval or report.permission or any(option.is_required for option in report.options):
            continue
        for file_format in (FileFormat.CSV, FileFormat.XLSX, FileFormat.JSONL):
            export = written(finance, kind, file_format)
            assert export.status == "done", (kind, export.error)
            assert set(export.totals) <= {column.name for column in report.columns}
            if export.as_of is not None:
                request_check(export_id=export.pk, by=finance)
                work.write_next()
                assert Export.objects.latest("pk").agrees, (kind, file_format)


def test_the_database_keeps_what_an_export_was(numbers, finance):
    export = written(finance)
    for change in ({"sha256": "0" * 64}, {"rows": 9}, {"report": "x"}, {"watermark": "x"}, {"bounds": {}}):
        with pytest.raises(DatabaseError, match="never changes"):
            with_savepoint(Export.objects.filter(pk=export.pk).update, **change)
    with pytest.raises(DatabaseError, match="cannot go from done to running"):
        with_savepoint(Export.objects.filter(pk=export.pk).update, status=ExportState.RUNNING)
    with pytest.raises(DatabaseError, match="DELETE"):
        with_savepoint(Export.objects.filter(pk=export.pk)._raw_delete, "default")


def with_savepoint(do, *arguments, **named):
    with transaction.atomic():
        do(*arguments, **named)


def test_forms_cover_every_format():
    assert set(FORMS) == set(FileFormat)
