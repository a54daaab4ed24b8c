"""Taking in statements: whole or not at all, once, and in an order that leaves no gap unseen."""

import pytest

from config.clock import database_now, finance_date
from config.errors import Code
from payments.bank.importing import Given, import_file
from payments.models import BankAccount, BankFile, BankLine, BankStatement, Discrepancy
from tests.support.bank import IBAN, camt, csv_of, detail, entry, statement
from tests.support.charging import balance, balances
from tests.support.refusals import refusal_of

pytestmark = pytest.mark.django_db

FIRST = csv_of(("2026-11-02", "Rent", -10000, 40000), ("2026-11-03", "STRIPE", 4825, 44825))
NEXT = csv_of(("2026-11-04", "Coffee", -500, 44325))


def gaps():
    return list(Discrepancy.objects.filter(kind="statement_gap", status="open").values_list("amount_cents", flat=True))


def test_a_file_becomes_a_statement_with_its_lines(take, bank, finance):
    imported = take(FIRST)

    (one,) = imported.statements
    assert (imported.new, imported.known, imported.matched) == (2, 0, 0)
    assert (one.opening_cents, one.closing_cents, one.line_count, one.is_stated) == (50000, 44825, 2, True)
    assert [line.amount_cents for line in one.lines.order_by("booked_on")] == [-10000, 4825]
    kept = BankFile.objects.get()
    assert (kept.name, kept.format, bytes(kept.content), kept.imported_by) == ("statement.csv", "csv", FIRST, finance)


def test_what_was_there_before_is_booked_once(take):
    take(FIRST)
    take(NEXT)

    assert balances() == {"bank": 50000, "not_ours": -50000}


def test_an_earlier_statement_corrects_what_was_there_before(take):
    take(NEXT)
    take(FIRST)

    assert balances() == {"bank": 50000, "not_ours": -50000}
    assert gaps() == []


def test_the_same_file_is_refused(take):
    first = take(FIRST)

    again = refusal_of(take, FIRST, name="copy.csv")

    assert (again.code, again.details) == (Code.ALREADY_IMPORTED, {"file": first.file.pk})
    assert BankStatement.objects.count() == 1


def test_of_files_that_overlap_only_what_is_new_is_taken(take, bank):
    take(FIRST)

    imported = take(
        csv_of(
            ("2026-11-03", "STRIPE", 4825, 44825), ("2026-11-04", "Coffee", -500, 44325),
            ("2026-11-04", "Coffee", -500, 43825),
        )
    )  # fmt: skip

    assert (imported.new, imported.known) == (2, 1)
    assert [one.amount_cents for one in imported.statements[0].lines.all()] == [-500, -500]
    assert gaps() == []
    assert bank.statements.order_by("-last_on", "-pk").first().closing_cents == 43825


def test_a_late_booking_between_known_ones_leaves_no_gap(take):
    take(FIRST)

    take(
        csv_of(
            ("2026-11-02", "Rent", -10000, 40000), ("2026-11-02", "Late", -100, 39900),
            ("2026-11-03", "STRIPE", 4825, 44725), ("2026-11-04", "Coffee", -500, 44225),
        )
    )  # fmt: skip

    assert gaps() == []
    assert BankLine.objects.count() == 4


def test_a_file_without_news_is_refused(take):
    take(FIRST)

    again = refusal_of(take, FIRST.replace(b"\r\n", b"\n"))

    assert (again.code, again.details) == (Code.ALREADY_IMPORTED, {"known": 2})
    assert BankFile.objects.count() == 1


def test_a_name_that_does_not_tell_lines_apart_is_refused(take, bank):
    """Else the second would be taken for the first, and its money be missing."""
    layout = {"date": "Date", "amount": "Amount", "reference": "Text", "balance": "Balance"}
    BankAccount.objects.filter(pk=bank.pk).update(layout=layout)
    take(csv_of(("2026-11-02", "RENT", -100, 900)))

    for row in (("2026-11-03", "RENT", -100, 800), ("2026-11-02", "RENT", -200, 700)):
        assert "Line RENT is here already, of another day or amount" in refusal_of(take, csv_of(row)).message
    assert BankLine.objects.count() == 1


def test_two_alike_on_one_day_are_two(take):
    take(csv_of(("2026-11-02", "Fee", -100, 900), ("2026-11-02", "Fee", -100, 800)))

    assert BankLine.objects.count() == 2


def test_a_gap_is_put_before_a_person_until_it_is_filled(take):
    take(FIRST)
    take(csv_of(("2026-11-06", "Later", 100, 44425)))
    assert gaps() == [-500]

    take(NEXT)

    assert gaps() == []
    doubt = Discrepancy.objects.get(kind="statement_gap")
    assert (doubt.status, doubt.ours["closing_cents"], doubt.theirs["opening_cents"]) == ("resolved", 44825, 44325)


class TestWithoutBalances:
    @pytest.fixture(autouse=True)
    def layout(self, bank):
        BankAccount.objects.update(layout={"date": "Date", "amount": "Amount", "text": ["Text"]})

    def test_the_first_needs_to_be_told(self, take):
        refusal = refusal_of(take, FIRST)
        assert (refusal.code, list(refusal.details)) == (Code.VALIDATION_ERROR, ["opening_cents"])

        assert take(FIRST, opening_cents=50000).statements[0].is_stated

    def test_the_next_goes_on_from_there(self, take):
        take(FIRST, opening_cents=50000)

        one = take(NEXT).statements[0]

        assert (one.opening_cents, one.closing_cents, one.is_stated) == (44825, 44325, False)

    def test_what_is_told_has_to_add_up(self, take):
        refusal = refusal_of(take, FIRST, opening_cents=50000, closing_cents=1)

        assert "does not lead from 500.00 USD to 0.01 USD" in refusal.message


