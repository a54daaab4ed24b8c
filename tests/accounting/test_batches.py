"""Journals for accountants: each day once, balanced, corrections in the next batch, and the same bytes for ever."""

from collections import Counter
from decimal import Decimal

import pytest
from django.db import Error, connection, transaction

from config.clock import database_now
from config.errors import DomainError
from payments.accounting.batches import make_batch, withdraw_batch
from payments.models import AccountMapping, AccountMappingChange, JournalBatch, JournalBatchDay
from tests.accounting.books import QUICKBOOKS, XERO, allocated, day, fee, lines_of, mapped, received
from tests.factories.accounts import FinanceFactory
from tests.factories.pools import PoolFactory
from tests.support.ledger import posted
from tests.support.refusals import refusal_of, refused

pytestmark = pytest.mark.django_db


def made(system=QUICKBOOKS, **how):
    return make_batch(system=system, by=how.pop("by", None) or FinanceFactory(), **how)


def test_quickbooks_gets_the_sums_of_each_day_account_and_pool():
    pool = PoolFactory(name="=cmd|' /C calc'!A0")
    mapped(QUICKBOOKS)
    for _ in range(3):
        received(10), allocated(10, pool), fee(10)
    received(11, 700)

    batch = made()

    ((name, found),) = lines_of(batch).items()
    assert name == "quickbooks-test-00001-2026-01-10-2026-01-11.csv"
    assert [tuple(row.values()) for row in found] == [
        ("OT-260110-USD-1", "01/10/2026", "Outlast:Clearing", "144.75", "", "Clearing: stripe", ""),
        ("OT-260110-USD-1", "01/10/2026", "Outlast:Prize pot", "", "135.00", pot(pool), ""),
        (
            "OT-260110-USD-1", "01/10/2026", "Outlast:Fee revenue", "", "15.00",
            pot(pool).replace("Prize pot", "Fee revenue"), "",
        ),
        ("OT-260110-USD-1", "01/10/2026", "Outlast:Provider fees", "5.25", "", "Provider fees: stripe", ""),
        ("OT-260111-USD-1", "01/11/2026", "Outlast:Clearing", "7.00", "", "Clearing: stripe", ""),
        ("OT-260111-USD-1", "01/11/2026", "Outlast:Unallocated", "", "7.00", "Unallocated", ""),
    ]  # fmt: skip
    assert list(found[0]) == ["JournalNo", "JournalDate", "AccountName", "Debits", "Credits", "Description", "Name"]
    assert batch.totals == {"usd": {"debits": 15700, "credits": 15700, "lines": 6, "journals": 2}}
    assert (batch.lines, batch.number, batch.status, batch.size) == (6, 1, "made", len(batch.content))


def pot(pool):
    return f"Prize pot: {pool.name} (pool {pool.pk})"


def test_xero_gets_one_amount_with_its_sign_and_a_day_nobody_can_misread():
    mapped(XERO)
    received(3), received(3, 600, currency="jpy")

    files = lines_of(made(XERO))

    assert list(files) == [
        "xero-test-00001-2026-01-03-2026-01-03-jpy-1.csv", "xero-test-00001-2026-01-03-2026-01-03-usd-1.csv",
    ]  # fmt: skip
    yen, dollars = files.values()
    assert [tuple(row.values()) for row in yen] == [
        ("Outlast OT-260103-JPY-1", "3 Jan 2026", "Clearing: stripe", "100", "Tax Exempt", "600"),
        ("Outlast OT-260103-JPY-1", "3 Jan 2026", "Unallocated", "105", "Tax Exempt", "-600"),
    ]
    assert list(yen[0]) == ["Narration", "Date", "Description", "AccountCode", "TaxRate", "Amount"]
    assert sum(Decimal(row["Amount"]) for row in dollars) == 0


def test_a_day_is_exported_once_and_its_corrections_come_with_the_next_batch():
    mapped(QUICKBOOKS)
    received(10)
    first = made()

    assert refused(made) == "ALREADY_EXPORTED"
    received(10, 300), received(12, 100)
    second = made()

    assert refused(made) == "ALREADY_EXPORTED"
    assert [row["JournalNo"] for row in next(iter(lines_of(second).values()))] == [
        "OT-260110-USD-2", "OT-260110-USD-2", "OT-260112-USD-1", "OT-260112-USD-1"
    ]  # fmt: skip
    assert second.totals["usd"]["debits"] == 400
    assert (first.number, second.number) == (1, 2)
    assert made_of(second) == [(day(10).date(), 2), (day(12).date(), 1)]
    # The other program has had none of it yet.
    mapped(XERO)
    assert made(XERO).totals["usd"]["debits"] == 5400


