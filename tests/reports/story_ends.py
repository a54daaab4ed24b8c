"""The second half of the story: what goes back, who wins, and what leaves the house."""

from datetime import datetime, timedelta

from payments.bank.deciding import Choice, match_by_hand
from payments.bank.importing import Given, import_file
from payments.models import BankAccount, BankLine, Discrepancy, DiscrepancyKind, MatchKind, Refund
from payments.services.cancellations import confirm_cancellation, propose_cancellation, run
from payments.services.discrepancies import resolve
from payments.services.manual.deciding import confirm_record
from payments.services.manual.records import Handover
from payments.services.payouts import approve_payout, hand_over, request_payout, return_payout
from payments.services.prizes import book_prizes
from payments.services.queue.write_offs import approve_write_off, request_write_off
from payments.services.refunds.deciding import approve_refund, request_refund
from tests.reports.cast import Story
from tests.support.playing import play

# The provider's payout, the bank's fee, and money that nobody knows.
STATEMENT = b"""Id,Day,Amount,Text,Trace
B-1,2026-02-24,144.75,STRIPE PAYMENTS,STRIPE PO-USD
B-2,2026-02-24,-3.50,Account fee,
B-3,2026-02-25,2.34,=from a stranger,
"""


def money_goes_back(story: Story) -> None:
    with story.calendar.on("2026-01-19 15:00") as at:
        (again,) = story.receipts["hal again"].refunds.all()
        story.refunds["hal again"] = story.till.refunds(again, at)
        asked(story, "gus", "place", "moved away", at)
        asked(story, "fay", "house", "=sorry", at, amount=2000)
        asked(story, "jon3", "place", "wrong pool", at)
    with story.calendar.on("2026-01-20 15:00") as at:
        for name in ("gus", "fay", "jon3"):
            story.refunds[name] = story.till.refunds(story.refunds[name], at)
        for name in ("eve", "ann2"):
            story.till.disputes(story.receipts[name], at)
        story.till.dashboard_refund(story.receipts["bob3"], 500, at)
    with story.calendar.on("2026-01-22 15:00") as at:
        story.refunds["jon3"] = story.till.bounces(story.refunds["jon3"], at)
        called_off(story)
    with story.calendar.on("2026-01-23 15:00") as at:
        # Of the two, one is not sent yet.
        story.refunds["gus5"] = story.till.refunds(Refund.objects.get(receipt=story.receipts["gus5"]), at)
        story.refunds["fay5"] = Refund.objects.get(receipt=story.receipts["fay5"])


def asked(story: Story, name: str, taken_from: str, why: str, at: datetime, *, amount: int | None = None) -> None:
    """Fiona asks; Frank approves where a second name is needed."""
    refund = request_refund(
        receipt_id=story.receipts[name].pk, amount_cents=amount, taken_from=taken_from, reason=why, by=story.fiona,
        now=at,
    )  # fmt: skip
    if refund.needs_approval:
        refund = approve_refund(refund_id=refund.pk, by=story.frank)
    story.refunds[name] = refund


def called_off(story: Story) -> None:
    """Two names, and everybody has their money back."""
    proposal = propose_cancellation(pool=story.pools["off"], by=story.fiona, reason="Too few players.")
    confirm_cancellation(cancellation_id=proposal.pk, by=story.frank)
    run(proposal.pk)


def rounds_are_played(story: Story) -> None:
    with story.calendar.on("2026-02-01 20:00"):
        play(story.pools["usd"], 1)
    with story.calendar.on("2026-02-08 20:00"):
        play(story.pools["usd"], 2)


def disputes_end(story: Story) -> None:
    with story.calendar.on("2026-02-09 15:00") as at:
        story.till.decides(story.receipts["ann2"], "won", at)
        story.till.decides(story.receipts["eve"], "lost", at)
        story.till.disputes(story.receipts["bob2"], at)
    with story.calendar.on("2026-02-09 16:00"):
        lost = Discrepancy.objects.get(kind=DiscrepancyKind.DISPUTE_LOST)
        resolve(discrepancy_id=lost.pk, by=story.fiona, resolution="The house bears it.")


def prizes(story: Story) -> None:
    """Cara's country withholds, for she gave no form; Nao's bank sends it back; Léa's is only asked for."""
    with story.calendar.on("2026-02-10 15:00"):
        for name in ("usd", "eur", "jpy"):
            book_prizes(pool_id=story.pools[name].pk)
            story.pools[name].refresh_from_db()
    with story.calendar.on("2026-02-11 15:00") as at:
        for name in ("ann", "cara", "nao4"):
            paid_out(story, name, at)
        story.payouts["lea3"] = request_payout(entry_id=story.entry("lea3").pk, by=story.fiona)
    with story.calendar.on("2026-02-13 15:00"):
        story.payouts["nao4"] = return_payout(
            payout_id=story.payouts["nao4"].pk, by=story.fiona, reason="@the account is closed"
        )


def paid_out(story: Story, name: str, at: datetime) -> None:
    payout = request_payout(entry_id=story.entry(name).pk, by=story.fiona)
    approve_payout(payout_id=payout.pk, by=story.frank)
    how = Handover(method="cash", reference=f"P-{name}", passed_at=at - timedelta(minutes=5))
    record = hand_over(payout_id=payout.pk, handover=how, by=story.fiona)
    confirm_record(record_id=record.pk, by=story.frank)
    payout.refresh_from_db()
    story.payouts[name] = payout


def bank_and_provider(story: Story) -> None:
    """What the provider sends to our bank, what the bank says, and what nobody can explain."""
    with story.calendar.on("2026-02-20 15:00") as at:
        of = [story.receipts[name] for name in ("ann", "bob", "fay")]
        story.till.pays_out("po_usd", "usd", at, of=of, trace_id="STRIPE PO-USD")
        story.till.pays_out("po_eur", "eur", at, amount=2_000)
        for name, amount in (("adjusted", 123), ("lost_and_found", -77)):
            story.till.adjusts(name, "usd", amount, at)
    with story.calendar.on("2026-02-23 15:00"):
        doubt = Discrepancy.objects.get(object_key="movement:stripe:txn_lost_and_found")
        wish = request_write_off(discrepancy_id=doubt.pk, by=story.fiona, reason="=nobody knows")
        approve_write_off(write_off_id=wish.pk, by=story.frank)
    with story.calendar.on("2026-02-25 15:00"):
        account = BankAccount.objects.create(
            name="House, dollars", number="US00STORY01", currency="usd",
            layout={"date": "Day", "amount": "Amount", "text": ["Text"], "reference": "Id", "trace": "Trace"},
        )  # fmt: skip
        import_file(content=STATEMENT, name="=statement.csv", given=Given(account.pk, 0, 14_359), by=story.fiona)
        fee = BankLine.objects.get(reference="B-2")
        match_by_hand(line_id=fee.pk, choice=Choice(rest=MatchKind.BANK_FEE), by=story.fiona, reason="the bank's fee")
