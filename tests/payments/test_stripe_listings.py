"""Pages of Stripe's lists: what moved, what it was a movement of, and what the other lists say beside it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from config.clock import database_now
from payments.models import MovementKind, ObjectKind, SourceKind
from payments.providers import online_provider
from payments.providers.base import Order, RefundOrder
from payments.providers.faults import NotThere, Rejected
from payments.providers.stripe import client
from payments.providers.stripe.client import Api
from payments.providers.stripe.listings import balance_of, listed_movement

pytestmark = pytest.mark.django_db

AT = 1_790_000_000
FEE = {
    "id": "txn_9", "amount": -250, "fee": 0, "net": -250, "currency": "usd", "exchange_rate": None,
    "reporting_category": "fee", "type": "stripe_fee", "created": AT, "available_on": AT, "source": None,
}  # fmt: skip


@pytest.fixture
def paid(double):
    """A session that somebody has paid, and its charge."""
    session = online_provider().create_session(
        Order(
            ref=str(uuid4()), idempotency_key=f"checkout:{uuid4()}:1", payment_id=3, request_id=7, pool_id=1,
            title="Pool: entry 1", amount_cents=5000, currency="usd", email="player@example.com",
            expires_at=database_now() + timedelta(minutes=40),
        )
    )  # fmt: skip
    double.pay(session.url)
    return online_provider().fetch(session.reference)


def refund(charge_id, amount_cents=1000):
    return online_provider().create_refund(
        RefundOrder(
            ref=str(uuid4()), idempotency_key=f"refund:{uuid4()}:1", payment_id=3, refund_id=9, charge_id=charge_id,
            amount_cents=amount_cents, currency="usd",
        )
    )  # fmt: skip


def window(ahead=timedelta(minutes=5)):
    now = database_now()
    return {"since": now - timedelta(minutes=5), "until": now + ahead}


def every(call, **given):
    """All rows of a list, and how many pages they took."""
    rows, after, pages = [], None, 0
    while pages == 0 or after is not None:
        page = call(after=after, **given)
        rows, after, pages = [*rows, *page.rows], page.after, pages + 1
    return rows, pages


def movements(**given):
    return every(online_provider().movements_page, **(given or window()))[0]


def objects(kind):
    return every(lambda **given: online_provider().objects_page(kind, **given), **window())[0]


class TestTheFeed:
    def test_a_charge_comes_with_its_fee_and_our_mark(self, paid):
        (one,) = movements()

        assert (one.movement.kind, one.movement.amount_cents, one.movement.fee_cents) == ("charge", 5000, 175)
        assert one.movement.net_cents == 4825
        assert (one.source_kind, one.source_id, one.charge_id) == (SourceKind.CHARGE, paid.charge.id, paid.charge.id)
        assert (one.source_cents, one.source_currency, one.livemode) == (5000, "usd", False)
        assert one.origin == paid.origin

    def test_what_became_of_a_charge_names_it(self, double, paid):
        ours = refund(paid.charge.id)
        theirs = double.dashboard_refund(500, charge=paid.charge.id)
        disputed = double.dispute(charge=paid.charge.id)

        dispute, external, own, _ = movements()

        assert {one.charge_id for one in (dispute, external, own)} == {paid.charge.id}
        assert (own.source_kind, own.source_id, own.origin.ref) == (SourceKind.REFUND, ours.reference, ours.ref)
        assert (external.source_id, external.origin.ref) == (theirs["id"], "")
        assert (dispute.source_kind, dispute.source_id) == (SourceKind.DISPUTE, disputed["id"])
        assert (dispute.movement.kind, dispute.movement.fee_cents) == (MovementKind.DISPUTE, 1500)

    def test_a_payout_has_its_own_movements_and_those_that_it_paid_out(self, double, paid):
        double.advance(3 * 86_400)
        (payout,) = double.run_payouts()
        before = every(online_provider().movements_of_payout, reference=payout["id"])[0]
        double.reconcile_payout(payout["id"])

        items = every(online_provider().movements_of_payout, reference=payout["id"])[0]
        double.move_payout(payout["id"], "failed")

        assert [one.source_id for one in before] == [payout["id"]]
        assert {(one.source_kind, one.movement.net_cents) for one in items} == {("payout", -4825), ("charge", 4825)}
        assert online_provider().balance().cents == {"usd": 4825}

    def test_what_no_payout_is_has_no_movements(self, double):
        with pytest.raises(NotThere):
            online_provider().movements_of_payout("po_unknown", after=None)

    def test_money_settled_in_another_currency_keeps_its_own(self, double, paid):
        double.settle_next_in("eur", 0.5)
        double.foreign_charge(2000, metadata={"order": "of somebody else"})

        one = movements()[0]

        assert (one.movement.amount_cents, one.movement.currency) == (1000, "eur")
        assert (one.source_cents, one.source_currency, one.origin.ref) == (2000, "usd", "")
        assert set(online_provider().balance().cents) == {"eur", "usd"}

    def test_a_fee_of_the_account_is_of_nothing(self):
        one = listed_movement(FEE, livemode=True)

        assert (one.source_kind, one.source_id, one.livemode) == (SourceKind.OTHER, "", True)
        assert (one.movement.kind, one.movement.category) == (MovementKind.OTHER, "fee")

    def test_what_came_back_of_a_transfer_is_of_the_transfer(self):
        back = {"id": "trr_1", "object": "transfer_reversal", "transfer": "tr_1", "amount": 40, "currency": "usd"}

        one = listed_movement({**FEE, "reporting_category": "transfer_reversal", "source": back}, livemode=False)

        assert (one.source_kind, one.source_id, one.source_cents) == (SourceKind.TRANSFER, "tr_1", 40)

    @pytest.mark.parametrize("object", ["topup", "connect_collection_transfer", None])
    def test_what_stripe_may_bring_one_day_is_kept_as_other(self, object):
        source = {"id": "x_1", "object": object, "amount": None, "livemode": True}

        one = listed_movement({**FEE, "source": source}, livemode=False)

        assert (one.source_kind, one.source_id, one.source_cents, one.livemode) == (SourceKind.OTHER, "x_1", None, True)


class TestPages:
    def test_every_row_comes_once_and_the_newest_first(self, double, paid, monkeypatch):
        monkeypatch.setattr(client, "PAGE", 2)
        for amount in (100, 200, 300, 400):
            refund(paid.charge.id, amount)

        rows, pages = every(online_provider().movements_page, **window())

        assert [one.movement.amount_cents for one in rows] == [-400, -300, -200, -100, 5000]
        assert pages == 3

    def test_what_moved_at_the_end_of_the_window_is_of_the_next(self, paid):
        at = movements()[0].movement.occurred_at

        assert movements(since=at - timedelta(hours=1), until=at) == []
        assert len(movements(since=at, until=at + timedelta(seconds=1))) == 1

    def test_money_that_moves_meanwhile_does_not_disturb_a_window_that_has_ended(self, double, paid, monkeypatch):
        monkeypatch.setattr(client, "PAGE", 1)
        refund(paid.charge.id)
        double.advance(60)
        given = {"since": database_now() - timedelta(minutes=5), "until": database_now() + timedelta(seconds=30)}
        first = online_provider().movements_page(**given, after=None)
        refund(paid.charge.id)

        second = online_provider().movements_page(**given, after=first.after)

        assert [one.movement.amount_cents for one in (*first.rows, *second.rows)] == [-1000, 5000]
        assert second.after is None

    def test_a_place_that_is_not_there_is_refused(self, double):
        with pytest.raises(Rejected):
            online_provider().movements_page(**window(), after="txn_unknown")


class TestTheOtherLists:
    def test_sessions(self, paid):
        (one,) = objects(ObjectKind.SESSION)

        assert (one.object_id, one.status, one.charge_id) == (paid.reference, "paid", paid.charge.id)
        assert (one.amount_cents, one.currency, one.origin) == (5000, "usd", paid.origin)

    def test_charges_also_those_that_were_declined(self, double, paid):
        session = online_provider().create_session(
            Order("x", "checkout:x:1", 1, 1, 1, "Pool", 700, "usd", "p@example.com", None)
        )
        double.pay(session.url, "4000000000000002")
        refund(paid.charge.id)

        declined, taken = objects(ObjectKind.CHARGE)

        assert (declined.status, declined.amount_cents, declined.back_cents) == ("failed", 700, 0)
        assert (taken.status, taken.amount_cents, taken.back_cents) == ("succeeded", 5000, 1000)
        assert taken.origin == paid.origin

    def test_refunds_in_our_words(self, double, paid):
        double.next_refunds("pending", pending_reason="processing")
        first, second = refund(paid.charge.id, 100), refund(paid.charge.id, 200)
        double.move_refund(first.reference, "failed")

        assert [(one.object_id, one.status, one.charge_id) for one in objects(ObjectKind.REFUND)] == [
            (second.reference, "succeeded", paid.charge.id), (first.reference, "failed", paid.charge.id),
        ]  # fmt: skip

    def test_disputes_in_the_words_of_stripe(self, double, paid):
        disputed = double.dispute(charge=paid.charge.id)

        (one,) = objects(ObjectKind.DISPUTE)

        assert (one.object_id, one.status, one.amount_cents) == (disputed["id"], "needs_response", 5000)

    def test_payouts_in_ours(self, double, paid):
        double.advance(3 * 86_400)
        (payout,) = double.run_payouts()

        given = {"since": database_now(), "until": database_now() + timedelta(days=4)}
        (one,) = online_provider().objects_page(ObjectKind.PAYOUT, **given, after=None).rows

        assert (one.object_id, one.status, one.amount_cents) == (payout["id"], "under_way", 4825)


class TestTheBalance:
    def test_pending_money_is_ours_as_well(self, paid):
        assert online_provider().balance().cents == {"usd": 4825}
        assert online_provider().balance().livemode is False

    def test_all_parts_are_added_up_in_our_minor_units(self):
        told = {
            "livemode": True, "connect_reserved": [{"amount": 300, "currency": "usd"}],
            "available": [{"amount": -200, "currency": "usd"}, {"amount": 150_000, "currency": "isk"}],
            "pending": [{"amount": 50, "currency": "usd"}],
        }  # fmt: skip

        assert balance_of(told).cents == {"usd": 150, "isk": 1500}


def test_pages_are_read_past_the_objects_of_the_client(double, paid, monkeypatch):
    """Its objects would take seven times as long, for what is thrown away at once."""
    asked = []
    raw = Api.page
    monkeypatch.setattr(Api, "page", lambda self, path, params: asked.append((path, params)) or raw(self, path, params))

    movements()

    ((path, params),) = asked
    assert path == "/v1/balance_transactions"
    assert params["expand"] == ["data.source"]