def test_a_batch_has_so_many_days_and_the_next_goes_on(monkeypatch):
    monkeypatch.setattr("payments.accounting.days.MOST_DAYS", 2)
    mapped(QUICKBOOKS)
    for number in (3, 5, 4, 9):
        received(number)

    assert [made_of(made()) for _ in range(2)] == [
        [(day(3).date(), 1), (day(4).date(), 1)],
        [(day(5).date(), 1), (day(9).date(), 1)],
    ]
    assert refused(made) == "ALREADY_EXPORTED"


def test_of_batches_through_any_day_each_goes_on_where_those_before_ended():
    mapped(QUICKBOOKS)
    received(3), received(5), received(9)
    made(through=day(5).date())
    received(3, 100), received(5, 70), received(9, 200)
    second = made(through=day(3).date())
    received(3, 40)
    third = made()

    assert (made_of(second), second.totals["usd"]["debits"]) == ([(day(3).date(), 2)], 100)
    assert made_of(third) == [(day(3).date(), 3), (day(5).date(), 2), (day(9).date(), 1)]
    assert third.totals["usd"]["debits"] == 40 + 70 + 5000 + 200
    withdraw_batch(batch_id=third.pk, by=FinanceFactory(), reason="wrong")
    again = made()
    assert (made_of(again), again.sha256) == (made_of(third), third.sha256)
    assert refused(made) == "ALREADY_EXPORTED"


def made_of(batch):
    return list(batch.days.values_list("day", "part"))


def test_all_batches_together_are_the_books():
    mapped(QUICKBOOKS)
    pool = PoolFactory()
    for number in (5, 7, 5, 9):
        received(number), allocated(number, pool), fee(number)
        made()
    found = Counter()
    for batch in JournalBatch.objects.all():
        for rows in lines_of(batch).values():
            for row in rows:
                found[row["AccountName"]] += Decimal(row["Debits"] or 0) - Decimal(row["Credits"] or 0)

    assert +found - Counter() == {"Outlast:Clearing": Decimal("193.00"), "Outlast:Provider fees": Decimal("7.00")}
    assert -found == {"Outlast:Prize pot": Decimal("180.00"), "Outlast:Fee revenue": Decimal("20.00")}


def test_accounts_that_nobody_mapped_are_named_and_nothing_is_exported():
    received(10), fee(10), received(10, currency="eur")
    mapped(QUICKBOOKS)
    AccountMapping.objects.filter(kind__in=("clearing", "provider_fees")).delete()
    AccountMapping.objects.create(system=QUICKBOOKS, kind="clearing", currency="eur", account="Stripe EUR")

    refusal = refusal_of(made)

    assert refusal.code == "ACCOUNT_NOT_MAPPED"
    assert refusal.details == {"accounts": ["Clearing of stripe (USD)", "Provider fees of stripe (USD)"]}
    assert "Clearing of stripe (USD), Provider fees of stripe (USD)" in refusal.message
    assert not JournalBatch.objects.exists()


def test_the_mapping_that_says_most_is_taken():
    mapped(QUICKBOOKS)
    for provider, currency, account in (
        ("stripe", "", "Stripe"),
        ("", "eur", "Euros"),
        ("stripe", "jpy", "Stripe yen"),
    ):
        AccountMapping.objects.create(
            system=QUICKBOOKS, kind="clearing", provider=provider, currency=currency, account=account
        )
    received(10), received(10, currency="eur"), received(10, currency="jpy")

    taken = [rows[0]["AccountName"] for rows in lines_of(made()).values()]

    assert taken == ["Stripe", "Stripe yen", "Stripe"]


def test_a_day_that_is_not_over_is_refused_and_left_out():
    mapped(QUICKBOOKS)
    posted(at=database_now())

    assert refused(lambda: made(through=database_now().date())) == "VALIDATION_ERROR"
    assert refused(made) == "ALREADY_EXPORTED"
    received(10)
    assert made().through_day == day(10).date()


def test_real_money_and_that_of_tests_are_never_in_one_batch():
    mapped(QUICKBOOKS)
    received(10), received(10, 100, livemode=True)

    real, of_tests = made(livemode=True), made(livemode=False)

    assert (real.totals["usd"]["debits"], of_tests.totals["usd"]["debits"]) == (100, 5000)
    assert (real.number, of_tests.number) == (1, 1)
    assert "OL-260110-USD-1" in bytes(real.content).decode()


def test_a_withdrawn_batch_is_made_anew_with_the_same_bytes():
    mapped(QUICKBOOKS)
    received(10)
    maker, other = FinanceFactory(), FinanceFactory()
    first = made(by=maker)

    assert refused(lambda: withdraw_batch(batch_id=first.pk, by=maker, reason="x")) == "SECOND_NAME_NEEDED"
    assert refused(lambda: withdraw_batch(batch_id=first.pk, by=other, reason=" ")) == "VALIDATION_ERROR"
    withdraw_batch(batch_id=first.pk, by=other, reason="wrong accounts")
    assert refused(lambda: withdraw_batch(batch_id=first.pk, by=other, reason="x")) == "INVALID_TRANSITION"
    second = made()

    assert (bytes(second.content), second.sha256) == (bytes(first.content), first.sha256)
    assert second.number == 2
    assert list(JournalBatchDay.objects.order_by("id").values_list("holds", flat=True)) == [False, True]


