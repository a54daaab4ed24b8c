"""What the reports of the books say of the story, and of each other: every sum is the trial balance's."""

import io
from collections import defaultdict

import pytest
from pypdf import PdfReader

from config.errors import DomainError
from payments.exports.pdf import MOST_ROWS, render
from payments.ledger.accounts import Kind
from payments.ledger.models import Account, Posting
from payments.models import FileFormat
from payments.reports.pool_profit_and_loss import COSTS
from payments.services.winners.corrections import approve_correction, bear_overpaid
from tests.factories.accounts import FinanceFactory
from tests.reports.golden import written
from tests.support.reports import rows
from tests.support.winning import booked, correct, paid_out, won_pool

EVERYTHING = {"detail": "account"}
BALANCE = ("debits", "credits", "closing_debit", "closing_credit")


def minor(row, name):
    return int(row[f"{name}_minor"])


def summed(found, *names):
    """Currency → what the columns come to."""
    sums = defaultdict(lambda: [0] * len(names))
    for row in found:
        for place, name in enumerate(names):
            sums[row["currency"]][place] += minor(row, name)
    return dict(sums)


def balances(found):
    """Currency and kind of account → debits less credits, in the trial balance."""
    return {
        (row["currency"], row["account_kind"]): minor(row, "closing_debit") - minor(row, "closing_credit")
        for row in found
    }


@pytest.fixture
def trial(story):
    return rows("trial_balance")


def test_debits_are_credits_however_finely_they_are_told(story):
    by_detail = [summed(rows("trial_balance", options={"detail": of}), *BALANCE) for of in ("kind", "pool", "account")]

    for sums in by_detail:
        assert all(of[0] == of[1] and of[2] == of[3] for of in sums.values())
    assert len({str({code: of[:2] for code, of in sums.items()}) for sums in by_detail}) == 1


def test_the_journal_is_the_trial_balance_line_by_line(story, trial):
    journal = rows("journal")

    assert len(journal) == Posting.objects.count()
    assert summed(journal, "debit", "credit") == summed(trial, "debits", "credits")
    by_kind = defaultdict(int)
    for row in journal:
        by_kind[row["currency"], row["account_kind"]] += minor(row, "debit") - minor(row, "credit")
    assert dict(by_kind) == balances(trial)


def test_the_statements_of_all_accounts_are_the_trial_balance(story):
    found = {}
    for account in Account.objects.all():
        lines = rows("account_statement", options={"account": account.pk})
        assert [line["row"] for line in (lines[0], lines[-1])] == ["opening", "closing"]
        running = minor(lines[0], "balance")
        for line in lines[1:-1]:
            running += minor(line, "debit") - minor(line, "credit")
            assert running == minor(line, "balance")
        assert running == minor(lines[-1], "balance")
        key = (account.currency_id, str(account.kind))
        found[key] = found.get(key, 0) + running

    assert found == balances(rows("trial_balance"))


def test_profit_and_loss_is_the_trial_balance(story, trial):
    found, books = summed(rows("pool_profit_and_loss"), "house_fee", *COSTS, "margin", "pot_left", "prizes_unpaid"), {}
    for currency in found:
        stands = {kind: balances(trial).get((currency, str(kind)), 0) for kind in Kind}
        costs = [stands[kind] for kind in COSTS]
        income = -stands[Kind.FEE_REVENUE]
        unpaid, pot = -stands[Kind.WINNINGS_PAYABLE], -stands[Kind.PRIZE_POT]
        books[currency] = [income, *costs, income - sum(costs), pot, unpaid]

    assert found == books


def test_liabilities_are_the_trial_balance(story, trial):
    owed = {Kind.PRIZE_POT, Kind.WINNINGS_PAYABLE, Kind.REFUND_PAYABLE}
    books = defaultdict(int)
    for (currency, kind), balance in balances(trial).items():
        if kind in owed:
            books[currency] -= balance

    for shown in ("owed", "all"):
        found = summed(rows("pot_liability", options={"shown": shown}), "liability")
        assert {code: of[0] for code, of in found.items() if of[0]} == {code: of for code, of in books.items() if of}


def test_registers_and_profit_and_loss_agree_on_what_came_and_went(story):
    """The refunds that left, by the register of payments and by the pools' accounts."""
    returned = summed(rows("payments"), "refunded")
    by_pool = summed(rows("pool_profit_and_loss"), "refunds")

    assert {code: of for code, of in returned.items() if of[0]} == {code: of for code, of in by_pool.items() if of[0]}


def test_days_cut_the_books_and_the_parts_come_to_the_whole(story):
    from datetime import date

    middle, after = {"last_day": date(2026, 1, 31)}, {"first_day": date(2026, 2, 1)}
    for kind, names in (("journal", ("debit", "credit")), ("trial_balance", ("debits", "credits"))):
        first, second, whole = (summed(rows(kind, **days), *names) for days in (middle, after, {}))
        assert {
            code: [a + b for a, b in zip(first.get(code, [0, 0]), second.get(code, [0, 0]), strict=True)]
            for code in whole
        } == whole
    opening = {(row["currency"], row["account_kind"]): minor(row, "opening") for row in rows("trial_balance", **after)}
    closing = balances(rows("trial_balance", **middle))
    assert {key: of for key, of in opening.items() if of} == {key: of for key, of in closing.items() if of}
    for row in rows("pool_profit_and_loss", **after):
        assert minor(row, "pot_before") + minor(row, "pot_in") - minor(row, "prizes") == minor(row, "pot_left")


