"""A provider's payout to our bank: what it took along, whether that is what it came to, and what is told of it."""

from datetime import timedelta

import pytest
from django.db import connection

from config.clock import database_now
from payments.models import Discrepancy, Movement, ProviderPayout, ProviderPayoutItem, ReconciliationRun
from payments.providers.faults import NotThere
from payments.reconciliation import payouts
from payments.reconciliation.payouts import reconcile_payouts
from payments.services.movements import apply_payout_state
from payments.services.payout_items import reconcile_payout
from tests.support.attacks import attack
from tests.support.charging import another_place, balance, learn, paid_receipt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payout(api, unpaid, double):
    """An automatic one of one paid place, whose movements Stripe has worked out."""
    learn(paid_receipt(api, unpaid, double))
    double.advance(4 * 86_400)
    made = double.run_payouts()[0]
    double.reconcile_payout(made["id"])
    return made


def reconcile(payout):
    return reconcile_payout(provider="stripe", reference=payout["id"])


def doubt():
    return Discrepancy.objects.get(kind="payout_sum_mismatch")


def test_its_items_are_what_it_took_along(payout):
    row = reconcile(payout)

    assert (row.status, row.amount_cents, row.is_automatic, row.is_itemised) == ("under_way", 4825, True, True)
    assert (row.listed_count, row.listed_cents) == (1, 4825)
    assert list(row.items.values_list("movement__kind", flat=True)) == ["charge"]
    assert balance("bank_in_transit") == 4825
    assert not Discrepancy.objects.exists()


def test_twice_is_as_good_as_once(payout):
    reconcile(payout)
    reconcile(payout)

    assert (ProviderPayout.objects.count(), ProviderPayoutItem.objects.count()) == (1, 1)
    assert balance("bank_in_transit") == 4825


def test_its_trace_id_comes_with_its_arrival(payout, double):
    reconcile(payout)
    double.move_payout(payout["id"], "paid")

    row = reconcile(payout)

    assert (row.status, row.trace_id) == ("paid", payout["id"].removeprefix("po_"))


def test_of_one_that_is_not_worked_out_yet_nothing_is_compared(api, unpaid, double):
    learn(paid_receipt(api, unpaid, double))
    double.advance(4 * 86_400)

    row = reconcile(double.run_payouts()[0])

    assert (row.is_itemised, row.items_read_at) == (False, None)
    assert not Discrepancy.objects.exists()


def test_an_item_that_nobody_knew_is_asked_about(api, unpaid, double):
    """Its fee was never learned: the payout finds its charge."""
    receipt = paid_receipt(api, unpaid, double)
    double.advance(4 * 86_400)
    payout = double.run_payouts()[0]
    double.reconcile_payout(payout["id"])
    assert not Movement.objects.exists()

    row = reconcile(payout)

    assert row.items.get().movement.receipt == receipt
    assert balance("provider_fees") == 175
    assert not Discrepancy.objects.exists()


def test_an_item_of_nobody_is_put_before_a_person_until_it_is_known(payout, double, monkeypatch):
    """The feed would have booked it; here it never ran."""
    from payments.services import payout_items

    reference = Movement.objects.get(kind="charge").reference
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE payments_movement SET reference = 'txn_lost' WHERE reference = %s", [reference])
        cursor.execute("SET session_replication_role = origin")
    monkeypatch.setattr(payout_items, "_ask_about", lambda *args: None)
    monkeypatch.setattr(payout_items, "GRACE", timedelta())

    reconcile(payout)

    row = doubt()
    assert row.object_key == f"payout:stripe:{payout['id']}"
    assert f"1 of 1 items are not as they are here: {reference} (unknown)" in row.sentence
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE payments_movement SET reference = %s WHERE reference = 'txn_lost'", [reference])
        cursor.execute("SET session_replication_role = origin")

    assert [run.found for run in [reconcile_payouts(provider="stripe")]] == [{"payouts": 1}]

    assert doubt().status == "resolved"


def test_items_that_come_to_another_sum_are_put_before_a_person(payout, double, monkeypatch):
    from payments.providers import provider_named

    adapter = provider_named("stripe")
    whole = adapter.movements_of_payout
    monkeypatch.setattr(
        type(adapter),
        "movements_of_payout",
        lambda self, reference, *, after: type(page := whole(reference, after=after))(
            tuple(row for row in page.rows if row.source_kind == "payout"), None
        ),
    )

    reconcile(payout)

    assert (doubt().amount_cents, doubt().currency) == (4825, "usd")
    assert doubt().sentence == (f"Payout {payout['id']} took 48.25 USD from the balance; its 0 items come to 0.00 USD.")
    assert (doubt().ours, doubt().theirs) == (
        {"amount_cents": 4825, "items": 0}, {"amount_cents": 0, "items": 0},
    )  # fmt: skip