class TestCamt:
    PAYOUT = statement(entry("48.25", reference="B-1", details=[detail(trace="TRACE-1", text="STRIPE")]))

    def test_it_finds_its_account_itself(self, bank, finance):
        imported = import_file(content=camt(self.PAYOUT), name="c.xml", given=Given(), by=finance)

        assert imported.statements[0].account == bank
        line = BankLine.objects.get()
        assert (line.reference, line.trace_id, line.amount_cents) == ("B-1", "TRACE-1", 4825)
        assert balance("bank") == 10000

    def test_a_statement_that_is_here_is_refused_in_another_file(self, take):
        take(camt(self.PAYOUT))

        assert refusal_of(take, camt(self.PAYOUT, version="04")).code == Code.ALREADY_IMPORTED

    def test_of_a_file_with_several_the_new_ones_are_taken(self, take):
        take(camt(self.PAYOUT))
        second = statement(entry("-1.00", reference="B-2"), name="S-2", opening="148.25", closing="147.25")

        imported = take(camt(self.PAYOUT, second))

        assert (imported.new, imported.known, len(imported.statements)) == (1, 1, 1)
        assert gaps() == []

    def test_a_line_that_is_here_on_another_statement_counts_once(self, take):
        take(camt(self.PAYOUT))
        other = statement(
            entry("48.25", reference="B-1", details=[detail(trace="TRACE-1", text="STRIPE")]), entry("1.00"),
            name="S-9", closing="149.25",
        )  # fmt: skip

        refusal = refusal_of(take, camt(other))

        assert (refusal.code, refusal.details) == (Code.ALREADY_IMPORTED, {"known": 1})

    def test_another_one_of_the_same_name_is_refused_and_never_left_out(self, take):
        take(camt(self.PAYOUT))
        other = statement(entry("1.00", reference="B-2", day="2026-11-04"), opening="148.25", closing="149.25")

        assert "is called S-1, with other lines" in refusal_of(take, camt(other)).message

    def test_statements_without_a_name_are_told_apart_by_their_lines(self, take):
        take(camt(statement(entry("48.25", reference="B-1"), name="")))

        imported = take(camt(statement(entry("1.00", reference="B-2"), name="", opening="148.25", closing="149.25")))

        assert (imported.new, gaps()) == (1, [])

    def test_one_that_ends_in_the_days_to_come_ends_today(self, take):
        content = camt(statement(entry("48.25"), days=("2026-11-03", "2199-12-31")))

        (one,) = take(content).statements

        assert one.last_on == finance_date(database_now())

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"iban": "DE99999999999999999999"}, "none of the house's"),
            ({"currency": "EUR", "closing": "100.00"}, "is an account in USD"),
        ],
    )
    def test_another_account_or_currency_is_refused(self, take, change, why):
        content = camt(statement(**{"closing": "100.00", **change}))

        refusal = refusal_of(take, content)

        assert (list(refusal.details), why in refusal.message) == (["file"], True)
        assert not BankFile.objects.exists()

    def test_the_account_that_was_chosen_has_to_be_its_own(self, bank, take):
        other = BankAccount.objects.create(name="Other", number="12345", currency="usd")

        assert list(refusal_of(take, camt(self.PAYOUT), account_id=other.pk).details) == ["account"]

    def test_days_that_have_not_come_are_refused(self, take):
        content = camt(statement(entry("48.25", day="2199-01-01")))

        assert "no day of a statement that exists today" in refusal_of(take, content).message


@pytest.mark.parametrize(
    ("content", "given", "field"),
    [
        (b"", {}, "file"),
        (b"x" * (10 * 1024 * 1024 + 1), {}, "file"),
        (FIRST, {"account_id": None}, "account"),
        (b"\xff\xd8\xff\xe0", {}, "file"),
    ],
)
def test_what_cannot_be_taken(take, content, given, field):
    assert list(refusal_of(take, content, **given).details) == [field]


def test_an_account_that_is_not_there(take):
    assert refusal_of(take, FIRST, account_id=999).code == Code.NOT_FOUND


def test_an_account_in_yen_from_the_same_kind_of_file(take, bank):
    BankAccount.objects.filter(pk=bank.pk).update(currency="jpy", number="JPY1234")

    imported = take(b"Date,Text,Amount,Balance\n2026-11-02,a,500,1500\n")

    assert imported.statements[0].opening_cents == 1000
    assert balance("bank", currency="jpy") == 1000


def test_a_name_of_a_file_is_only_a_name(take):
    assert take(FIRST, name="../../etc/\x00pass\nwd" + "x" * 300).file.name.startswith("../../etc/ pass wdx")


def test_the_account_in_the_file_is_named_with_care(take):
    content = camt(statement(iban="DE<!-- -->1", closing="100.00"))

    assert "none of the house's" in refusal_of(take, content).message
    assert IBAN not in refusal_of(take, content).message
