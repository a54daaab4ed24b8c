"""Banks' CSV files: each bank writes them its own way, and what cannot be read for certain is refused."""

from datetime import date

import pytest

from config.errors import DomainError
from payments.bank.csv_file import read_csv
from payments.bank.layouts import read_layout

PLAIN = {"date": "Date", "amount": "Amount", "text": ["Text"], "balance": "Balance"}
GERMAN = {
    "date": "Buchungstag", "date_format": "%d.%m.%Y", "amount": "Betrag", "decimal": ",", "thousands": ".",
    "delimiter": ";", "encoding": "cp1252", "text": ["Zweck"], "counterparty": "Name", "skip": 2,
}  # fmt: skip


def read(text, layout=None, currency="usd", encoding="utf-8"):
    return read_csv(text.encode(encoding), read_layout(layout or PLAIN), currency)


def refusal(text, layout=None, currency="usd"):
    with pytest.raises(DomainError) as refused:
        read(text, layout, currency)
    assert list(refused.value.details) == ["file"]
    return refused.value.message


def rows(*lines):
    return "\r\n".join(["Date,Text,Amount,Balance", *lines]) + "\r\n"


def test_a_plain_file():
    statement = read(rows("2026-11-02,STRIPE PAYOUT,48.25,148.25", "2026-11-03,Rent,-100.00,48.25"))

    assert [(line.booked_on, line.text, line.amount_cents) for line in statement.lines] == [
        (date(2026, 11, 2), "STRIPE PAYOUT", 4825), (date(2026, 11, 3), "Rent", -10000),
    ]  # fmt: skip
    assert (statement.opening_cents, statement.closing_cents) == (10000, 4825)
    assert (statement.first_on, statement.last_on) == (date(2026, 11, 2), date(2026, 11, 3))


def test_a_german_one():
    text = "Konto 1\r\nvom 3.11.\r\nBuchungstag;Name;Zweck;Betrag\r\n02.11.2026;Müller & Söhne;Miete;-1.234,50\r\n"

    statement = read(text, GERMAN, "eur", "cp1252")

    line = statement.lines[0]
    assert (line.amount_cents, line.counterparty, line.booked_on) == (-123450, "Müller & Söhne", date(2026, 11, 2))
    assert statement.opening_cents is None


def test_newest_first_is_turned_round():
    """Also within a day, as the balances say."""
    statement = read(rows("2026-11-02,c,-1.00,12.00", "2026-11-02,b,3.00,13.00", "2026-11-02,a,10.00,10.00"))

    assert [line.text for line in statement.lines] == ["a", "b", "c"]
    assert (statement.opening_cents, statement.closing_cents) == (0, 1200)


def test_without_balances_days_say_the_order():
    layout = {"date": "Date", "amount": "Amount", "text": ["Text"]}

    assert [one.text for one in read(rows("2026-11-03,b,1,", "2026-11-02,a,1,"), layout).lines] == ["a", "b"]


def test_money_in_and_money_out_in_two_columns():
    layout = {"date": "1", "credit": "2", "debit": "3", "has_header": False}

    lines = read("2026-11-02,5.00,\n2026-11-03,,-2.00\n2026-11-04,,3\n\n", layout).lines

    assert [line.amount_cents for line in lines] == [500, -200, -300]


@pytest.mark.parametrize(
    ("written", "cents"),
    [("1234.50", 123450), ("+5", 500), ("5-", -500), ("(5.00)", -500), ("\u22125.00", -500), ("0.01", 1)],
)
def test_amounts_as_banks_write_them(written, cents):
    layout = {"date": "Date", "amount": "Amount"}

    assert read(f"Date,Amount\n2026-11-02,{written}\n", layout).lines[0].amount_cents == cents


@pytest.mark.parametrize(
    "written", ["", "abc", "1,50", "1.5.0", "1e3", "NaN", "0x1", "$5", "--5", "1.005", "99999999999999999", "٥"]
)
def test_what_is_no_amount_is_refused(written):
    assert "Row 2" in refusal(f'Date,Amount\n2026-11-02,"{written}"\n', {"date": "Date", "amount": "Amount"})


