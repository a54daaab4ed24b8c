"""Banks over the API, for finance."""

import base64

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from payments.models import BankLine, BankStatement
from tests.payments.bank.test_matching import line, sent
from tests.support.bank import csv_of
from tests.support.charging import balance
from tests.support.payments import code_of

pytestmark = pytest.mark.django_db

FILE = csv_of(("2026-11-02", "Rent", -10000, 40000), ("2026-11-03", "STRIPE", 4825, 44825))


@pytest.fixture
def call(api, finance):
    return api(finance)


def upload(call, content=FILE, **given):
    body = {"file": SimpleUploadedFile("november.csv", content), **given}
    return call.post("/api/v1/bank-statements", body, format="multipart")


def test_a_file_is_taken_in_and_read(call, bank):
    answer = upload(call, account=bank.pk)

    data = answer.json()["data"]
    assert (answer.status_code, data["new_lines"], data["matched_lines"]) == (201, 2, 0)
    statement = BankStatement.objects.get()
    assert answer["Location"] == f"/api/v1/bank-statements/{statement.pk}"
    shown = call.get(answer["Location"]).json()["data"]
    assert shown == data["statements"][0]
    assert (shown["opening_cents"], shown["closing_cents"], shown["waiting_count"]) == (50000, 44825, 2)
    assert [one["id"] for one in call.get("/api/v1/bank-statements").json()["data"]] == [statement.pk]
    assert call.get("/api/v1/bank-statements?account=999").json()["data"] == []


def test_a_program_sends_it_in_base64(call, bank):
    body = {"account": bank.pk, "name": "november.csv", "content_base64": base64.b64encode(FILE).decode()}

    assert call.post("/api/v1/bank-statements", body).status_code == 201
    assert code_of(call.post("/api/v1/bank-statements", body)) == (409, "ALREADY_IMPORTED")
    for text in ("!", "ü"):
        broken = call.post("/api/v1/bank-statements", {**body, "content_base64": text})
        assert (broken.status_code, list(broken.json()["error"]["details"])) == (400, ["content_base64"])


@pytest.mark.parametrize(
    ("content", "given", "field"),
    [
        (b"", {}, "file"),
        (b"x", {}, "file"),
        (FILE, {"account": ""}, "account"),
        (FILE, {"opening_cents": "x"}, "opening_cents"),
    ],
)
def test_what_is_wrong_with_a_file(call, bank, content, given, field):
    answer = upload(call, content, **{"account": bank.pk, **given})

    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


def test_lines_are_found_said_and_taken_back(call, take):
    payout, found = sent(cents=5000), line(take)
    (shown,) = call.get("/api/v1/bank-lines?status=waiting").json()["data"]
    assert (shown["id"], shown["amount_cents"], shown["matches"]) == (found.pk, 4825, [])
    address = f"/api/v1/bank-lines/{found.pk}"

    for name in ("provider_payouts", "manual_records"):
        none = call.post(f"{address}/match", {name: [10**9], "reason": "x"})
        assert (code_of(none), list(none.json()["error"]["details"])) == ((400, "VALIDATION_ERROR"), [name])
    wrong = call.post(f"{address}/match", {"provider_payouts": [payout.pk], "reason": "x"})
    right = call.post(f"{address}/match", {"provider_payouts": [payout.pk], "rest": "bank_fee", "reason": "less a fee"})
    again = call.post(f"{address}/match", {"rest": "not_ours", "reason": "x"})

    assert (code_of(wrong), code_of(again)) == ((409, "INVALID_TRANSITION"), (409, "INVALID_TRANSITION"))
    matches = right.json()["data"]["matches"]
    assert [(one["kind"], one["amount_cents"], one["provider_payout"]) for one in matches] == [
        ("payout", 5000, payout.pk), ("bank_fee", -175, None),
    ]  # fmt: skip
    (row,) = call.get("/api/v1/provider-payouts?is_in_bank=true").json()["data"]
    assert (row["reference"], row["amount_cents"], row["is_in_bank"], row["item_count"]) == ("po_1", 5000, True, 0)
    undone = call.post(f"{address}/undo", {"reason": "no"}).json()["data"]
    assert (undone["status"], undone["matches"]) == ("waiting", [])
    assert call.get("/api/v1/provider-payouts?is_in_bank=true").json()["data"] == []
    assert balance("bank_in_transit") == 5000


@pytest.mark.parametrize("who", ["player", "moderator", None])
def test_nobody_else_may(api, request, take, who):
    take(FILE)
    call = api(request.getfixturevalue(who) if who else None)
    first = BankLine.objects.first().pk
    answers = [
        *(call.get(f"/api/v1/{page}") for page in ("bank-statements", "bank-lines", "provider-payouts")),
        upload(call), call.post(f"/api/v1/bank-lines/{first}/match", {"rest": "not_ours", "reason": "x"}),
    ]  # fmt: skip

    assert {answer.status_code for answer in answers} == {403 if who else 401}
    assert BankLine.objects.filter(status="matched").count() == 0


def test_rows_do_not_cost_queries(call, bank, take, django_assert_num_queries):
    take(csv_of(("2026-11-02", "a", 1, 1)))
    with django_assert_num_queries(3):
        call.get("/api/v1/bank-lines")
    take(csv_of(*((f"2026-11-0{n}", "b", n, total) for n, total in ((3, 4), (4, 8), (5, 13)))))
    with django_assert_num_queries(3):
        call.get("/api/v1/bank-lines")
