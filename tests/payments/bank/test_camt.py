"""CAMT.053: amounts as the account has them, whatever is said of the payments within."""

from datetime import date

import pytest

from config.errors import DomainError
from payments.bank.camt import read_camt
from tests.support.bank import IBAN, balance, camt, detail, entry, statement


def refusal(content):
    with pytest.raises(DomainError) as refused:
        read_camt(content)
    assert list(refused.value.details) == ["file"]
    return refused.value.message


@pytest.mark.parametrize("version", ["02", "04", "08", "13"])
def test_a_statement(version):
    payout = entry(
        "48.25",
        reference="BANK-1",
        value_day="2026-11-04",
        details=[detail(trace="TRACE1234", payer="Stripe", text="STRIPE PAYOUT")],
        text="Transfer",
        new_status=version in ("04", "08", "13"),
    )

    (found,) = read_camt(camt(statement(payout), version=version))

    assert (found.number, found.reference, found.currency) == (IBAN, "S-1", "usd")
    assert (found.opening_cents, found.closing_cents) == (10000, 14825)
    (line,) = found.lines
    assert (line.amount_cents, line.booked_on, line.value_on) == (4825, date(2026, 11, 3), date(2026, 11, 4))
    assert (line.reference, line.trace_id, line.counterparty) == ("BANK-1", "TRACE1234", "Stripe")
    assert line.text == "STRIPE PAYOUT Transfer"


def test_amounts_of_payments_within_an_entry_are_not_its_amount():
    """They may be of another currency, or of a part: a batch is one line of the account, once."""
    batch = entry(
        "48.25",
        details=[
            detail(amount="40.00", currency="EUR", text="one", trace="A"), detail(amount="5.00", text="two", trace="B"),
        ],
    )  # fmt: skip

    (found,) = read_camt(camt(statement(batch)))

    (line,) = found.lines
    assert (line.amount_cents, line.text, line.trace_id) == (4825, "one two", "")


def test_what_is_only_announced_is_left_out():
    booked, pending = entry("48.25"), entry("10.00", status="PDNG")

    (found,) = read_camt(camt(statement(booked, pending)))

    assert [line.amount_cents for line in found.lines] == [4825]


def test_debits_reversals_and_what_is_owed_to_the_bank():
    back = entry("-10.00", extra="<RvslInd>true</RvslInd>")

    (found,) = read_camt(camt(statement(back, opening="-5.00", closing="-15.00")))

    assert (found.opening_cents, found.lines[0].amount_cents, found.closing_cents) == (-500, -1000, -1500)


def test_the_balance_before_is_taken_where_there_is_no_opening():
    (found,) = read_camt(camt(statement(balance("PRCD", "100.00", "2026-11-02"), entry("48.25"), opening=None)))

    assert found.opening_cents == 10000


def test_a_day_without_bookings():
    (found,) = read_camt(camt(statement(opening="5.00", closing="5.00", days=("2026-11-02", "2026-11-03"))))

    assert (found.lines, found.first_on, found.last_on) == ((), date(2026, 11, 2), date(2026, 11, 3))


def test_several_statements():
    days = [
        statement(entry("1.00", day=f"2026-11-0{n}"), name=f"S-{n}", opening=f"{n}", closing=f"{n + 1}") for n in (1, 2)
    ]

    assert [one.reference for one in read_camt(camt(*days))] == ["S-1", "S-2"]


def test_lines_that_do_not_lead_to_the_closing_are_refused():
    assert "do not lead from its opening to its closing" in refusal(camt(statement(entry("48.26"))))


ENTITY = '<!DOCTYPE Document [<!ENTITY big "x"><!ENTITY file SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<", "no whole XML"),
        (camt(statement())[:-20], "no whole XML"),
        (camt(statement(), before=ENTITY), "document type"),
        (
            camt(statement(entry("48.25", text="&big;")), before=ENTITY).replace(b"&amp;big;", b"&file;"),
            "document type",
        ),
        (camt(statement(), before=ENTITY).decode().replace("UTF-8", "UTF-16").encode("utf-16"), "document type"),
        (camt(), "no statement in it"),
        (camt(statement()).replace(b"camt.053", b"camt.054"), "a CAMT.053 file is needed"),
        (b"<html><body/></html>", "a CAMT.053 file is needed"),
        (camt(statement(entry("48.25", currency="EUR"))), "another currency"),
        (camt(statement(entry("48.25").replace("CRDT", "XXXX"))), "no direction"),
        (camt(statement(entry("48.25", day="yesterday"))), "has no day"),
        (camt(statement(entry("a"))), "no amount"),
        (camt(statement(entry("1.005"))), "is no amount of USD"),
        (camt(statement(entry("NaN"))), "no amount"),
        (camt(statement(entry("1E+999999"))), "more than an account can have"),
        (camt(statement(entry("1.00000000000000000000000000000000001"))), "is no amount of USD"),
    ],
)
def test_what_is_no_statement_is_refused(content, why):
    assert why in refusal(content)


def test_a_bomb_of_entities_is_not_expanded():
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    content = camt(statement(), before=f'<!DOCTYPE d [<!ENTITY l0 "lol">{levels}]>').replace(b"S-1", b"&l9;")

    assert "document type" in refusal(content) or "no whole XML" in refusal(content)
