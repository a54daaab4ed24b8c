"""What every provider promises, whoever it is: the same expectations of Stripe, of money by hand, and of the toy."""

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from uuid import uuid4

import pytest

from config.clock import database_now
from payments import providers
from payments.models import MovementKind, ObjectKind, Receipt
from payments.providers import provider_named, register
from payments.providers.base import Balance, Order, Page, RefundOrder, RefundPhase, SessionState
from payments.providers.faults import NotThere, ProviderError, Rejected, SignatureInvalid
from payments.providers.port import PaymentProvider
from payments.services.manual.deciding import confirm_record
from payments.services.manual.incoming import record_payment
from payments.services.refunds.deciding import request_refund
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.support.by_hand import cash, paid_by_hand
from tests.support.toy_provider import ToyProvider

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = [name for name in vars(PaymentProvider) if not name.startswith("_")]
_numbers = count(1)


def order(**changes):
    number = next(_numbers)
    whole = Order(
        ref=str(uuid4()), idempotency_key=f"checkout:{number}:1", payment_id=number, request_id=number, pool_id=1,
        title="Pool: entry 1", amount_cents=5000, currency="usd", email="player@example.com",
        expires_at=database_now() + timedelta(minutes=40),
    )  # fmt: skip
    return replace(whole, **changes)


@dataclass
class Online:
    """One that opens sessions; `pay` is how its players pay."""

    provider: object
    pay: object

    def opened(self, **changes):
        return self.provider.create_session(order(**changes))

    def paid(self):
        session = self.opened()
        self.pay(session)
        return self.provider.fetch(session.reference)

    def refunded(self, charge, amount_cents=2000, **changes):
        wish = RefundOrder(
            ref=str(uuid4()), idempotency_key=f"refund:{uuid4()}:1", payment_id=1, refund_id=1, charge_id=charge.id,
            amount_cents=amount_cents, currency=charge.currency,
        )  # fmt: skip
        return self.provider.create_refund(replace(wish, **changes))


@dataclass
class ByHand:
    """Money by hand is opened by a record, and paid by a second name."""

    provider: object

    def opened(self):
        request = RequestFactory(approved=True)
        self.record = record_payment(
            request_id=request.pk, handover=cash(f"receipt {next(_numbers)}"), amount_cents=5000, currency="usd",
            by=FinanceFactory(), now=database_now(),
        )  # fmt: skip
        return self.provider.fetch(f"manual_{self.record.pk}")

    def paid(self):
        session = self.opened()
        confirm_record(record_id=self.record.pk, by=FinanceFactory())
        return self.provider.fetch(session.reference)

    def refunded(self, charge):
        refund = request_refund(
            receipt_id=Receipt.objects.get(charge_id=charge.id).pk, amount_cents=2000, taken_from="house",
            reason="goodwill", by=FinanceFactory(), now=database_now(), manual=cash(f"receipt {next(_numbers)}"),
        )  # fmt: skip
        confirm_record(record_id=refund.manual_record.pk, by=FinanceFactory())
        return self.provider.find_refund(ref=str(refund.ref), charge_id=charge.id)


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setattr(providers, "_registered", {})
    made = ToyProvider()
    register("toy", lambda: made)
    return made


def house_of(name, double, toy):
    if name == "manual":
        return ByHand(provider_named("manual"))
    if name == "stripe":
        return Online(provider_named("stripe"), lambda session: double.pay(session.url))
    return Online(toy, lambda session: toy.pay(session.reference))


@pytest.fixture(params=["stripe", "manual", "toy"])
def house(request, double, toy):
    return house_of(request.param, double, toy)


@pytest.fixture(params=["stripe", "toy"])
def online(request, double, toy):
    return house_of(request.param, double, toy)


