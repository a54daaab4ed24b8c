"""The queue over HTTP: who may read it, how it is narrowed, and what a caller may do to a row."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from payments.models import Discrepancy, DiscrepancyKind, WriteOff
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import unapplied_money
from tests.support.charging import balances
from tests.support.payments import code_of
from tests.support.queue import moved, raised

pytestmark = pytest.mark.django_db
ALL = "/api/v1/discrepancies"


@pytest.fixture
def colleague():
    return FinanceFactory()


def post(client, row, act, **body):
    return client.post(f"{ALL}/{row.pk}/{act}", body, format="json")


def ids(answer):
    return [row["id"] for row in answer.json()["data"]]


def test_only_finance_and_admin_see_it(api, player, moderator, finance, admin_user):
    row = raised()

    assert [api(user).get(ALL).status_code for user in (player, moderator, finance, admin_user)] == [403, 403, 200, 200]
    assert api().get(f"{ALL}/{row.pk}").status_code == 401
    for act in ("acknowledge", "resolve", "resync", "write-off", "mark-foreign", "allocate", "refund", "give"):
        assert post(api(moderator), row, act, reason="x", resolution="x", owner=1).status_code == 403


def test_a_row_tells_both_sides_its_age_and_what_may_be_done(api, finance):
    row = raised(
        DiscrepancyKind.UNKNOWN_MOVEMENT, "movement:stripe:txn_x", ours={}, theirs={"amount_cents": 5}, amount_cents=5,
        currency="usd",
    )  # fmt: skip

    told = api(finance).get(f"{ALL}/{row.pk}").json()["data"]

    assert (told["ours"], told["theirs"], told["amount_cents"]) == ({}, {"amount_cents": 5}, 5)
    assert (told["age"], told["is_urgent"], told["owner"]) == ("under_1_day", False, None)
    assert told["actions"] == ["resync", "mark_foreign", "write_off", "acknowledge", "resolve"]


def test_the_list_is_narrowed(api, finance, colleague):
    old = Discrepancy.objects.create(
        kind=DiscrepancyKind.EXTERNAL_REFUND, object_key="refund:1", sentence="Old.", suggestion="Look.",
        opened_at=database_now() - timedelta(days=8),
    )  # fmt: skip
    urgent = raised(DiscrepancyKind.BOOKS_BROKEN, "books:pots")
    post(api(finance), urgent, "acknowledge")
    closed = raised(key="refund:2")
    post(api(finance), closed, "resolve", resolution="done")
    client = api(finance)

    wanted = {
        "status=acknowledged": [urgent], "is_open=true": [urgent, old], "is_open=false": [closed],
        "kind=books_broken": [urgent], "urgent=false": [closed, old], f"owner={finance.pk}": [urgent],
        f"owner={colleague.pk}": [], "age=over_7_days": [old], "age=under_1_day&is_open=true": [urgent],
        "object_key=refund:2": [closed],
    }  # fmt: skip
    for query, rows in wanted.items():
        assert ids(client.get(f"{ALL}?{query}")) == [row.pk for row in rows], query
    for query in ("status=zz", "age=zz", "kind=zz", "owner=x", f"owner={10**19}"):
        assert code_of(client.get(f"{ALL}?{query}")) == (400, "VALIDATION_ERROR")


def test_a_page_of_many_asks_as_much_as_a_page_of_one(api, finance):
    client = api(finance)
    raised()
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(ALL)
    for number in range(10):
        raised(key=f"refund:{number}00")
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(ALL).json()["data"]) == 11
    assert len(many) == len(one)


def test_looking_after_giving_and_resolving(api, finance, colleague, moderator):
    row = raised()

    assert post(api(finance), row, "acknowledge").json()["data"]["owner"] == finance.pk
    assert code_of(post(api(colleague), row, "acknowledge")) == (409, "VERSION_CONFLICT")
    assert code_of(post(api(finance), row, "give", owner=moderator.pk)) == (400, "VALIDATION_ERROR")
    assert code_of(post(api(finance), row, "give", owner=10**9)) == (400, "VALIDATION_ERROR")
    assert post(api(finance), row, "give", owner=colleague.pk).json()["data"]["owner"] == colleague.pk
    assert code_of(post(api(finance), row, "resolve", resolution="")) == (400, "VALIDATION_ERROR")
    told = post(api(finance), row, "resolve", resolution="talked to the player").json()["data"]
    assert (told["status"], told["resolution"], told["closed_by"], told["actions"]) == (
        "resolved", "talked to the player", finance.pk, [],
    )  # fmt: skip
    bodies = {"acknowledge": {}, "resolve": {"resolution": "x"}, "resync": {}, "write-off": {"reason": "x"}}
    for act, body in bodies.items():
        assert code_of(post(api(finance), row, act, **body)) == (409, "INVALID_TRANSITION")
    assert api(finance).post(f"{ALL}/4711/resolve", {"resolution": "x"}, format="json").status_code == 404


def test_a_write_off_goes_through_two_callers(api, finance, colleague):
    row = moved()

    answer = post(api(finance), row, "write-off", reason="Nobody knows.")
    wish = answer.json()["data"]
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/write-offs/{wish['id']}")
    assert (wish["amount_cents"], wish["account_kind"], wish["journal_entry"]) == (1234, "suspense", None)
    address = f"/api/v1/write-offs/{wish['id']}"
    assert code_of(api(finance).post(f"{address}/approve")) == (409, "SECOND_NAME_NEEDED")
    assert code_of(post(api(colleague), row, "write-off", reason="Me too.")) == (409, "VERSION_CONFLICT")
    told = api(colleague).post(f"{address}/approve").json()["data"]
    assert (told["status"], told["decided_by"]) == ("approved", colleague.pk)
    assert told["journal_entry"] == WriteOff.objects.get().entry_id
    assert code_of(api(colleague).post(f"{address}/decline", {"reason": "x"}, format="json")) == (
        409, "INVALID_TRANSITION",
    )  # fmt: skip
    assert ids(api(finance).get("/api/v1/write-offs?status=approved")) == [wish["id"]]
    assert ids(api(finance).get("/api/v1/write-offs?status=requested")) == []
    assert balances() == {"clearing": -1234, "write_offs": 1234}


def test_too_much_is_refused_with_the_limit(api, finance, settings):
    settings.WRITE_OFF_AT_MOST = 100
    answer = post(api(finance), moved(), "write-off", reason="Nobody knows.")

    assert code_of(answer) == (409, "WRITE_OFF_TOO_LARGE")
    assert answer.json()["error"]["details"] == {"limit_cents": 100, "amount_cents": 1234, "currency": "usd"}


def test_not_ours_and_ours_after_all(api, finance, moderator):
    row = moved(500)

    assert post(api(finance), row, "mark-foreign", reason="The shop's.").json()["data"]["status"] == "resolved"
    [mark] = api(finance).get("/api/v1/foreign-objects?status=foreign").json()["data"]
    assert (mark["object_key"], mark["amount_cents"]) == (row.object_key, -500)
    address = f"/api/v1/foreign-objects/{mark['id']}/ours"
    assert api(moderator).post(address, {"reason": "x"}, format="json").status_code == 403
    assert api(finance).post(address, {"reason": "Ours."}, format="json").json()["data"]["status"] == "ours"
    assert code_of(api(finance).post(address, {"reason": "Ours."}, format="json")) == (409, "INVALID_TRANSITION")


def test_money_that_waits_is_given_a_place_or_given_back(api, finance):
    first, second = unapplied_money(), unapplied_money()
    rows = [raised(DiscrepancyKind.HELD_MONEY, f"receipt:{receipt.pk}") for receipt in (first, second)]

    assert post(api(finance), rows[0], "allocate", reason="back").json()["data"]["status"] == "resolved"
    assert post(api(finance), rows[1], "refund", reason="asked").json()["data"]["status"] == "resolved"
    assert code_of(post(api(finance), raised(), "allocate", reason="x")) == (409, "INVALID_TRANSITION")


def test_the_same_key_acts_once(api, finance):
    row = moved()
    answers = [
        api(finance).post(
            f"{ALL}/{row.pk}/write-off", {"reason": "x"}, format="json", headers={"Idempotency-Key": "once"}
        )
        for _ in range(2)
    ]

    assert answers[0].content == answers[1].content
    assert WriteOff.objects.count() == 1
