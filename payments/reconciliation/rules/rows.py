"""Our rows against each other: payments, receipts, refunds, requests and entries must tell one story."""

from payments.models import DiscrepancyKind
from payments.models.dispute import TO_ANSWER
from payments.reconciliation.rules.base import IN_WINDOW, Of, Rule, facts, in_window, money, said
from payments.reports.sql import is_gone
from payments.services.refunds.decisions import WAITED_AS
from payments.services.refunds.unapplied import TWICE

_Kind = DiscrepancyKind
_RECEIPTS = "payments_receipt t JOIN payments_payment p ON p.id = t.payment_id"
_RECEIPT, _REFUND = "'receipt:' || t.id", "'refund:' || p.id"
_ENTRY, _REQUEST = "'entry:' || p.id", "'request:' || p.id"
_TWICE = ", ".join(f"'{because}'" for because in TWICE)
_TO_ANSWER = ", ".join(f"'{status}'" for status in TO_ANSWER)
_WAITED_AS = ", ".join(f"'{kind}'" for kind in WAITED_AS)
_STALE = "< clock_timestamp() - %(grace)s"
_CAME = money("t.", status="t.status")
_MONEY_OF = """EXISTS (
    SELECT 1 FROM payments_receipt t JOIN payments_payment m ON m.id = t.payment_id
    WHERE m.request_id = {request}.id AND t.entry_id = {entry} AND t.status = 'allocated')"""


def _receipt(
    name: str, kind: DiscrepancyKind, where: str, *, sentence: str, join: str = "", ours: str = _CAME, **more: str
) -> Rule:
    return Rule(
        name, kind, Of.ROWS, f"{_RECEIPTS} {join} WHERE {where} AND {IN_WINDOW}", key=_RECEIPT, at="p.created_at",
        sentence=sentence, ours=ours, amount="t.amount_cents", currency="t.currency", **more,
    )  # fmt: skip


def _met(name: str, kind: DiscrepancyKind, where: str, *, sentence: str, ours: str = _CAME, **more: str) -> Rule:
    """Of a payment and its receipt that are not simply paid."""
    return Rule(
        name, kind, Of.ROWS, f"met_receipt t WHERE {where}", key=_RECEIPT, at="t.payment_created_at",
        sentence=sentence, ours=ours, amount="t.amount_cents", currency="t.currency", **more,
    )  # fmt: skip


def _waits(name: str, kind: DiscrepancyKind, where: str) -> Rule:
    """Money that nobody has decided about; services have put most of it before a person already."""
    return _met(
        name, kind, f"t.status = 'unapplied' AND t.created_at {_STALE} AND {where}", target=_RECEIPT, known="true",
        ours=facts(
            status="t.status", amount_cents="t.amount_cents", currency="t.currency", because="t.unapplied_because"
        ),
        sentence="'Of receipt ' || t.id || ' ' || " + said("t.amount_cents", "t.currency")
        + " || ' wait unapplied: ' || t.unapplied_because",
        told_as=_WAITED_AS,
    )  # fmt: skip


def _row(name: str, kind: DiscrepancyKind, source: str, *, key: str, sentence: str, **more: str) -> Rule:
    return Rule(name, kind, Of.ROWS, f"{source} AND {IN_WINDOW}", key=key, at="p.created_at", sentence=sentence, **more)


_REFUNDS = {
    "key": _REFUND,
    "ours": money("p.", status="p.status"),
    "amount": "p.amount_cents",
    "currency": "p.currency",
}