class TestEverybody:
    def test_the_whole_port_is_there(self, house):
        assert [name for name in METHODS if not callable(getattr(house.provider, name, None))] == []
        assert isinstance(house.provider.livemode, bool)
        assert isinstance(house.provider.signature_header, str)
        assert provider_named(house.provider.name).name == house.provider.name

    def test_what_is_not_paid_has_no_charge(self, house):
        session = house.opened()

        assert session.charge is None
        assert session.state in (SessionState.OPEN, SessionState.PROCESSING)
        assert house.provider.fetch(session.reference).ref == session.ref

    def test_what_is_paid_has_its_charge_to_the_cent(self, house):
        paid = house.paid()

        assert paid.state is SessionState.PAID
        assert (paid.charge.amount_cents, paid.charge.currency) == (5000, "usd")
        assert abs(paid.charge.paid_at - database_now()) < timedelta(minutes=2)
        assert house.provider.fetch(paid.reference).charge == paid.charge

    def test_a_paid_session_is_answered_as_paid_when_it_is_to_be_ended(self, house):
        paid = house.paid()

        assert house.provider.expire(paid.reference).charge == paid.charge

    def test_a_charge_tells_what_became_of_it(self, house):
        charge = house.paid().charge

        found = house.provider.fetch_charge(charge.id)

        assert (found.charge, found.refunds, found.disputes) == (charge, (), ())
        assert found.livemode is house.provider.livemode
        assert (found.movement.kind, found.movement.amount_cents) == (MovementKind.CHARGE, 5000)
        assert found.movement.fee_cents >= 0

    def test_a_charge_tells_whose_it_is(self, house):
        paid = house.paid()

        origin = house.provider.origin_of_charge(paid.charge.id)

        assert (origin.ref, origin.env) == (paid.ref, "test")
        assert None not in (origin.payment_id, origin.request_id, origin.pool_id)

    def test_a_refund_is_told_of_by_the_charge(self, house):
        charge = house.paid().charge

        refund = house.refunded(charge)

        assert (refund.phase, refund.amount_cents, refund.charge_id) == (RefundPhase.SUCCEEDED, 2000, charge.id)
        assert (refund.movement.kind, refund.movement.amount_cents) == (MovementKind.REFUND, -2000)
        told = house.provider.fetch_charge(charge.id).refunds
        assert [(one.reference, one.ref, one.phase) for one in told] == [(refund.reference, refund.ref, refund.phase)]
        assert house.provider.find_refund(ref=refund.ref, charge_id=charge.id).reference == refund.reference

    def test_what_is_not_there_is_said_not_to_be_there(self, house):
        for call in (house.provider.fetch, house.provider.fetch_charge, house.provider.origin_of_charge):
            for name in ("manual_999", "cs_test_unknown"):
                with pytest.raises(NotThere):
                    call(name)

    def test_no_refund_of_a_name_that_nobody_gave(self, house):
        charge = house.paid().charge

        assert house.provider.find_refund(ref=str(uuid4()), charge_id=charge.id) is None

    def test_news_that_it_did_not_sign_is_refused(self, house):
        with pytest.raises(SignatureInvalid):
            house.provider.read_notice(b"{}", "forged")

    def test_nothing_was_missed_in_the_future(self, house):
        assert list(house.provider.missed_notices(since=database_now() + timedelta(minutes=1))) == []

    def test_lists_name_nothing_that_did_not_happen_then(self, house):
        house.paid()
        then = {"since": database_now() - timedelta(days=2), "until": database_now() - timedelta(days=1), "after": None}

        assert house.provider.movements_page(**then) == Page()
        assert [house.provider.objects_page(kind, **then) for kind in ObjectKind] == [Page()] * len(ObjectKind)

    def test_a_payout_that_is_not_there_has_no_movements(self, house):
        with pytest.raises(NotThere):
            house.provider.movements_of_payout("po_unknown", after=None)

    def test_the_balance_is_of_its_mode(self, house):
        assert house.provider.balance() == Balance(house.provider.livemode, house.provider.balance().cents)


