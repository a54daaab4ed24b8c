"""Reports over HTTP: what finance asks for, sees and fetches; what others are refused."""

import hashlib
from base64 import b64encode

import pytest

from config.clock import database_now
from payments.exports import work
from payments.exports.schedules import delete_schedule
from payments.models import Export, ExportDownload
from payments.reports import REPORTS
from tests.support.calls import call, respond
from tests.support.exporting import content, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(api, finance):
    return api(finance)


def asked(client, **body):
    return call(client, "POST", "/exports", {"report": "numbers", **body})


def test_every_report_is_listed_with_what_it_can_be_asked(caller, numbers):
    status, found = call(caller, "GET", "/reports")
    assert status == 200
    assert {one["kind"] for one in found} == set(REPORTS)
    mine = next(one for one in found if one["kind"] == "numbers")
    assert mine["formats"] == ["csv", "csv-excel", "csv-raw", "xlsx", "jsonl"]
    assert mine["options"] == [
        {"name": "count", "title": "How many", "asks": "number", "explained": "", "choices": {}, "usual": "3",
         "is_required": False}
    ]  # fmt: skip
    assert [column["name"] for column in mine["columns"]] == ["id", "name", "amount", "amount_minor", "currency"]


def test_one_is_asked_for_and_fetched(caller, numbers, finance):
    answer = respond(caller, "POST", "/exports", {"report": "numbers", "options": {"count": 5.0}})
    told = answer.json()["data"]
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/exports/{told['id']}")
    assert (told["status"], told["format"], told["rows"], told["requested_by"]) == ("queued", "csv", None, finance.pk)
    path = f"/exports/{told['id']}"
    assert call(caller, "GET", f"{path}/file") == (409, "INVALID_TRANSITION")
    assert work.write_next()

    status, told = call(caller, "GET", path)
    assert (status, told["status"], told["rows"]) == (200, "done", 5)
    assert told["totals"] == {"amount": {"jpy": 300, "usd": 1200}}
    assert told["as_of_posting"] == 0
    file = respond(caller, "GET", f"{path}/file")
    digest = hashlib.sha256(file.content)
    assert told["sha256"] == digest.hexdigest()
    assert file.headers["Repr-Digest"] == f"sha-256=:{b64encode(digest.digest()).decode()}:"
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert file.headers["Content-Disposition"] == f'attachment; filename="numbers-export-{told["id"]}.csv"'
    assert "no-store" in file.headers["Cache-Control"]
    assert ExportDownload.objects.get().way == "api"


def test_a_link_needs_no_sign_in_once(caller, api, numbers, finance):
    export = written(finance)
    status, link = call(caller, "POST", f"/exports/{export.pk}/link")
    assert status == 201
    path, _, token = link["path"].removeprefix("/api/v1").partition("?token=")
    anonymous = api()
    assert respond(anonymous, "GET", path, token=token).content == content(export)
    assert call(anonymous, "GET", path, token=token) == (410, "LINK_EXPIRED")
    assert call(anonymous, "GET", path, token="x") == (404, "NOT_FOUND")
    assert call(anonymous, "GET", path) == (401, "NOT_AUTHENTICATED")


def test_others_are_refused(api, numbers, finance, moderator, player):
    export = written(finance)
    for who, status in [(moderator, 403), (player, 403), (None, 401)]:
        client = api(who) if who else api()
        for method, path in [
            ("GET", "/reports"), ("GET", "/exports"), ("GET", f"/exports/{export.pk}"), ("POST", "/exports"),
            ("POST", f"/exports/{export.pk}/link"), ("GET", f"/exports/{export.pk}/file"), ("GET", "/export-schedules"),
            ("POST", "/export-schedules"), ("GET", "/periods"), ("POST", "/periods"),
        ]:  # fmt: skip
            assert call(client, method, path, {} if method == "POST" else None)[0] == status, (who, path)
    assert not ExportDownload.objects.exists()


def test_what_makes_no_sense_is_refused_by_name(caller, numbers):
    def field(**body):
        answer = respond(caller, "POST", "/exports", {"report": "numbers", **body})
        assert answer.status_code == 400, answer.content
        return list(answer.json()["error"]["details"])

    assert field(report="nonsense") == ["report"]
    assert field(format="doc") == ["format"]
    assert field(format="pdf") == ["format"]
    assert field(first_day="2026-02-01", last_day="2026-01-01") == ["last_day"]
    assert field(pool=77) == ["pool"]
    assert field(options={"count": "5"}) == ["options.count"]
    assert field(options={"count": ""}) == ["options.count"]
    assert field(options={"count": 10**9}) == ["count"]
    assert field(options={"count": [1]}) == ["count"]
    assert field(options={"other": 1}) == ["other"]
    assert field(options=[]) == ["options"]
    assert asked(caller, as_of_export=77) == (404, "NOT_FOUND")
    assert call(caller, "GET", "/exports/77/file") == (404, "NOT_FOUND")
    assert call(caller, "POST", "/exports/77/check") == (404, "NOT_FOUND")