def test_a_payout_that_came_back_is_an_item_of_the_next(api, unpaid, double, payout, player):
    reconcile(payout)
    double.move_payout(payout["id"], "failed")
    reconcile(payout)
    learn(paid_receipt(api, another_place(player, unpaid.pool), double, key="key-2"))
    double.advance(4 * 86_400)
    second = double.run_payouts()[0]
    double.reconcile_payout(second["id"])

    row = reconcile(second)

    assert sorted(row.items.values_list("movement__kind", flat=True)) == ["charge", "payout_reversal"]
    assert row.amount_cents == 2 * 4825
    assert balance("bank_in_transit") == 2 * 4825
    assert list(Discrepancy.objects.values_list("kind", flat=True)) == ["payout_failed"]


def test_news_of_its_reconciliation_reads_its_items(payout, double):
    from payments.services.inbox import sweep_events
    from tests.support.payments import deliver

    deliver(double, "payout.reconciliation_completed")
    sweep_events()

    assert ProviderPayout.objects.get().items.count() == 1


def test_older_news_changes_nothing(payout, double):
    double.move_payout(payout["id"], "paid")
    double.move_payout(payout["id"], "failed")
    reconcile(payout)
    from dataclasses import replace

    from payments.providers import provider_named
    from payments.providers.base import BankPayoutState
    from payments.services.provider_payouts import record_payout

    facts = provider_named("stripe").fetch_payout(payout["id"])

    assert record_payout(replace(facts, state=BankPayoutState.PAID), provider="stripe").status == "failed"


class TestEveryDay:
    @pytest.fixture(autouse=True)
    def clock_of_the_double(self, monkeypatch):
        """There it is days later than here."""
        monkeypatch.setattr(payouts, "database_now", lambda: database_now() + timedelta(days=5))

    def test_all_of_late_are_looked_at_and_then_left_alone(self, payout, double):
        double.move_payout(payout["id"], "paid")

        first = reconcile_payouts(provider="stripe")
        second = reconcile_payouts(provider="stripe")

        assert (first.status, first.found) == ("finished", {"payouts": 1})
        assert second.found == {"payouts": 0}
        assert ReconciliationRun.objects.filter(kind="payouts").count() == 2

    def test_one_that_cannot_be_asked_about_keeps_nobody_waiting(self, payout, double):
        double.fault(action="error_before", status=503, method="GET", path=f"/v1/payouts/{payout['id']}")
        double.fault(action="error_before", status=503, method="GET", path=f"/v1/payouts/{payout['id']}")
        double.fault(action="error_before", status=503, method="GET", path=f"/v1/payouts/{payout['id']}")

        run = reconcile_payouts(provider="stripe")

        assert run.found == {"payouts": 1, "not_answered": 1}
        assert reconcile_payouts(provider="stripe").found == {"payouts": 1}


def test_a_payout_that_nobody_knows(double):
    with pytest.raises(NotThere):
        reconcile_payout(provider="stripe", reference="po_none")
    assert not ProviderPayout.objects.exists()


PAYOUTS = (
    "INSERT INTO payments_providerpayout (provider, reference, amount_cents, status, livemode, currency, arrives_on,"
    " trace_id, failure) SELECT 'stripe', {values}, false, 'usd', now(), '', '' FROM payments_providerpayout"
)
ITEMS = "INSERT INTO payments_providerpayoutitem (payout_id, movement_id)"
EURO = (
    "INSERT INTO payments_movement (provider, reference, livemode, kind, category, amount_cents, fee_cents, net_cents,"
    " currency, occurred_at) VALUES ('stripe', 'txn_eur', false, 'other', '', 1, 0, 1, 'eur', now());"
)


def test_what_the_database_refuses(payout):
    row = reconcile(payout)
    attacks = [
        *((f"UPDATE payments_providerpayout SET {change}", "provider_payout_stays") for change in (
            "amount_cents = 1", "currency = 'eur'", "livemode = true", "reference = 'po_2'", "provider = 'manual'",
        )),
        ("UPDATE payments_providerpayout SET status = 'forgotten'", "status_map"),
        ("DELETE FROM payments_providerpayout", "never_deleted"),
        (PAYOUTS.format(values="reference, 5, 'paid'"), "provider_payout_unique"),
        (PAYOUTS.format(values="'po_2', 0, 'paid'"), "provider_payout_amount"),
        (PAYOUTS.format(values="'po_2', 5, 'lost'"), "provider_payout_status"),
        (f"{ITEMS} SELECT payout_id, movement_id FROM payments_providerpayoutitem",
         "payments_providerpayoutitem_movement_id_key"),
        (f"{EURO}{ITEMS} SELECT {row.pk}, id FROM payments_movement WHERE reference = 'txn_eur'", "payout_item_fits"),
        *((f"DELETE FROM payments_{table}", "append_only") for table in ("providerpayoutitem", "providerpayoutchange")),
        ("UPDATE payments_providerpayoutitem SET id = 1000", "append_only"),
    ]  # fmt: skip

    assert [(sql, attack(sql)) for sql, _ in attacks] == attacks
    assert attack("UPDATE payments_providerpayout SET status = 'failed'") is None
    assert attack("UPDATE payments_providerpayout SET status = 'paid'") == "status_map"


def test_asking_alone_writes_the_row(payout):
    apply_payout_state(provider="stripe", reference=payout["id"])

    assert ProviderPayout.objects.get().items_read_at is None
