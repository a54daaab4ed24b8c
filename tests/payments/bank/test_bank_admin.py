"""Banks in the back office: importing, saying what a line is, taking it back, and who may."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.admin.ways import way_of_key
from payments.models import BankAccount, BankLine, BankStatement, Discrepancy, ProviderPayout
from tests.payments.bank.test_matching import line, sent
from tests.support.bank import camt, csv_of, detail, entry, statement
from tests.support.charging import balance

pytestmark = pytest.mark.django_db

STATEMENTS = "/admin/payments/bankstatement/"
LINES = "/admin/payments/bankline/"
FILE = csv_of(("2026-11-02", "Rent", -10000, 40000), ("2026-11-03", "STRIPE", 4825, 44825))


@pytest.fixture
def page(client, finance):
    client.force_login(finance)
    return client


def upload(client, content=FILE, name="november.csv", **given):
    return client.post(
        f"{STATEMENTS}import/", {"file": SimpleUploadedFile(name, content), **given}, follow=True
    ).content.decode()


def confirm(client, action, *rows, reason="I looked"):
    data = {"action": action, "_selected_action": [row.pk for row in rows], "confirmed": len(rows), "reason": reason}
    return client.post(f"{LINES}?state=all", data, follow=True).content.decode()


class TestImporting:
    def test_the_form_leads_to_the_statement(self, page, bank):
        told = upload(page, account=bank.pk)

        assert "2 new lines, 0 known ones; 0 were recognised." in told
        assert "Rent" in told
        assert BankStatement.objects.get().file.name == "november.csv"

    def test_camt_says_itself_whose_it_is(self, page, bank):
        told = upload(page, camt(statement(entry("48.25", details=[detail(text="STRIPE")]))), "c.xml")

        assert "1 new lines" in told

    @pytest.mark.parametrize(
        ("content", "given", "why"),
        [
            (b"nothing", {}, "There is no column Date"),
            (FILE, {"opening_cents": "1.005"}, "USD has 2 decimals"),
            (FILE, {"opening_cents": "1"}, "does not lead from 1.00 USD"),
            (FILE, {"account": ""}, "name the account"),
        ],
    )
    def test_what_is_wrong_stands_beside_the_field(self, page, bank, content, given, why):
        assert why in upload(page, content, **{"account": bank.pk, **given})
        assert not BankStatement.objects.exists()

    def test_the_same_file_twice_is_told(self, page, bank):
        upload(page, account=bank.pk)

        assert "This very file was taken in" in upload(page, account=bank.pk)

    def test_the_file_is_only_ever_saved(self, page, bank):
        upload(page, account=bank.pk)
        file = BankStatement.objects.get().file_id

        answer = page.get(f"{STATEMENTS}file/{file}")

        assert (b"".join(answer.streaming_content), answer["Content-Type"]) == (FILE, "application/octet-stream")
        assert answer["Content-Disposition"].startswith("attachment")

    def test_pages_are_shown(self, page, bank, take):
        take(FILE)
        sent(trace="TRACE")
        pages = [
            STATEMENTS, f"{STATEMENTS}import/", f"{STATEMENTS}{BankStatement.objects.get().pk}/change/", LINES,
            f"{LINES}{BankLine.objects.first().pk}/change/", f"{LINES}{BankLine.objects.first().pk}/match",
            "/admin/payments/bankaccount/", f"/admin/payments/bankaccount/{bank.pk}/change/",
            "/admin/payments/bankaccount/add/", "/admin/payments/providerpayout/",
            f"/admin/payments/providerpayout/{ProviderPayout.objects.get().pk}/change/",
        ]  # fmt: skip

        assert {address: page.get(address).status_code for address in pages} == dict.fromkeys(pages, 200)

    @pytest.mark.parametrize("who", ["moderator", "player"])
    def test_nobody_else_sees_any_of_it(self, client, request, bank, take, who):
        take(FILE)
        client.force_login(request.getfixturevalue(who))
        first = BankLine.objects.first().pk

        for address in (STATEMENTS, f"{STATEMENTS}import/", LINES, f"{LINES}{first}/match",
                        f"{STATEMENTS}file/{BankStatement.objects.get().file_id}"):  # fmt: skip
            assert client.get(address).status_code in (302, 403)


class TestMatching:
    def test_a_line_is_said_to_be_a_payout_and_a_fee(self, page, take):
        payout = sent(cents=5000)
        found = line(take)
        assert "50.00 USD, stripe po_1, due 2026-11-03, paid" in page.get(f"{LINES}{found.pk}/match").content.decode()

        told = page.post(
            f"{LINES}{found.pk}/match",
            {"provider_payouts": [payout.pk], "rest": "bank_fee", "reason": "less 1.75"},
            follow=True,
        ).content.decode()

        assert "It is known what the line is, and booked." in told
        assert balance("bank_in_transit") == 0

    def test_what_does_not_add_up_is_told(self, page, take):
        payout = sent(cents=5000)
        found = line(take)

        told = page.post(f"{LINES}{found.pk}/match", {"provider_payouts": [payout.pk], "reason": "x"}).content.decode()

        assert "what was chosen comes to 50.00 USD" in told
        assert Discrepancy.objects.get().status == "open"

    def test_many_are_set_aside_and_taken_back(self, page, take, bank):
        take(FILE)
        rows = list(BankLine.objects.all())

        assert "2 of 2" in confirm(page, "not_ours", *rows)
        assert balance("not_ours") == -44_825
        assert "2 of 2" in confirm(page, "take_back", *rows)

        assert set(BankLine.objects.values_list("status", flat=True)) == {"waiting"}
        assert balance("not_ours") == -50_000
        assert "0 of 2" in confirm(page, "take_back", *rows)


class TestAccounts:
    def test_one_is_added_as_banks_write_it(self, page):
        page.post(
            "/admin/payments/bankaccount/add/",
            {"name": "New", "number": "de02 1203 0000 0000 2020 51", "currency": "EUR", "is_active": "on",
             "layout": '{"date": "d", "amount": "a"}'},
        )  # fmt: skip

        row = BankAccount.objects.get()
        assert (row.number, row.currency) == ("DE02120300000000202051", "eur")

    def test_each_row_says_until_when_its_statements_are_without_a_query(self, page, bank, take):
        take(FILE)
        counts = []
        for number in ("DE10", "DE11"):
            with CaptureQueriesContext(connection) as queries:
                shown = page.get("/admin/payments/bankaccount/").content.decode()
            counts.append(len(queries))
            BankAccount.objects.create(name=number, number=number, currency="usd")
        assert counts[0] == counts[1]
        assert "2026-11-03" in shown

    @pytest.mark.parametrize(
        ("layout", "fault"),
        [
            ('{"date": "d"}', "Name either `amount`, or both"),
            ("7", "`date` is missing"),
            ('["d"]', "`date` is missing"),
        ],
    )
    def test_a_layout_that_nobody_could_read_with_is_refused(self, page, bank, layout, fault):
        told = page.post(
            f"/admin/payments/bankaccount/{bank.pk}/change/",
            {"name": "House", "is_active": "on", "layout": layout},
            follow=True,
        ).content.decode()

        assert fault in told
        assert BankAccount.objects.get().name == "House account"


def test_doubts_lead_to_what_they_are_about(take):
    row, found = sent(), line(take, text="Nobody knows", cents=7)
    of_statement = f"bank_statement:{found.statement_id}"

    assert f"providerpayout/?reference={row.reference}" in way_of_key(row.key)
    assert f"bankline/{found.pk}/change" in way_of_key(found.key)
    assert f"bankstatement/{found.statement_id}/change" in way_of_key(of_statement)
    assert "reconciliationrun" in way_of_key("tie_out:clearing:stripe:usd:test")
