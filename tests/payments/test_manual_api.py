"""Money by hand over the API: for finance alone, with two names, as JSON or as a form with scans."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.clock import database_now
from entries.models import Entry
from payments.models import Evidence, ManualRecord, Payment
from payments.models.manual import LARGEST_SCAN
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.support.by_hand import PDF, PNG, cash, recorded
from tests.support.payments import code_of

pytestmark = pytest.mark.django_db(transaction=True)

RECORDS = "/api/v1/manual-records"


def body(**changes):
    now = database_now().isoformat()
    return {
        "method": "cash", "reference": "receipt 12", "amount_cents": 5000, "currency": "usd", "passed_at": now
    } | changes  # fmt: skip


def record(client, request, *, form=False, key=None, **changes):
    return client.post(
        f"/api/v1/requests/{request.pk}/manual-payment",
        body(**changes),
        format="multipart" if form else "json",
        headers={"Idempotency-Key": key} if key else {},
    )


def decide(client, row, word, **changes):
    return client.post(f"{RECORDS}/{row.pk}/{word}", changes, format="json")


class TestRecording:
    def test_cash_as_json(self, api, finance, unpaid):
        answer = record(api(finance), unpaid, note="on the table")

        row = ManualRecord.objects.get()
        data = answer.json()["data"]
        assert (answer.status_code, answer["Location"]) == (201, f"{RECORDS}/{row.pk}")
        assert (data["id"], data["request"], data["payment"]) == (row.pk, unpaid.pk, Payment.objects.get().pk)
        assert (data["status"], data["recorded_by"], data["decided_by"]) == ("recorded", finance.pk, None)
        assert (data["amount_cents"], data["currency"], data["note"]) == (5000, "usd", "on the table")
        assert (data["refund"], data["payout"], data["evidence"]) == (None, None, [])

    def test_a_transfer_as_a_form_with_its_scans(self, api, finance, unpaid):
        scans = [SimpleUploadedFile("a.pdf", PDF), SimpleUploadedFile("b.png", PNG)]

        answer = record(api(finance), unpaid, form=True, method="transfer", evidence=scans)

        assert answer.status_code == 201, answer.content
        assert [one["content_type"] for one in answer.json()["data"]["evidence"]] == ["application/pdf", "image/png"]
        assert [bytes(one.content) for one in Evidence.objects.order_by("pk")] == [PDF, PNG]

    def test_scans_of_five_megabytes_pass_where_a_body_of_one_does_not(self, api, finance, unpaid):
        large = SimpleUploadedFile("a.pdf", PDF.ljust(LARGEST_SCAN))

        assert record(api(finance), unpaid, form=True, method="transfer", evidence=[large]).status_code == 201
        assert code_of(record(api(finance), unpaid, note="x" * 1024 * 1024)) == (413, "PAYLOAD_TOO_LARGE")

    def test_six_megabytes_are_refused(self, api, finance, unpaid):
        large = SimpleUploadedFile("a.pdf", PDF.ljust(6 * 1024 * 1024))

        assert code_of(record(api(finance), unpaid, form=True, evidence=[large])) == (400, "VALIDATION_ERROR")
        assert not ManualRecord.objects.exists()

    def test_a_form_of_twenty_megabytes_is_not_even_read(self, api, finance, unpaid):
        large = SimpleUploadedFile("a.pdf", PDF.ljust(20 * 1024 * 1024))

        assert code_of(record(api(finance), unpaid, form=True, evidence=[large])) == (413, "PAYLOAD_TOO_LARGE")

    def test_elsewhere_a_form_is_no_longer_than_a_body(self, api, finance):
        answer = api(finance).post(
            "/api/v1/auth/logout", {"file": SimpleUploadedFile("a", b"x" * 2_000_000)}, format="multipart"
        )

        assert code_of(answer) == (413, "PAYLOAD_TOO_LARGE")

    def test_html_in_a_pdfs_clothes(self, api, finance, unpaid):
        false = SimpleUploadedFile("a.pdf", b"<html>", content_type="application/pdf")

        answer = record(api(finance), unpaid, form=True, method="transfer", evidence=[false])

        assert code_of(answer) == (400, "VALIDATION_ERROR")
        assert list(answer.json()["error"]["details"]) == ["evidence"]

    def test_a_transfer_without_a_scan(self, api, finance, unpaid):
        answer = record(api(finance), unpaid, method="transfer")

        assert list(answer.json()["error"]["details"]) == ["evidence"]

    def test_the_same_call_twice_is_one_record(self, api, finance, unpaid):
        def call(content=PDF):
            return record(
                api(finance), unpaid, form=True, key="k1", passed_at="2020-01-01T00:00:00Z",
                evidence=[SimpleUploadedFile("a.pdf", content)],
            )  # fmt: skip

        first, second, other = call(), call(), call(PDF + b"other")

        assert (first.status_code, second.content) == (201, first.content)
        assert second["Idempotent-Replayed"] == "true"
        assert code_of(other) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert ManualRecord.objects.count() == 1

    def test_a_number_that_is_used(self, api, finance, unpaid):
        first = recorded(RequestFactory(approved=True), handover=cash("receipt 12"))

        answer = record(api(finance), unpaid)

        assert code_of(answer) == (409, "REFERENCE_USED")
        assert answer.json()["error"]["details"] == {"record": first.pk}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("method", "barter"), ("reference", ""), ("amount_cents", 0), ("amount_cents", 2**31), ("currency", "usdx"),
            ("passed_at", "yesterday"), ("passed_at", "2999-01-01T00:00:00Z"), ("note", "x" * 501),
        ],
    )  # fmt: skip
    def test_fields_are_checked(self, api, finance, unpaid, field, value):
        answer = record(api(finance), unpaid, **{field: value})

        assert code_of(answer) == (400, "VALIDATION_ERROR")
        assert list(answer.json()["error"]["details"]) == [field]

    def test_a_stranger_and_a_player_may_not(self, api, stranger, player, moderator, unpaid):
        assert [record(api(user), unpaid).status_code for user in (stranger, player, moderator)] == [403] * 3
        assert record(api(), unpaid).status_code == 401
        assert not ManualRecord.objects.exists()

    def test_a_request_that_is_not_there(self, api, finance, unpaid):
        unpaid.pk = 999

        assert code_of(record(api(finance), unpaid)) == (404, "NOT_FOUND")


class TestDeciding:
    def test_another_confirms(self, api, finance, unpaid):
        row = recorded(unpaid)

        data = decide(api(finance), row, "confirm").json()["data"]

        assert (data["status"], data["decided_by"]) == ("confirmed", finance.pk)
        assert Entry.objects.get().request == unpaid

    def test_the_payment_tells_how_it_was_paid(self, api, player, finance, unpaid):
        decide(api(finance), recorded(unpaid), "confirm")

        (payment,) = api(player).get("/api/v1/payments").json()["data"]

        assert (payment["provider"], payment["status"], payment["amount_cents"]) == ("manual", "succeeded", 5000)

    def test_the_recorder_does_not(self, api, finance, unpaid):
        row = recorded(unpaid, by=finance)

        assert code_of(decide(api(finance), row, "confirm")) == (403, "FORBIDDEN")
        assert code_of(decide(api(finance), row, "reject", reason="oh")) == (403, "FORBIDDEN")

    def test_another_turns_it_down(self, api, finance, unpaid):
        data = decide(api(finance), recorded(unpaid), "reject", reason="a false note").json()["data"]

        assert (data["status"], data["decision_reason"]) == ("rejected", "a false note")

    def test_twice_is_once(self, api, finance, unpaid):
        row = recorded(unpaid)
        decide(api(finance), row, "confirm")

        assert code_of(decide(api(finance), row, "confirm")) == (409, "INVALID_TRANSITION")
        assert code_of(decide(api(finance), row, "reject", reason="oh")) == (409, "INVALID_TRANSITION")

    def test_nobody_else_may(self, api, stranger, player, moderator, unpaid):
        row = recorded(unpaid)

        for word in ("confirm", "reject"):
            assert [decide(api(who), row, word, reason="x").status_code for who in (stranger, player, moderator)] == [
                403
            ] * 3


class TestReading:
    def test_the_queue(self, api, finance, unpaid):
        waiting = recorded(unpaid)
        done = recorded(RequestFactory(approved=True))
        decide(api(FinanceFactory()), done, "confirm")

        def listed(**query):
            return [row["id"] for row in api(finance).get(RECORDS, query).json()["data"]]

        assert listed() == [done.pk, waiting.pk]
        assert listed(status="recorded") == [waiting.pk]
        assert code_of(api(finance).get(RECORDS, {"status": "lost"})) == (400, "VALIDATION_ERROR")

    def test_one(self, api, finance, unpaid):
        row = recorded(unpaid)

        assert api(finance).get(f"{RECORDS}/{row.pk}").json()["data"]["reference"] == row.reference
        assert code_of(api(finance).get(f"{RECORDS}/{row.pk + 1}")) == (404, "NOT_FOUND")

    def test_nobody_else_may(self, api, player, moderator):
        assert [api(who).get(RECORDS).status_code for who in (player, moderator)] == [403, 403]

    def test_a_list_costs_the_same_for_one_row_and_for_three(self, api, finance, django_assert_max_num_queries):
        costs = []
        for number in range(3):
            recorded(RequestFactory(approved=True))
            if number != 1:
                with django_assert_max_num_queries(20) as captured:
                    api(finance).get(RECORDS)
                costs.append(len(captured))

        assert costs[0] == costs[1]


def test_the_schema_shows_both_forms():
    from config.api.docs import whole_schema

    (path,) = [path for path in whole_schema()["paths"] if path.endswith("manual-payment")]
    content = whole_schema()["paths"][path]["post"]["requestBody"]["content"]

    assert sorted(content) == ["application/json", "multipart/form-data"]
    assert "HandoverForm" in json.dumps(content["multipart/form-data"])
    assert "HandoverForm" not in json.dumps(content["application/json"])