RECEIPTS = (
    Rule(
        "succeeded_without_receipt", _Kind.ROWS_DISAGREE, Of.ROWS, "met_receipt t WHERE t.id IS NULL",
        key="'payment:' || t.payment_id", at="t.payment_created_at",
        ours=money("t.payment_", status="t.payment_status"), amount="t.payment_amount_cents",
        currency="t.payment_currency", sentence="'Payment ' || t.payment_id || ' succeeded, but no receipt was booked'",
    ),
    _met(
        "receipt_without_success", _Kind.ROWS_DISAGREE, "t.id IS NOT NULL AND t.payment_status <> 'succeeded'",
        ours=facts(payment="t.payment_status", receipt="t.status"),
        sentence="'Receipt ' || t.id || ' is of payment ' || t.payment_id || ', which is ' || t.payment_status",
    ),
    _met(
        "amount_mismatch", _Kind.AMOUNT_MISMATCH,
        "t.status = 'allocated' AND (t.amount_cents, t.currency) <> (t.payment_amount_cents, t.payment_currency)",
        theirs=facts(asked_cents="t.payment_amount_cents", currency="t.payment_currency"),
        sentence="'Of receipt ' || t.id || ' ' || " + said("t.amount_cents", "t.currency")
        + " || ' came, ' || " + said("t.payment_amount_cents", "t.payment_currency")
        + " || ' was asked for, and it counts as paid'",
    ),
    _met(
        "livemode_mismatch", _Kind.LIVEMODE_LEAK, "t.livemode <> t.payment_livemode",
        ours=facts(receipt="t.livemode", payment="t.payment_livemode"),
        sentence="'Receipt ' || t.id || ' has livemode ' || t.livemode || ', its payment ' || t.payment_livemode",
    ),
    _receipt(
        "paid_void_entry", _Kind.ROWS_DISAGREE,
        # Who is disqualified does not get the fee back.
        """t.status = 'allocated' AND e.status = 'void' AND NOT EXISTS (
               SELECT 1 FROM entries_ruling d
               WHERE d.entry_id = e.id AND d.kind = 'disqualify' AND d.status = 'confirmed')""",
        join="JOIN entries_entry e ON e.id = t.entry_id", ours=facts(receipt="t.status", entry="e.status"),
        sentence="'Receipt ' || t.id || ' pays entry ' || e.id || ', which is void'",
    ),
    _waits("money_without_place", _Kind.PAID_NO_ENTRY, f"t.unapplied_because NOT IN ({_TWICE})"),
    _waits("paid_twice", _Kind.DUPLICATE_PAYMENT, f"t.unapplied_because IN ({_TWICE})"),
    _met(
        "returning_without_refund", _Kind.ROWS_DISAGREE,
        """t.status = 'returning' AND NOT EXISTS (
               SELECT 1 FROM payments_refund f WHERE f.receipt_id = t.id
               AND f.status IN ('requested', 'sending', 'unknown', 'pending', 'failed'))""",
        sentence="'Receipt ' || t.id || ' is said to go back, and no refund of it is under way or owed'",
    ),
    _receipt(
        "more_back_than_came", _Kind.ROWS_DISAGREE, "gone.cents > t.amount_cents",
        join=f"""JOIN (SELECT f.receipt_id, sum(f.amount_cents) AS cents FROM payments_refund f
                       WHERE {is_gone("f")} GROUP BY f.receipt_id) gone ON gone.receipt_id = t.id""",
        ours=facts(came_cents="t.amount_cents", back_cents="gone.cents", currency="t.currency"),
        sentence="'Of receipt ' || t.id || ' ' || " + said("t.amount_cents", "t.currency")
        + " || ' came, ' || " + said("gone.cents", "t.currency")
        + " || ' went back'",
    ),
    _receipt(
        "refunded_but_counted", _Kind.ROWS_DISAGREE, "t.status = 'allocated' AND q.payment_status = 'refunded'",
        join="JOIN entries_request q ON q.id = p.request_id",
        ours=facts(receipt="t.status", request="q.payment_status"),
        sentence="'Receipt ' || t.id || ' still counts as paid, and the place of request ' || q.id"
        " || ' was taken back'",
    ),
)  # fmt: skip

REFUNDS = (
    _row(
        "refund_not_sent", _Kind.REFUND_STUCK,
        f"""payments_refund p WHERE p.status IN ('sending', 'unknown')
            AND coalesce(p.decided_at, p.created_at) {_STALE}""",
        target=_REFUND, known="true", **_REFUNDS,
        sentence="'Of refund ' || p.id || ' ' || " + said("p.amount_cents", "p.currency")
        + """ || ' have been ' || p.status || ' since '
            || to_char(coalesce(p.decided_at, p.created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'""",
    ),
    _row(
        "refund_failed", _Kind.REFUND_FAILED,
        """payments_refund p WHERE p.status = 'failed' AND p.taken_from <> 'undecided'
           AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.replaces_id = p.id AND r.status <> 'cancelled')
           AND NOT EXISTS (SELECT 1 FROM payments_journalentry j
                           WHERE (j.source_type, j.source_id, j.event) = ('refund', p.ref::text, 'withdrawn'))""",
        **_REFUNDS,
        sentence="'Of refund ' || p.id || ' ' || " + said("p.amount_cents", "p.currency")
        + " || ' are owed to the player: ' || p.failure",
    ),
    _row(
        "external_refund", _Kind.EXTERNAL_REFUND,
        "payments_refund p WHERE p.taken_from = 'undecided' AND p.status <> 'failed'",
        **_REFUNDS,
        sentence="'Of refund ' || p.id || ' ' || " + said("p.amount_cents", "p.currency")
        + " || ' went back past us; nobody has said whose'",
    ),
    Rule(
        "dispute_unanswered", _Kind.DISPUTE_DEADLINE, Of.ROWS,
        f"payments_dispute t WHERE t.status IN ({_TO_ANSWER}) AND t.evidence_due_at > clock_timestamp()",
        key="'dispute:' || t.id", at="NULL", due="t.evidence_due_at", ours=facts(status="t.status"),
        amount="t.amount_cents", currency="t.currency",
        sentence="'Dispute ' || t.provider_reference || ' of ' || " + said("t.amount_cents", "t.currency")
        + " || ' has to be answered.'",
    ),
)  # fmt: skip

