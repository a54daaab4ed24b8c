"""Cards and accounts that several players pay with: kept by name, told to who decides, gone with the account."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.services.closing import close_account
from config.clock import database_now
from entries.services.risks import risks_of
from payments.models import Instrument, Receipt
from payments.providers.base import Charge, ChargeFacts
from payments.providers.stripe.charges import charge_facts
from payments.services import instruments
from payments.services.charge_state import apply_charge_facts
from payments.services.provider_state import Source
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry
from tests.payments.test_own_data import data_of
from tests.payments.test_stripe_charges import CHARGE
from tests.support.charging import learn, paid_receipt
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def paid_with(instrument, user=None):
    """Somebody who paid with it, as the provider told us."""
    user = user or UserFactory()
    entry = paid_entry(RequestFactory(approved=True, user=user))
    tell(entry.request.payments.get().receipts.get(), instrument)
    return user


def tell(receipt, instrument):
    charge = Charge(receipt.charge_id, receipt.amount_cents, receipt.currency, receipt.received_at)
    facts = ChargeFacts(charge, receipt.livemode, instrument)
    return apply_charge_facts(receipt_id=receipt.pk, facts=facts, asked_at=database_now(), source=Source.SWEEP)


def hints_of(*users):
    requests = [RequestFactory(user=user) for user in users]
    told = risks_of(requests, database_now())
    return [[hint.text for hint in told[request.pk] if "paid with" in hint.text] for request in requests]


@pytest.mark.parametrize(
    ("details", "name"),
    [
        ({"type": "card", "card": {"fingerprint": "Xt5EWLLDS7FJjR1c"}}, "Xt5EWLLDS7FJjR1c"),
        ({"type": "us_bank_account", "us_bank_account": {"fingerprint": "Fb2"}, "card": {"fingerprint": "no"}}, "Fb2"),
        ({"type": "card", "card": {"fingerprint": None}}, ""),
        ({"type": "link", "link": {}}, ""),
        ({"type": "brand_new"}, ""),
        (None, ""),
    ],
)
def test_the_name_is_read_where_stripe_says_it(details, name):
    assert charge_facts({**CHARGE, "payment_method_details": details}, [], []).instrument == name


def test_what_was_paid_with_at_the_provider_is_kept_once(api, unpaid, double):
    receipt = paid_receipt(api, unpaid, double)
    assert not Instrument.objects.exists()
    for _ in range(2):
        learn(receipt)
    kept = Instrument.objects.get()
    assert (kept.user, kept.provider, len(kept.fingerprint)) == (unpaid.user, "stripe", 16)
    assert [one["fingerprint"] for one in data_of(unpaid.user)["instruments"]] == [kept.fingerprint]


def test_who_decides_is_told_how_many_others_paid_with_it(monkeypatch, django_assert_num_queries):
    first, second, third = (paid_with("card-1") for _ in range(3))
    paid_with("card-2", third)
    alone, unknown = paid_with("card-3"), paid_with("")
    fourth = paid_with("card-2")
    two = ["2 other accounts have paid with the same card or bank account."]
    three = ["3 other accounts have paid with the same card or bank account."]
    one = ["1 other account has paid with the same card or bank account."]
    assert hints_of(first, second, third, fourth, alone, unknown) == [two, two, three, one, [], []]
    for people in ([first], [first, second, third, fourth, alone]):
        with django_assert_num_queries(1):
            instruments.shared_instruments([user.pk for user in people])
    monkeypatch.setattr(instruments, "MOST_SHARING", 1)
    assert hints_of(first) == [one]


def test_it_goes_with_the_account_and_does_not_come_again():
    user, other = paid_with("card-1"), paid_with("card-1")
    close_account(user=user, now=database_now())
    assert list(Instrument.objects.values_list("user_id", flat=True)) == [other.pk]
    tell(Receipt.objects.get(payment__request__user=user), "card-2")
    assert list(Instrument.objects.values_list("user_id", flat=True)) == [other.pk]
    assert hints_of(other) == [[]]


def test_news_about_somebody_who_is_just_closing_neither_waits_nor_stays():
    user = UserFactory()
    entry = paid_entry(RequestFactory(approved=True, user=user))
    receipt = entry.request.payments.get().receipts.get()
    is_closed, is_told = threading.Event(), threading.Event()

    @transaction.atomic
    def close():
        close_account(user=user, now=database_now())
        is_closed.set()
        assert is_told.wait(20)

    def news():
        assert is_closed.wait(20)
        tell(receipt, "card-1")
        is_told.set()

    assert [outcome.error for outcome in run_together([close, news])] == [None, None]
    assert not Instrument.objects.exists()


def test_the_database_keeps_each_once_and_none_without_a_name():
    user = paid_with("card-1")
    columns = "user_id, provider, fingerprint"
    attacks = (
        f"INSERT INTO payments_instrument ({columns}) SELECT {columns} FROM payments_instrument",
        "UPDATE payments_instrument SET fingerprint = ''",
    )
    for attack, name in zip(attacks, ("instrument_once", "instrument_named"), strict=True):
        with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)
        assert refusal.value.__cause__.diag.constraint_name == name
    assert Instrument.objects.get().user == user
