"""A row of everything, so that there is something to attack: two pools, one won and one that takes the fallen back."""

from dataclasses import replace
from datetime import timedelta

from django.db import connection

from accounts.services.webhooks.endpoints import SUBSCRIBABLE, make_endpoint
from config.clock import database_now
from config.models import IdempotencyKey
from entries.models import Reprieve
from entries.models.ruling import Ruling
from payments.accounting.batches import make_batch, withdraw_batch
from payments.ledger.models import Account, Checkpoint
from payments.ledger.posting import Line, post
from payments.models import (
    AccountingSystem,
    Dispute,
    Instrument,
    ManualRecord,
    Movement,
    NoticeCursor,
    Payout,
    PrizeCorrection,
    Receipt,
    Refund,
    TaxForm,
    TaxYear,
    WebhookEvent,
)
from payments.services.cancellations.deciding import propose_cancellation
from payments.services.discrepancies import raise_discrepancy
from payments.services.inbox import note_refusal
from payments.services.queue.foreign import mark_foreign
from payments.services.queue.write_offs import approve_write_off, request_write_off
from tests.accounting.books import mapped, received
from tests.factories.accounts import AdminFactory, FinanceFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import payment_for, refund_of, unapplied_money
from tests.mutation import world_bank, world_exports, world_runs
from tests.support.buying_back import ask, fallen_in, generous_pool, pay
from tests.support.by_hand import paid_by_hand, transfer
from tests.support.ledger import CLEARING, UNALLOCATED, draft
from tests.support.queue import moved
from tests.support.winning import account_of, booked, paid_out, won_pool


def build() -> None:
    """Everything once; nothing is left that waits for the commit."""
    make_endpoint(user=AdminFactory(), covers="all", url="https://hooks.example.org/", events=list(SUBSCRIBABLE))
    pool, winner, _ = won_pool()
    booked(pool)
    paid_out(winner)
    payment_for(RequestFactory(approved=True))
    by_hand = RequestFactory(approved=True)
    paid_by_hand(by_hand, handover=transfer())
    _prizes(finance=FinanceFactory(), colleague=FinanceFactory())
    _returns(EntryFactory(reference="imported 1", in_pool=pool))
    _money_back()
    _mirrored(Receipt.objects.filter(status="allocated", provider="stripe").order_by("id").first())
    _books()
    Instrument.objects.create(user=by_hand.user, provider="stripe", fingerprint="Xt5EWLLDS7FJjR1c")
    propose_cancellation(pool=by_hand.pool, by=FinanceFactory(), reason="Too few players.")
    raise_discrepancy(kind="held_money", object_key="receipt:0", sentence="It waits.", suggestion="Look at it.")
    _given_up()
    _for_accountants()
    TaxYear.objects.create(country="US", year=2026, currency="usd", form="W-9", threshold_cents=60_000)
    TaxForm.objects.create(
        player=winner.user, form="W-9", received_on=database_now().date(), recorded_by=FinanceFactory()
    )
    IdempotencyKey.objects.create(
        user=winner.user, method="POST", route="/", key="1", fingerprint="x", status_code=200, expires_at=database_now()
    )
    world_exports.build()
    world_bank.build()
    world_runs.build()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _prizes(finance, colleague) -> None:
    """A prize sent to the winner's account, a part that came back of it, and one that the house is to bear."""
    pool, winner, _ = won_pool()
    booking, now = booked(pool), database_now()
    account_of(winner.user)
    payout = Payout.objects.create(
        booking=booking, player=winner.user, provider="stripe", destination="acct_winner", won_cents=10_000,
        amount_cents=10_000, currency="usd", status="paid", provider_reference="tr_1", requested_by=finance,
        approved_by=colleague, paid_at=now,
    )  # fmt: skip
    given = {"pool": pool, "player": winner.user, "amount_cents": 100, "currency": "usd", "livemode": False}
    PrizeCorrection.objects.create(
        **given, payout=payout, kind="came_back", reference="txn_2", reason="It came back.", status="done",
        decided_at=now,
    )  # fmt: skip
    PrizeCorrection.objects.create(**given, kind="borne", reason="Goodwill.", requested_by=finance)


def _returns(reinstated) -> None:
    """One entry that bought back in, and one that a ruling brought back."""
    pool = generous_pool()
    pay(ask(fallen_in(pool)))
    ruling = Ruling.objects.create(
        kind="reinstate", competition=reinstated.pool.competition, pool=reinstated.pool, entry=reinstated,
        reason="It was wronged.", proposed_by=FinanceFactory(),
    )  # fmt: skip
    Reprieve.objects.create(entry=reinstated, from_round_number=1, before_round_number=2, ruling=ruling)


def _money_back() -> None:
    """A refund that failed and was sent again, by hand."""
    receipt = unapplied_money()
    unapplied_money()
    failed = refund_of(receipt, status="failed")
    again = refund_of(
        receipt, status="pending", replaces=failed, taken_from="replaced", origin="staff", reason="again",
        requested_by=FinanceFactory(),
    )  # fmt: skip
    ManualRecord.objects.create(
        refund=again, method="cash", reference="out 1", amount_cents=again.amount_cents, currency="usd",
        passed_at=database_now(), recorded_by=FinanceFactory(),
    )  # fmt: skip


def _mirrored(receipt) -> None:
    """What a provider tells of a charge, and its news."""
    now, refund = database_now(), Refund.objects.first()
    dispute = Dispute.objects.create(
        receipt=receipt, provider="stripe", provider_reference="dp_1", livemode=False, amount_cents=5000,
        currency="usd", status="needs_response", opened_at=now,
    )  # fmt: skip
    Movement.objects.create(
        provider="stripe", reference="txn_1", livemode=False, kind="dispute", amount_cents=-5000, fee_cents=1500,
        net_cents=-6500, currency="usd", receipt=receipt, refund=refund, dispute=dispute, occurred_at=now,
    )  # fmt: skip
    WebhookEvent.objects.create(provider="stripe", event_id="evt_1", event_type="charge.updated", payload={})
    note_refusal(provider="stripe", body=b"forged")
    NoticeCursor.objects.create(provider="stripe", at=now)


def _books() -> None:
    """An entry and what takes it back, and a sum of one account."""
    first = post(draft())
    reversal = draft(lines=(Line(CLEARING, -100), Line(UNALLOCATED, 100)))
    post(replace(reversal, reverses=first))
    Checkpoint.objects.create(
        account=Account.objects.first(), through_posting_id=1, balance=1, credits=0, debits=1,
        made_at=database_now() - timedelta(hours=1),
    )  # fmt: skip


def _given_up() -> None:
    """What is not ours, what two people wrote off, and what waits for the second."""
    finance = FinanceFactory()
    mark_foreign(discrepancy_id=moved().pk, by=finance, reason="The shop's.")
    wishes = [request_write_off(discrepancy_id=moved().pk, by=finance, reason="Nobody knows.") for _ in range(2)]
    approve_write_off(write_off_id=wishes[0].pk, by=FinanceFactory())


def _for_accountants() -> None:
    """A mapping, a batch that was withdrawn, and the one that was made instead."""
    mapped(AccountingSystem.XERO)
    received(10)
    first = make_batch(system=AccountingSystem.XERO, by=FinanceFactory())
    withdraw_batch(batch_id=first.pk, by=FinanceFactory(), reason="Wrong accounts.")
    make_batch(system=AccountingSystem.XERO, by=FinanceFactory())