def test_a_pool_is_told_by_itself(story):
    pool = story.pools["usd"].pk

    (account,) = (row for row in rows("pool_profit_and_loss", pool_id=pool) if row["currency"] == "usd")
    assert account == next(row for row in rows("pool_profit_and_loss") if row["pool"] == str(pool))
    journal = rows("journal", pool_id=pool)
    assert summed(journal, "debit") == {code: [of] for code, (of,) in summed(journal, "credit").items()}
    assert {row["pool"] for row in journal} == {"", str(pool)}


def test_a_statement_without_its_account_is_refused(story):
    with pytest.raises(DomainError, match="Account is needed"):
        rows("account_statement")
    with pytest.raises(DomainError, match="There is no account"):
        rows("account_statement", options={"account": 10**9})


def printed(kind, **narrowing):
    raw = written(kind, FileFormat.PDF, **narrowing)
    return raw, "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages)


@pytest.mark.parametrize("kind", ["trial_balance", "pool_profit_and_loss"])
def test_a_printed_report_has_every_sum_and_is_the_same_twice(kind, story):
    raw, text = printed(kind)

    assert raw == printed(kind)[0]
    for row in rows(kind):
        name = row.get("account_name") or row["pool_name"]
        assert not name or " ".join(name.split()) in " ".join(text.replace("’", "'").split())
    assert "Page 1 of " in text
    if kind == "trial_balance":
        assert text.count("Debits and credits are the same") == 3
        for row in rows(kind):
            assert (
                not minor(row, "debits") or f"{float(row['debits']):,.{len(row['debits'].partition('.')[2])}f}" in text
            )


SHEET = {
    "title": "Payout statement", "narrowing": [["Pool", "All"]], "as_of": "2026-03-01T00:00:00Z", "as_of_posting": 7,
    "zone": "UTC", "watermark": "Ann <ann@example.test> · export 5f3c",
    "columns": [
        {"name": name}
        for name in (
            "finance_date", "pool_name", "player", "status", "reference", "gross", "gross_minor", "withheld",
            "withheld_minor", "net", "net_minor", "currency", "mode",
        )
    ],
}  # fmt: skip


def payout(player, gross=100_000_000_001, pool="The #Season"):
    return [
        "2026-02-11",
        pool,
        player,
        "paid",
        "po_1",
        "1000000000.01",
        gross,
        "0.01",
        1,
        "1000000000.00",
        gross - 1,
        "usd",
        "live",
    ]


def test_what_people_typed_is_printed_and_never_run():
    names = ["#panic()", "*bold* $x$ `y`", ']#read("/etc/passwd")', "\\u{41}", "@ref <label>", "=1+1", "//comment"]

    raw = render("payout_statement", {**SHEET, "rows": [payout(name) for name in names]})

    text = PdfReader(io.BytesIO(raw)).pages[0].extract_text()
    assert all(name in text for name in names)
    assert "The #Season" in text
    assert "1,000,000,000.01" in text
    assert "7,000,000,000.07" in text
    assert "Ann <ann@example.test> · export 5f3c" in text


def test_a_long_report_has_its_heading_and_mark_on_every_page():
    raw = render("payout_statement", {**SHEET, "rows": [payout(f"Player {number}") for number in range(120)]})

    pages = [page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages]
    assert len(pages) > 2
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "export 5f3c" in text
        assert "WINNER" in text.upper()


def test_nothing_is_printed_as_such_and_too_much_is_refused():
    raw = render("payout_statement", {**SHEET, "rows": []})

    assert "Nothing was booked." in PdfReader(io.BytesIO(raw)).pages[0].extract_text()
    with pytest.raises(DomainError, match="at most 1,000 rows"):
        render("payout_statement", {**SHEET, "rows": [payout("x")] * (MOST_ROWS + 1)})


def test_what_the_house_bears_of_a_prize_is_a_cost_of_its_pool(db):
    pool, winner, _ = won_pool()
    booked(pool)
    payout = paid_out(winner)
    correct(pool)
    booked(pool)
    (before,) = rows("pool_profit_and_loss", pool_id=pool.pk)
    wish = bear_overpaid(payout_id=payout.pk, reason="It was our mistake.", by=FinanceFactory())
    approve_correction(correction_id=wish.pk, by=FinanceFactory())

    (after,) = rows("pool_profit_and_loss", pool_id=pool.pk)

    assert [(minor(row, "prizes_paid"), minor(row, "prizes_unpaid")) for row in (before, after)] == [
        (10000, 0),
        (0, 10000),
    ]
    assert (minor(after, "write_offs"), minor(after, "margin") - minor(before, "margin")) == (10000, -10000)
    assert (after["pool"], after["pool_name"]) == (str(pool.pk), pool.name)
    owed = [minor(row, "liability") for row in rows("pot_liability", pool_id=pool.pk)]
    assert owed == [10000]