@pytest.mark.parametrize("written", ["12.34", "1.23,4", "1234.567,00", ".5"])
def test_thousands_stand_in_their_places(written):
    """Else the file is of a bank that writes cents after the point: a hundred times too much."""
    layout = {"date": "d", "amount": "a", "decimal": ",", "thousands": ".", "delimiter": ";"}

    assert "is no amount as this layout writes it" in refusal(f"d;a\n2026-11-02;{written}\n", layout)


@pytest.mark.parametrize(("currency", "written", "cents"), [("jpy", "500", 500), ("kwd", "1.250", 1250)])
def test_currencies_have_their_own_places(currency, written, cents):
    layout = {"date": "Date", "amount": "Amount"}

    assert read(f"Date,Amount\n2026-11-02,{written}\n", layout, currency).lines[0].amount_cents == cents
    assert "is no amount of JPY" in refusal("Date,Amount\n2026-11-02,5.50\n", layout, "jpy")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("Date,Text,Amount,Balance\n", "no line"),
        ("Date,Text,Sum,Balance\n", "There is no column Amount"),
        ("Date,Text,Amount,Amount,Balance\n2026-11-02,a,1,1,1\n", "Column Amount is there twice"),
        (rows("2026-11-02,a,1.00"), "Row 2 has no column Balance"),
        (rows("02.11.2026,a,1.00,1.00"), "is no day"),
        (rows(",a,1.00,1.00"), "has no day"),
        (rows("2026-11-02,a,0.00,1.00"), "moves nothing"),
        (rows("2026-11-02,a,1.00,1.00", "2026-11-03,c,1.00,3.00", "2026-11-03,d,1.00,4.00"), "do not follow"),
        (rows('2026-11-02,"a,1.00,1.00'), "is no row of a CSV file"),
        (rows(f"2026-11-02,{'x' * 30_000},1.00,1.00"), "too long"),
        ("\x00\x01", "no text file"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_what_is_wrong(text, why):
    assert why in refusal(text)


def test_more_lines_than_a_statement_has_are_refused():
    layout = {"date": "1", "amount": "2", "has_header": False}

    assert "more than 50000 lines" in refusal("2026-11-02,1\n" * 50_001, layout)


def test_another_encoding_is_refused():
    with pytest.raises(DomainError, match="not written in utf-8"):
        read(rows("2026-11-02,M\xfcller,1.00,1.00"), encoding="latin-1")


def test_control_characters_do_not_come_in():
    assert read(rows('2026-11-02,"a\tb\u202e\n c",1.00,1.00')).lines[0].text == "a b c"


@pytest.mark.parametrize(
    ("layout", "why"),
    [
        ({}, "no layout"),
        ({"date": "d"}, "`amount`, or both"),
        ({"date": "d", "amount": "a", "credit": "c", "debit": "e"}, "`amount`, or both"),
        ({"date": "d", "credit": "c"}, "`amount`, or both"),
        ({"amount": "a"}, "`date` is missing"),
        ({"date": "d", "amount": "a", "colour": "red"}, "Nothing is known of colour"),
        ({"date": "d", "amount": "a", "encoding": "utf-7"}, "`encoding`"),
        ({"date": "d", "amount": "a", "delimiter": "x"}, "`delimiter`"),
        ({"date": "d", "amount": "a", "decimal": ",", "thousands": ","}, "`decimal`"),
        ({"date": "d", "amount": "a", "skip": -1}, "`skip`"),
        ({"date": "d", "amount": "a", "skip": True}, "`skip`"),
        ({"date": "d", "amount": "a", "has_header": 1}, "`skip` is a number"),
        ({"date": "d", "amount": 3}, "`amount` is a text"),
        ({"date": "d", "amount": "a", "text": [1]}, "`text` is a list"),
        ({"date": "d", "amount": "a", "date_format": "%d.%m."}, "`date_format`"),
        ({"date": "d", "amount": "a", "date_format": "%y"}, "`date_format`"),
        ({"date": "d", "amount": "a", "has_header": False}, "numbered from 1"),
    ],
)
def test_layouts_that_nobody_could_read_with(layout, why):
    with pytest.raises(DomainError, match=why) as refused:
        read_layout(layout)
    assert list(refused.value.details) == ["layout"]