def test_it_is_as_of_another_export_and_made_again(caller, numbers, finance):
    first = written(finance)
    _, told = asked(caller, as_of_export=first.pk)
    assert told["as_of_posting"] == 0
    status, check = call(caller, "POST", f"/exports/{first.pk}/check")
    assert (status, check["origin"], check["repeats"], check["agrees"]) == (201, "check", first.pk, None)
    work.write_waiting()
    assert call(caller, "GET", f"/exports/{check['id']}")[1]["agrees"] is True
    assert call(caller, "GET", f"/exports/{told['id']}")[1]["sha256"] == first.sha256
    assert call(caller, "GET", f"/exports/{check['id']}/file") == (409, "INVALID_TRANSITION")
    ids = [row["id"] for row in call(caller, "GET", "/exports", origin="check")[1]]
    assert ids == [check["id"]]


def test_a_second_name_over_http(api, numbers, changed, finance, colleague):
    changed(needs_approval=True)
    _, told = asked(api(finance))
    path = f"/exports/{told['id']}"
    assert told["status"] == "waiting"
    assert call(api(finance), "POST", f"{path}/approve") == (409, "SECOND_NAME_NEEDED")
    assert call(api(colleague), "POST", f"{path}/approve")[1]["status"] == "queued"
    assert call(api(colleague), "POST", f"{path}/cancel", {"reason": "No."})[1]["status"] == "cancelled"
    assert call(api(colleague), "POST", f"{path}/retry") == (409, "INVALID_TRANSITION")


def test_the_same_key_asks_once(caller, numbers):
    for _ in range(2):
        caller.post("/api/v1/exports", {"report": "numbers"}, headers={"Idempotency-Key": "once"})
    assert Export.objects.count() == 1


def test_schedules_over_http(caller, numbers, finance):
    body = {
        "name": "Each month",
        "report": "numbers",
        "every": "month",
        "recipients": [finance.pk],
        "first": "2026-01-15",
    }
    status, told = call(caller, "POST", "/export-schedules", body)
    assert (status, told["next_first"], told["recipients"], told["status"]) == (
        201,
        "2026-01-01",
        [finance.pk],
        "active",
    )
    path = f"/export-schedules/{told['id']}"
    stopped = call(caller, "POST", f"{path}/stop")[1]
    assert (stopped["status"], stopped["due_at"]) == ("stopped", None)
    assert call(caller, "POST", f"{path}/stop") == (409, "INVALID_TRANSITION")
    assert call(caller, "POST", f"{path}/start")[1]["status"] == "active"
    assert [row["id"] for row in call(caller, "GET", "/export-schedules", status="active")[1]] == [told["id"]]
    delete_schedule(schedule_id=told["id"], by=finance)
    listed = [call(caller, "GET", "/export-schedules", **asked)[1] for asked in ({}, {"status": "deleted"})]
    assert [[row["id"] for row in rows] for rows in listed] == [[], [told["id"]]]
    assert call(caller, "GET", path)[0] == 200
    for wrong in ({"hour": 24}, {"every": "year"}, {"recipients": [finance.pk + 1]}, {"report": "nonsense"}):
        assert call(caller, "POST", "/export-schedules", {**body, **wrong})[0] == 400


@pytest.mark.django_db(transaction=True)
def test_periods_over_http(api, finance, colleague):
    status, told = call(api(finance), "POST", "/periods", {"first_day": "2026-01-01"})
    assert (status, told["status"], told["last_day"]) == (201, "proposed", "2026-01-31")
    path = f"/periods/{told['id']}"
    assert call(api(finance), "POST", f"{path}/close") == (409, "SECOND_NAME_NEEDED")
    closed = call(api(colleague), "POST", f"{path}/close")[1]
    assert (closed["status"], len(closed["digest"]), closed["closed_by"]) == ("closed", 64, colleague.pk)
    assert call(api(finance), "POST", f"{path}/withdraw", {"reason": "x"}) == (409, "INVALID_TRANSITION")
    assert call(api(finance), "POST", "/periods", {"first_day": "2026-01-01"}) == (409, "PERIOD_CLOSED")
    this_month = f"{database_now():%Y-%m}-01"
    assert call(api(finance), "POST", "/periods", {"first_day": this_month}) == (409, "PERIOD_CLOSED")
    assert [row["id"] for row in call(api(finance), "GET", "/periods")[1]] == [told["id"]]
    assert call(api(finance), "GET", path)[0] == 200