def test_only_the_newest_batch_is_withdrawn():
    mapped(QUICKBOOKS)
    received(10)
    first = made()
    received(11)
    made()

    refusal = refusal_of(lambda: withdraw_batch(batch_id=first.pk, by=FinanceFactory(), reason="wrong"))

    assert refusal.code == "INVALID_TRANSITION"
    first.refresh_from_db()
    assert first.status == "made"


def test_a_change_of_the_mapping_is_told():
    mapped(XERO)
    row = AccountMapping.objects.get(kind="bank")
    row.account = "090"
    row.save()
    row.delete()

    changes = AccountMappingChange.objects.order_by("-id")[:2]
    told = [tuple(side and side["account"] for side in (change.before, change.after)) for change in changes]
    assert told == [("090", None), ("102", "090")]


def attack(statement, **parameters):
    """What PostgreSQL refuses it with."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except Error as error:
        return error.__cause__.diag.constraint_name
    return None


DAY = """
    INSERT INTO payments_journalbatchday (batch_id, system, livemode, day, part, after_posting, through_posting)
    VALUES (%(batch)s, %(system)s, false, '2026-01-10', 2, %(after)s, %(through)s)
"""
MAPPING = """
    INSERT INTO payments_accountmapping (system, kind, provider, currency, account, tax_rate)
    VALUES (%(system)s, %(kind)s, '', %(currency)s, %(account)s, %(tax)s)
"""


def test_the_database_itself_lets_no_line_be_exported_twice():
    mapped(QUICKBOOKS)
    received(10)
    batch = made()
    (done,) = batch.days.all()
    facts = {
        "batch": batch.pk,
        "system": "quickbooks",
        "after": done.through_posting,
        "through": done.through_posting + 1,
    }

    assert attack(DAY, **facts | {"after": 0}) == "batch_day_follows"
    assert attack(DAY, **facts | {"after": done.through_posting - 1}) == "batch_day_follows"
    assert attack(DAY, **facts | {"through": done.through_posting}) == "batch_day_forward"
    assert attack(DAY, **facts | {"system": "xero"}) == "batch_day_of_its_batch"
    assert attack("UPDATE payments_journalbatchday SET holds = false") == "batch_day_stays"
    assert attack("UPDATE payments_journalbatchday SET day = '2026-01-09'") == "batch_day_stays"
    assert attack("DELETE FROM payments_journalbatchday") == "never_deleted"


def test_a_batch_stays_as_it_was_made():
    mapped(QUICKBOOKS)
    received(10)
    batch = made()

    for change in ("content = 'x'", "sha256 = ''", "totals = '{}'", "through_day = '2027-01-01'", "number = 7"):
        assert attack(f"UPDATE payments_journalbatch SET {change}") == "journal_batch_stays"
    assert attack("UPDATE payments_journalbatch SET status = 'withdrawn'") == "journal_batch_withdrawn_when"
    assert (
        attack(
            "UPDATE payments_journalbatch SET status = 'withdrawn', withdrawn_by_id = made_by_id, withdrawn_at = now()"
        )
        == "journal_batch_two_names"
    )
    assert attack("DELETE FROM payments_journalbatch") == "never_deleted"
    withdraw_batch(batch_id=batch.pk, by=FinanceFactory(), reason="wrong")
    back = "UPDATE payments_journalbatch SET status = 'made', withdrawn_by_id = NULL, withdrawn_at = NULL"
    assert attack(back) == "status_map"
    assert attack("UPDATE payments_journalbatchday SET holds = true") == "batch_day_stays"


@pytest.mark.parametrize(
    ("wrong", "guard"),
    [
        ({"account": "=1+1"}, "account_mapping_account"),
        ({"account": "-1"}, "account_mapping_account"),
        ({"account": "A\r\nB"}, "account_mapping_account"),
        ({"account": ""}, "account_mapping_account"),
        ({"system": "xero", "tax": ""}, "account_mapping_tax_rate"),
        ({"kind": "slush"}, "account_mapping_kind"),
        ({"system": "sage"}, "account_mapping_system"),
        ({"currency": "US"}, "account_mapping_currency"),
    ],
)
def test_a_mapping_that_would_spoil_a_file_is_refused(wrong, guard):
    good = {"system": "quickbooks", "kind": "bank", "currency": "", "account": "Bank", "tax": ""}

    assert attack(MAPPING, **good | wrong) == guard
    assert attack(MAPPING, **good) is None
    assert attack(MAPPING, **good) == "account_mapping_once"


def test_what_is_refused_is_a_domain_error():
    with pytest.raises(DomainError, match="was exported to Xero before"):
        made(XERO)
