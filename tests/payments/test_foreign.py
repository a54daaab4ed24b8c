"""Not ours: what another business moved at the same provider leaves our books, and our rules alone. And back."""

import pytest
from django.db import transaction

from config.clock import database_now
from payments.ledger import rules
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Discrepancy, DiscrepancyKind, ForeignObject
from payments.services.books import broken
from payments.services.discrepancies import raise_discrepancy
from payments.services.queue.foreign import find_ours, mark_foreign
from payments.services.queue.stakes import stake_of
from tests.support.charging import balances
from tests.support.queue import moved, raised
from tests.support.refunding import fresh
from tests.support.refusals import refused

pytestmark = pytest.mark.django_db
WHY = "It is of the shop."


def mark(row, by, reason=WHY):
    return mark_foreign(discrepancy_id=row.pk, by=by, reason=reason)


def test_what_is_not_ours_leaves_suspense_and_is_not_raised_again(finance):
    row = moved(9900)

    found = mark(row, finance)

    assert balances() == {"clearing": 9900, "not_ours": -9900}
    assert (found.amount_cents, found.entry.source_id) == (-9900, str(row.pk))
    assert (fresh(row).status, fresh(row).resolution) == ("resolved", f"Not ours: {WHY}")
    assert raised(DiscrepancyKind.UNKNOWN_MOVEMENT, row.object_key).pk == row.pk
    assert Discrepancy.objects.count() == 1
    assert broken() == {}


def test_ours_after_all_it_lies_where_it_lay_and_waits_again(finance):
    row = moved(9900)
    found = mark(row, finance)

    find_ours(mark_id=found.pk, by=finance, reason="The shop denies it.")

    assert balances() == {"clearing": 9900, "suspense": -9900}
    again = Discrepancy.objects.get(status="open")
    assert (again.object_key, again.sentence, again.kind) == (row.object_key, row.sentence, row.kind)
    assert refused(lambda: find_ours(mark_id=found.pk, by=finance, reason="Twice.")) == "INVALID_TRANSITION"
    assert mark(again, finance).pk != found.pk
    assert balances() == {"clearing": 9900, "not_ours": -9900}


@pytest.mark.parametrize("details", [{"charge": {"id": "ch_far"}}, {"charge": "ch_far"}, {"target": "charge:ch_far"}])
def test_money_of_a_payment_that_is_not_here_is_moved_out_of_what_is_unallocated(finance, details):
    with transaction.atomic():
        post(rules.charge_received("stripe", "ch_far", Sum(5000, "usd", False, database_now())))
        row_id = raise_discrepancy(
            kind=DiscrepancyKind.MISSING_LOCALLY, object_key="payment:stripe:0", sentence="Money of ours.",
            suggestion="Restore it.", details=details,
        )  # fmt: skip
    assert set(broken()) == {"unallocated"}

    mark(Discrepancy.objects.get(pk=row_id), finance)

    assert balances() == {"clearing": 5000, "not_ours": -5000}
    assert broken() == {}


def two_rows_about_one_charge():
    """After a restore, of money whose request is gone: its refund names the charge, the charge its payment."""
    with transaction.atomic():
        post(rules.charge_received("stripe", "ch_far", Sum(5000, "usd", False, database_now())))
    return [
        raised(DiscrepancyKind.MISSING_LOCALLY, "charge:stripe:ch_far"),
        raised(DiscrepancyKind.MISSING_LOCALLY, "payment:stripe:0", details={"charge": {"id": "ch_far"}}),
    ]


def test_money_that_two_rows_are_about_is_moved_once(finance):
    by_charge, by_payment = two_rows_about_one_charge()

    mark(by_charge, finance)
    mark(by_payment, finance)

    assert balances() == {"clearing": 5000, "not_ours": -5000}
    assert [found.amount_cents for found in ForeignObject.objects.order_by("id")] == [-5000, 0]
    assert broken() == {}


def test_what_never_was_in_the_books_is_only_written_down(finance):
    row = raised(DiscrepancyKind.MISSING_LOCALLY, "payment:stripe:1", details={"charge": "ch_unknown"})

    found = mark(row, finance)
    find_ours(mark_id=found.pk, by=finance, reason="It is ours.")

    assert (found.entry, found.amount_cents, balances()) == (None, 0, {})
    assert Discrepancy.objects.filter(status="open").count() == 1


def test_what_may_not_be_foreign_is_refused(finance):
    closed = moved()
    mark(closed, finance)

    assert refused(lambda: mark(raised(), finance)) == "INVALID_TRANSITION"
    assert refused(lambda: mark(closed, finance)) == "INVALID_TRANSITION"
    assert refused(lambda: mark(moved(), finance, reason=" ")) == "VALIDATION_ERROR"
    assert refused(lambda: find_ours(mark_id=4711, by=finance, reason="x")) == "NOT_FOUND"
    assert ForeignObject.objects.count() == 1


def test_only_what_a_key_names_has_something_in_the_books():
    for key in ("movement:", "charge:stripe:", "payment:stripe:2", "books:x", "nonsense"):
        assert stake_of(raised(DiscrepancyKind.UNKNOWN_MOVEMENT, key)) is None
