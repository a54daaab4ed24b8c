"""What was not booked is booked: as a set, once, in the very lines that the services would have written."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from config import outbox
from config.clock import database_now
from entries.models import Request
from entries.services.imports import import_entries
from entries.services.imports.rows import Row
from payments.ledger.models import JournalEntry, Posting
from payments.models import Discrepancy, Receipt
from payments.pool_numbers import MoneyNumbers, collected
from payments.services.booking import book_place, book_receipt, book_waiver
from payments.services.catching_up import catch_up
from payments.services.waivers import waive_fee
from payments.tasks import catch_up_the_books
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db

NOTHING = {"received": 0, "allocated": 0, "returned": 0, "waived": 0}
EVERYTHING = (
    "SELECT j.source_type, j.source_id, j.event, j.currency_id, j.livemode, a.key, l.amount"
    " FROM payments_posting l JOIN payments_account a ON a.id = l.account_id"
    " JOIN payments_journalentry j ON j.id = l.journal_entry_id ORDER BY 1, 2, 3, l.id"
)


def the_books():
    with connection.cursor() as cursor:
        cursor.execute(EVERYTHING)
        return cursor.fetchall()


def burn_the_books():
    """As a database from before the ledger has none."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "TRUNCATE payments_posting, payments_journalentry, payments_account, payments_checkpoint CASCADE"
        )
        cursor.execute("SET session_replication_role = origin")


def waived(request=None):
    request = request or RequestFactory(approved=True)
    waive_fee(request_id=request.pk, by=FinanceFactory(), reason="a friend of the house", now=database_now())
    request.refresh_from_db()
    with transaction.atomic():
        book_waiver(request)
    return request


def test_what_is_booked_as_a_set_is_what_the_services_book():
    pool = PoolFactory(entry_fee_cents=999, rules={"house_fee_bp": 1250})
    for _ in range(2):
        paid_entry(RequestFactory(approved=True, pool=pool))
    unapplied_money()
    waived()
    waived(RequestFactory(approved=True, pool=pool))
    one_by_one = the_books()
    burn_the_books()

    assert catch_up() == {"received": 3, "allocated": 2, "returned": 0, "waived": 2}

    assert the_books() == one_by_one
    assert catch_up() == NOTHING
    assert the_books() == one_by_one


def test_the_days_are_those_of_the_events_and_not_of_the_catching_up():
    receipt = unapplied_money()
    Receipt.objects.filter(pk=receipt.pk).update(received_at=database_now() - timedelta(days=40))
    burn_the_books()

    catch_up()

    receipt.refresh_from_db()
    assert JournalEntry.objects.get().effective_at == receipt.received_at


def test_money_that_went_back_before_there_were_refunds_is_booked_in_and_out():
    receipt = unapplied_money()
    Receipt.objects.filter(pk=receipt.pk).update(status="returned")
    burn_the_books()

    assert catch_up() == {"received": 1, "allocated": 0, "returned": 1, "waived": 0}

    assert JournalEntry.objects.count() == 2
    assert [line.balance for line in balances()] == [0, 0]


def balances():
    from payments.ledger.balances import Detail, trial_balance

    return trial_balance(livemode=False, detail=Detail.ACCOUNT).rows


def test_imported_entries_bring_the_fees_that_were_collected_elsewhere():
    pool = PoolFactory(entry_fee_cents=1000, rules={"house_fee_bp": 1000})
    import_entries(pool=pool, rows=[Row(n, f"e{n}", f"Owner {n}", 1, "ANT", "") for n in range(1, 4)])
    assert collected([pool.pk]) == {}

    outbox.drain()

    assert collected([pool.pk]) == {pool.pk: (2700, 3)}
    assert set(Posting.objects.values_list("account__kind", flat=True)) == {"opening_equity", "prize_pot"}
    assert MoneyNumbers().pool_numbers([pool.pk])[pool.pk].value_per_entry_cents == 900


def test_batches_come_to_the_same(monkeypatch):
    from payments.services import catching_up

    monkeypatch.setattr(catching_up, "BATCH", 2)
    for _ in range(5):
        unapplied_money()
    before = the_books()
    burn_the_books()

    assert catch_up()["received"] == 5

    assert the_books() == before


def test_what_should_have_been_booked_long_ago_is_put_before_a_person():
    paid_entry()
    burn_the_books()
    assert catch_up_the_books() == 2
    assert Discrepancy.objects.count() == 0

    receipt = Receipt.objects.get()
    Receipt.objects.filter(pk=receipt.pk).update(received_at=database_now() - timedelta(hours=1))
    burn_the_books()
    assert catch_up_the_books() == 2

    found = Discrepancy.objects.get()
    assert (found.kind, found.object_key, found.details["booked"]) == ("not_booked", "books:received", 1)


def test_a_place_that_costs_nothing_and_a_pot_that_gets_nothing_book_nothing():
    waived(RequestFactory(approved=True, pool=PoolFactory(entry_fee_cents=0)))
    waived(RequestFactory(approved=True, pool=PoolFactory(rules={"house_fee_bp": 10_000})))

    assert catch_up() == NOTHING
    assert JournalEntry.objects.count() == 0


def test_one_pool_is_caught_up_alone():
    here, there = waived(), waived()
    burn_the_books()

    assert catch_up(pool_id=here.pool_id)["waived"] == 1
    assert list(JournalEntry.objects.values_list("source_id", flat=True)) == [str(here.pk)]
    assert catch_up()["waived"] == 1
    assert Request.objects.filter(pk=there.pk).exists()


def test_a_place_taken_before_the_books_were_caught_up_leaves_nothing_behind():
    from payments.services.booking import book_place_taken

    paid_entry()
    receipt = Receipt.objects.get()
    burn_the_books()

    with transaction.atomic():
        assert book_place_taken(receipt) == 5000
    catch_up()

    assert [(row.kind, row.balance) for row in balances()] == [
        ("clearing", 5000), ("unallocated", -5000), ("prize_pot", 0),
    ]  # fmt: skip


def test_booking_twice_is_booking_once():
    paid_entry()
    before = the_books()
    receipt = Receipt.objects.get()

    with transaction.atomic():
        book_receipt(receipt)
        book_place(receipt)

    assert the_books() == before


def wait_until_waited_for():
    """Until somebody has looked, written the same, and waits for this transaction."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
            if cursor.fetchone():
                return
            time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_what_a_service_books_at_the_same_moment_is_booked_once():
    """It is not there yet for who looks; the books know it all the same."""
    paid_entry()
    before, receipt = the_books(), Receipt.objects.get()
    burn_the_books()
    is_written = threading.Event()

    def service():
        with transaction.atomic():
            book_receipt(receipt)
            is_written.set()
            wait_until_waited_for()

    def all_of_them():
        is_written.wait(10)
        return catch_up()

    one, other = run_together([service, all_of_them])

    assert (one.error, other.error) == (None, None)
    assert (other.value, the_books()) == (NOTHING | {"allocated": 1}, before)