PLACES = (
    _row(
        "entry_without_money", _Kind.ENTRY_WITHOUT_PAYMENT,
        f"""entries_entry p JOIN entries_request q ON q.id = p.request_id
            WHERE p.status <> 'void' AND q.fee_cents > 0 AND q.waived_by_id IS NULL
              AND NOT {_MONEY_OF.format(request="q", entry="p.id")}""",
        key=_ENTRY, target=_ENTRY, known="true", ours=facts(entry="p.status", request="q.payment_status"),
        amount="q.fee_cents", currency="q.currency",
        sentence="'Entry ' || p.id || ' has neither a receipt nor a waiver'",
    ),
    _row(
        "request_without_entry", _Kind.ROWS_DISAGREE,
        """entries_request p WHERE p.payment_status = 'completed' AND p.kind = 'entry'
           AND NOT EXISTS (SELECT 1 FROM entries_entry e WHERE e.request_id = p.id)""",
        key=_REQUEST, ours=facts(request="p.payment_status"), amount="p.fee_cents", currency="p.currency",
        sentence="'Request ' || p.id || ' counts as paid, but has no entry'",
    ),
    _row(
        "buy_back_without_return", _Kind.ROWS_DISAGREE,
        """entries_request p WHERE p.payment_status = 'completed' AND p.kind = 'buy_back'
           AND NOT EXISTS (SELECT 1 FROM entries_reprieve v WHERE v.request_id = p.id)""",
        key=_REQUEST, ours=facts(request="p.payment_status"), amount="p.fee_cents", currency="p.currency",
        sentence="'Request ' || p.id || ' counts as paid, but entry ' || p.bought_entry_id || ' was not brought back'",
    ),
    _row(
        "return_without_money", _Kind.ENTRY_WITHOUT_PAYMENT,
        f"""entries_reprieve v JOIN entries_request p ON p.id = v.request_id
            WHERE v.revoked_at IS NULL AND p.fee_cents > 0 AND p.waived_by_id IS NULL
              AND p.payment_status = 'completed' AND NOT {_MONEY_OF.format(request="p", entry="v.entry_id")}""",
        key=_REQUEST, target="'entry:' || v.entry_id", known="true", ours=facts(request="p.payment_status"),
        amount="p.fee_cents", currency="p.currency",
        sentence="'Request ' || p.id || ' brought entry ' || v.entry_id || ' back, and has neither a receipt'"
        " || ' nor a waiver'",
    ),
    Rule(
        "movement_not_booked", _Kind.ROWS_DISAGREE, Of.ROWS,
        f"""payments_movement p WHERE {in_window("p.occurred_at")} AND p.amount_cents <> 0
           AND (p.fee_cents <> 0 OR p.kind IN ('dispute', 'dispute_reversal', 'payout', 'payout_reversal', 'other'))
           AND p.kind NOT IN ('transfer', 'transfer_reversal')
           AND NOT EXISTS (SELECT 1 FROM payments_journalentry j
               WHERE (j.source_type, j.source_id) = ('movement', p.provider || ':' || p.reference))""",
        key="'movement:' || p.provider || ':' || p.reference", at="p.occurred_at",
        ours=money("p.", fee_cents="p.fee_cents"), amount="p.amount_cents", currency="p.currency",
        sentence="'Movement ' || p.reference || ' is written down, and not in the journal'",
    ),
)  # fmt: skip

RULES = (*RECEIPTS, *REFUNDS, *PLACES)
