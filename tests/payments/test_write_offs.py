"""Giving up what nobody will find: one asks, another approves, and the books say what it cost."""

from dataclasses import replace

import pytest
from django.db import transaction

from config.clock import database_now
from payments.ledger import rules
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import Act, Discrepancy, DiscrepancyAct, DiscrepancyKind, WriteOff
from payments.services.books import broken
from payments.services.discrepancies import resolve, settle_discrepancy
from payments.services.queue.write_offs import approve_write_off, decline_write_off, request_write_off
from tests.factories.accounts import FinanceFactory
from tests.support.charging import balances
from tests.support.queue import moved, raised
from tests.support.refunding import fresh
from tests.support.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague():
    return FinanceFactory()


def wish_for(row, by, reason="Nobody knows what it was."):
    return request_write_off(discrepancy_id=row.pk, by=by, reason=reason)


@pytest.mark.parametrize(("cents", "books"), [(-1234, (-1234, 1234)), (1234, (1234, -1234))])
def test_two_people_write_a_loss_or_a_gain_off(finance, colleague, cents, books):
    row = moved(cents)

    wish = wish_for(row, finance)
    assert balances() == {"clearing": cents, "suspense": -cents}
    wish = approve_write_off(write_off_id=wish.pk, by=colleague)

    clearing, lost = books
    assert balances() == {"clearing": clearing, "write_offs": lost}
    assert (fresh(row).status, fresh(row).closed_by) == ("written_off", colleague)
    assert fresh(row).resolution == "Written off: Nobody knows what it was."
    assert (wish.status, wish.entry.source_id, wish.entry.event) == ("approved", str(row.pk), "written_off")
    assert list(DiscrepancyAct.objects.values_list("act", "by_id")) == [
        (Act.WRITE_OFF_ASKED, finance.pk), (Act.WRITE_OFF_APPROVED, colleague.pk),
    ]  # fmt: skip
    assert broken() == {}


def test_whoever_asked_cannot_approve(finance):
    wish = wish_for(moved(), finance)

    assert refused(lambda: approve_write_off(write_off_id=wish.pk, by=finance)) == "SECOND_NAME_NEEDED"
    assert (fresh(wish).status, balances()["suspense"]) == ("requested", 1234)


def test_more_than_the_limit_is_refused_and_a_currency_has_its_own_units(finance, colleague, settings):
    settings.WRITE_OFF_AT_MOST = 1234
    assert refused(lambda: wish_for(moved(-1235), finance)) == "WRITE_OFF_TOO_LARGE"
    assert refused(lambda: wish_for(moved(-13, currency="jpy"), finance)) == "WRITE_OFF_TOO_LARGE"
    wish_for(moved(12, currency="jpy"), finance)
    wish_for(moved(-12340, currency="kwd"), finance)
    wish = wish_for(moved(-1234), finance)

    settings.WRITE_OFF_AT_MOST = 1233

    assert refused(lambda: approve_write_off(write_off_id=wish.pk, by=colleague)) == "WRITE_OFF_TOO_LARGE"


def test_it_is_asked_for_once_and_again_after_it_was_declined(finance, colleague):
    row = moved()
    wish = wish_for(row, finance)
    assert refused(lambda: wish_for(row, colleague)) == "VERSION_CONFLICT"

    decline_write_off(write_off_id=wish.pk, by=colleague, reason="Ask the provider first.")

    assert (fresh(wish).decided_by, fresh(wish).decision_reason) == (colleague, "Ask the provider first.")
    assert fresh(row).status == "open"
    assert refused(lambda: approve_write_off(write_off_id=wish.pk, by=colleague)) == "INVALID_TRANSITION"
    assert wish_for(row, colleague).status == "requested"


def test_whoever_asked_may_take_it_back(finance):
    wish = wish_for(moved(), finance)

    assert decline_write_off(write_off_id=wish.pk, by=finance, reason="Found it.").status == "declined"


def test_what_closes_meanwhile_needs_no_write_off(finance, colleague):
    by_hand, by_itself = moved(), moved()
    wishes = [wish_for(row, finance) for row in (by_hand, by_itself)]

    resolve(discrepancy_id=by_hand.pk, by=colleague, resolution="found it")
    settle_discrepancy(kind=DiscrepancyKind.UNKNOWN_MOVEMENT, object_key=by_itself.object_key, resolution="gone")

    assert [fresh(wish).status for wish in wishes] == ["declined", "declined"]
    assert refused(lambda: approve_write_off(write_off_id=wishes[0].pk, by=colleague)) == "INVALID_TRANSITION"
    assert balances()["suspense"] == 2468


def test_only_what_lies_in_the_books_and_only_kinds_that_may_be(finance):
    nothing_there = raised(DiscrepancyKind.UNKNOWN_MOVEMENT, "movement:stripe:txn_nowhere", amount_cents=500)

    assert refused(lambda: wish_for(nothing_there, finance)) == "INVALID_TRANSITION"
    assert refused(lambda: wish_for(raised(), finance)) == "INVALID_TRANSITION"
    assert refused(lambda: request_write_off(discrepancy_id=4711, by=finance, reason="x")) == "NOT_FOUND"
    assert refused(lambda: approve_write_off(write_off_id=4711, by=finance)) == "NOT_FOUND"
    assert refused(lambda: wish_for(moved(), finance, reason="  ")) == "VALIDATION_ERROR"
    assert refused(lambda: wish_for(moved(), finance, reason="x" * 501)) == "VALIDATION_ERROR"
    assert not WriteOff.objects.exists()


def test_what_was_cleared_is_not_cleared_again(finance, colleague):
    row = moved()
    approve_write_off(write_off_id=wish_for(row, finance).pk, by=colleague)

    again = raised(DiscrepancyKind.UNKNOWN_MOVEMENT, row.object_key)

    assert refused(lambda: wish_for(again, finance)) == "INVALID_TRANSITION"


def test_a_row_that_a_run_has_closed_in_one_statement_is_not_written_off(finance, colleague):
    row = moved()
    wish = wish_for(row, finance)
    Discrepancy.objects.filter(pk=row.pk).update(status="resolved", closed_at=database_now(), resolution="gone")

    assert refused(lambda: approve_write_off(write_off_id=wish.pk, by=colleague)) == "INVALID_TRANSITION"
    assert decline_write_off(write_off_id=wish.pk, by=finance, reason="Not needed.").status == "declined"
    assert balances()["suspense"] == 1234


def test_what_the_books_say_by_now_counts(finance, colleague):
    """Somebody has booked more of the same movement since it was asked for."""
    row = moved()
    wish = wish_for(row, finance)
    _, provider, name = row.object_key.split(":")
    with transaction.atomic():
        post(replace(rules.unexplained(provider, name, Sum(-100, "usd", False, database_now())), event="more"))

    assert refused(lambda: approve_write_off(write_off_id=wish.pk, by=colleague)) == "VERSION_CONFLICT"