class TestOnline:
    def test_the_feed_has_all_that_moved_and_the_balance_its_sum(self, online):
        charge = online.paid().charge
        online.refunded(charge)
        now = {"since": database_now() - timedelta(minutes=5), "until": database_now() + timedelta(minutes=5)}

        rows = online.provider.movements_page(**now, after=None).rows

        assert [(one.movement.kind, one.movement.amount_cents, one.charge_id) for one in rows] == [
            ("refund", -2000, charge.id), ("charge", 5000, charge.id),
        ]  # fmt: skip
        assert rows[1].origin == online.provider.origin_of_charge(charge.id)
        assert online.provider.balance().cents == {"usd": sum(one.movement.net_cents for one in rows)}

    def test_sessions_are_listed_with_what_was_paid(self, online):
        session, paid = online.opened(), online.paid()
        now = {"since": database_now() - timedelta(minutes=5), "until": database_now() + timedelta(minutes=5)}

        rows = online.provider.objects_page(ObjectKind.SESSION, **now, after=None).rows

        assert [(one.object_id, one.status, one.charge_id) for one in rows] == [
            (paid.reference, "paid", paid.charge.id), (session.reference, "open", ""),
        ]  # fmt: skip

    def test_the_same_call_opens_nothing_new(self, online):
        whole = order()

        assert online.provider.create_session(whole).reference == online.provider.create_session(whole).reference

    def test_a_session_is_found_by_our_name_and_in_its_time(self, online):
        session = online.opened()
        since, until = database_now() - timedelta(minutes=5), database_now() + timedelta(minutes=5)

        assert online.provider.find_session(ref=session.ref, since=since, until=until).reference == session.reference
        assert online.provider.find_session(ref=str(uuid4()), since=since, until=until) is None
        assert session.reference in [
            one.reference for one in online.provider.sessions_between(since=since, until=until)
        ]

    def test_an_ended_session_stays_ended(self, online):
        session = online.opened()

        assert online.provider.expire(session.reference).state is SessionState.EXPIRED
        assert online.provider.expire(session.reference).state is SessionState.EXPIRED

    def test_the_same_refund_is_not_made_twice(self, online):
        charge = online.paid().charge
        first = online.refunded(charge, idempotency_key="refund:one:1", ref="one")

        assert online.refunded(charge, idempotency_key="refund:one:1", ref="one").reference == first.reference
        assert len(online.provider.fetch_charge(charge.id).refunds) == 1

    def test_more_than_came_is_refused_for_good(self, online):
        charge = online.paid().charge
        online.refunded(charge, 4000)

        with pytest.raises(Rejected):
            online.refunded(charge, 4000)

    def test_nothing_is_opened_for_nothing(self, online):
        with pytest.raises(ProviderError):
            online.opened(amount_cents=0)


class TestByHand:
    def test_nothing_is_paid_online(self, double):
        with pytest.raises(Rejected):
            provider_named("manual").create_session(order())

    @pytest.mark.parametrize("name", ["manual_", "manual_1x", "manual_-1", "manual_01", "manual_²", "1", "9" * 40])
    def test_names_that_no_record_has(self, double, name):
        record = paid_by_hand(RequestFactory(approved=True))

        assert provider_named("manual").fetch(f"manual_{record.pk}").state is SessionState.PAID
        with pytest.raises(NotThere):
            provider_named("manual").fetch(name)

    @pytest.mark.parametrize(("online", "env", "is_live"), [("manual", "test", False), ("manual", "production", True)])
    def test_alone_its_money_is_real_in_production(self, settings, online, env, is_live):
        settings.PAYMENT_PROVIDER, settings.OUTLAST_ENV = online, env

        assert provider_named("manual").livemode is is_live

    def test_beside_another_its_money_is_as_real_as_theirs(self, settings, double):
        settings.STRIPE_SECRET_KEY = "sk_live_0000"

        assert provider_named("manual").livemode is True
