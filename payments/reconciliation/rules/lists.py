"""The provider's lists of sessions, charges, refunds and disputes against our rows: also what has moved no money."""

from payments.models import DiscrepancyKind
from payments.reconciliation.rules.base import MISSING_HERE, Of, Rule, facts, money, said

_Kind = DiscrepancyKind
_CHARGE = "'charge:' || %(provider)s || ':' || t.charge_id"
_COMES_FIRST = """EXISTS (SELECT 1 FROM lone_charge c WHERE c.is_marked AND c.charge_id = t.charge_id)"""
_STAGED_ONE = "SELECT 1 FROM payments_stagedobject s WHERE s.run_id = %(run)s AND s.kind ="
# What we have dated to the window, well within it: the provider dates it by its own clock.
_OURS_LATELY = "livemode = %(livemode)s AND provider = %(provider)s"
_REFUND = money("t.refund_", status="t.refund_status")
_THEIRS = money("t.", status="t.status")


def _rule(name: str, kind: DiscrepancyKind, source: str, *, key: str, sentence: str, **more: str) -> Rule:
    shown = {"at": "t.happened_at", "theirs": _THEIRS, "amount": "t.amount_cents", "currency": "t.currency", **more}
    return Rule(name, kind, Of.LISTS, source, key=key, sentence=sentence, **shown)


CHARGES = (
    _rule(
        "charge_paid_there", _Kind.STATUS_MISMATCH,
        "lone_charge t WHERE t.payment_id IS NOT NULL AND t.payment_status <> 'succeeded'",
        key="'payment:' || t.payment_id", target="'payment:' || t.payment_id",
        known="(t.amount_cents, t.currency) = (t.payment_amount_cents, t.payment_currency)",
        ours=money("t.payment_", status="t.payment_status"),
        sentence="'Payment ' || t.payment_id || ' is ' || t.payment_status || ' here, and paid at the provider.'",
    ),
    _rule(
        "listed_charge_missing_here", _Kind.MISSING_LOCALLY,
        "lone_charge t WHERE t.is_marked AND t.payment_id IS NULL",
        key="'payment:' || %(provider)s || ':' || t.ref", target="'charge:' || t.charge_id",
        sentence=MISSING_HERE,
    ),
    _rule(
        "receipt_not_there", _Kind.MISSING_AT_PROVIDER, "met_charge t WHERE t.theirs IS NULL",
        key=_CHARGE, ours=money("t.our_", receipt="t.receipt_id"), theirs="'{}'",
        amount="t.our_amount_cents", currency="t.our_currency",
        sentence="'We have receipt ' || t.receipt_id || ' of ' || " + said("t.our_amount_cents", "t.our_currency")
        + " || ' for charge ' || t.charge_id || ', and ' || %(provider)s || ' lists no such charge.'",
    ),
    _rule(
        "charge_failed_there", _Kind.STATUS_MISMATCH,
        """met_charge t WHERE t.theirs IS NOT NULL AND t.receipt_id IS NOT NULL AND t.status <> 'succeeded'
           AND NOT EXISTS (SELECT 1 FROM payments_dispute d
                           WHERE (d.receipt_id, d.provider_reference) = (t.receipt_id, t.charge_id))""",
        key=_CHARGE, target="'receipt:' || t.receipt_id", known="true", ours=money("t.our_", status="'succeeded'"),
        sentence="'Charge ' || t.charge_id || ' is ' || t.status || ' at the provider, and counts as paid here.'",
    ),
    _rule(
        "listed_charge_of_other_amount", _Kind.AMOUNT_MISMATCH,
        "met_charge t WHERE t.theirs IS NOT NULL AND t.receipt_id IS NOT NULL AND t.amount_cents <> t.our_amount_cents",
        key=_CHARGE, ours=money("t.our_"), theirs=money("t."),
        sentence="'Charge ' || t.charge_id || ' is of ' || " + said("t.amount_cents", "t.currency")
        + " || ' at the provider, and of ' || " + said("t.our_amount_cents", "t.our_currency") + " || ' here.'",
    ),
    _rule(
        "listed_charge_of_other_currency", _Kind.CURRENCY_MISMATCH,
        "met_charge t WHERE t.theirs IS NOT NULL AND t.receipt_id IS NOT NULL AND t.currency <> t.our_currency",
        key=_CHARGE, ours=money("t.our_"), theirs=money("t."),
        sentence="'Charge ' || t.charge_id || ' is in ' || upper(t.currency) || ' at the provider, and in '"
        " || upper(t.our_currency) || ' here.'",
    ),
    _rule(
        "charge_of_other_mode", _Kind.LIVEMODE_LEAK,
        "met_charge t WHERE t.our_livemode <> %(livemode)s", key=_CHARGE,
        sentence="'Charge ' || t.charge_id || ' is of the other mode than its receipt.'",
    ),
    _rule(
        "listed_in_other_mode", _Kind.LIVEMODE_LEAK,
        "payments_stagedobject t WHERE t.run_id = %(run)s AND t.livemode <> %(livemode)s",
        key="t.kind || ':' || %(provider)s || ':' || t.object_id", at="t.made_at",
        sentence="initcap(t.kind) || ' ' || t.object_id || ' is of the other mode than our key.'",
    ),
    _rule(
        "back_otherwise", _Kind.STATUS_MISMATCH,
        """payments_stagedobject t JOIN payments_receipt r ON (r.provider, r.charge_id) = (%(provider)s, t.object_id)
           CROSS JOIN LATERAL (
               SELECT coalesce(sum(f.amount_cents) FILTER (WHERE f.status IN ('pending', 'succeeded')), 0) AS cents,
                      bool_or(f.status IN ('sending', 'unknown')) AS moves
               FROM payments_refund f WHERE f.receipt_id = r.id AND f.provider = r.provider) ours
           WHERE t.run_id = %(run)s AND t.kind = 'charge' AND t.livemode = %(livemode)s AND t.back_cents <> 0
               AND t.made_at < %(until)s AND t.back_cents <> ours.cents AND ours.moves IS NOT TRUE""",
        key="'charge:' || %(provider)s || ':' || t.object_id", target="'receipt:' || r.id", at="t.made_at",
        amount="t.back_cents - ours.cents", known="true",
        ours=facts(refunded_cents="ours.cents", currency="r.currency"),
        theirs=facts(refunded_cents="t.back_cents", currency="t.currency"),
        sentence="'Of charge ' || t.object_id || ' the provider has given back '"
        " || " + said("t.back_cents", "t.currency") + " || ', and we know of '"
        " || " + said("ours.cents", "r.currency") + " || '.'",
    ),
)  # fmt: skip

SESSIONS = (
    _rule(
        "session_missing_here", _Kind.MISSING_LOCALLY, "met_session t WHERE t.payment_id IS NULL",
        key="'payment:' || %(provider)s || ':' || t.ref", target="'session:' || t.object_id",
        sentence="%(provider)s || ' knows a payment of ours that is not here: ' || t.ref || ' (' || t.status || ').'",
    ),
    _rule(
        "session_elsewhere", _Kind.STATUS_MISMATCH,
        "met_session t WHERE t.payment_id IS NOT NULL AND t.payment_status <> 'succeeded'",
        key="'payment:' || t.payment_id", target="'payment:' || t.payment_id",
        known="(t.amount_cents, t.currency) = (t.payment_amount_cents, t.payment_currency)",
        ours=money("t.payment_", status="t.payment_status"),
        sentence="'Payment ' || t.payment_id || ' is ' || t.payment_status || ' here, and its session ' || t.status"
        " || ' at the provider.'",
    ),
    _rule(
        "session_not_paid_there", _Kind.MISSING_AT_PROVIDER,
        "met_session t WHERE t.payment_id IS NOT NULL AND t.payment_status = 'succeeded'",
        key="'payment:' || t.payment_id", ours=money("t.payment_", status="t.payment_status"),
        sentence="'Payment ' || t.payment_id || ' has succeeded here, and its session is ' || t.status"
        " || ' at the provider.'",
    ),
)  # fmt: skip

REFUNDS = (
    _rule(
        "listed_refund_past_us", _Kind.EXTERNAL_REFUND,
        "met_refund t WHERE t.refund_id IS NULL AND t.receipt_id IS NOT NULL AND t.stands <> 'failed'",
        key="'refund:' || %(provider)s || ':' || t.object_id", target="'receipt:' || t.receipt_id",
        sentence=said("t.amount_cents", "t.currency")
        + " || ' of receipt ' || t.receipt_id || ' were refunded at the provider, not here.'",
    ),
    _rule(
        "listed_refund_of_missing_charge", _Kind.MISSING_LOCALLY,
        f"met_refund t WHERE t.refund_id IS NULL AND t.receipt_id IS NULL AND t.is_marked AND NOT {_COMES_FIRST}",
        key=_CHARGE, target="'charge:' || t.charge_id",
        sentence="'Charge ' || t.charge_id || ' was refunded by us, and is not here.'",
    ),
    _rule(
        "listed_refund_answer_lost", _Kind.REFUND_STUCK,
        "met_refund t WHERE t.refund_status IN ('sending', 'unknown') AND t.receipt_id IS NOT NULL",
        key="'refund:' || t.refund_id", target="'receipt:' || t.receipt_id", known="true", ours=_REFUND,
        sentence="'Refund ' || t.refund_id || ' is ' || t.refund_status || ' here, and ' || t.status"
        " || ' at the provider.'",
    ),
    _rule(
        "refund_elsewhere", _Kind.STATUS_MISMATCH,
        "met_refund t WHERE t.refund_status NOT IN ('sending', 'unknown') AND t.refund_status <> t.stands"
        " AND t.receipt_id IS NOT NULL",
        key="'refund:' || t.refund_id", target="'receipt:' || t.receipt_id", known="true", ours=_REFUND,
        sentence="'Refund ' || t.refund_id || ' is ' || t.refund_status || ' here, and ' || t.status"
        " || ' at the provider.'",
    ),
    _rule(
        "refund_of_other_amount", _Kind.AMOUNT_MISMATCH,
        "met_refund t WHERE (t.refund_amount_cents, t.refund_currency) <> (t.amount_cents, t.currency)",
        key="'refund:' || t.refund_id", ours=_REFUND,
        sentence="'Refund ' || t.refund_id || ' is of ' || " + said("t.amount_cents", "t.currency")
        + " || ' at the provider, and of ' || " + said("t.refund_amount_cents", "t.refund_currency") + " || ' here.'",
    ),
    _rule(
        "refund_not_there", _Kind.MISSING_AT_PROVIDER,
        f"""(SELECT *, sent_at AS happened_at FROM payments_refund
             WHERE {_OURS_LATELY} AND provider_reference <> '' AND status IN ('pending', 'succeeded')
               AND sent_at >= %(since)s::timestamptz + %(grace)s AND sent_at < %(until)s) t
            WHERE NOT EXISTS ({_STAGED_ONE} 'refund' AND s.object_id = t.provider_reference)""",
        key="'refund:' || t.id", ours=_THEIRS, theirs="'{}'",
        sentence="'Refund ' || t.id || ' (' || t.provider_reference || ') has left here, and ' || %(provider)s"
        " || ' lists no such refund.'",
    ),
)  # fmt: skip

DISPUTES = (
    _rule(
        "listed_dispute_not_here", _Kind.DISPUTE_UNKNOWN,
        "met_dispute t WHERE t.dispute_id IS NULL AND t.receipt_id IS NOT NULL",
        key="'dispute:' || %(provider)s || ':' || t.object_id", target="'receipt:' || t.receipt_id",
        sentence="'A bank disputes ' || " + said("t.amount_cents", "t.currency")
        + " || ' of receipt ' || t.receipt_id || ' (' || t.status || '), and that is not here.'",
    ),
    _rule(
        "dispute_elsewhere", _Kind.STATUS_MISMATCH,
        """met_dispute t WHERE t.dispute_id IS NOT NULL AND t.receipt_id IS NOT NULL
            AND (t.dispute_amount_cents <> t.amount_cents OR t.dispute_status <> CASE WHEN t.status = ANY(%(disputes)s)
                                                                   THEN t.status ELSE 'unknown' END)""",
        key="'dispute:' || t.dispute_id", target="'receipt:' || t.receipt_id", known="true",
        ours=facts(status="t.dispute_status", amount_cents="t.dispute_amount_cents", currency="t.currency"),
        sentence="'Dispute ' || t.object_id || ' is ' || t.dispute_status || ' here, and ' || t.status"
        " || ' at the provider.'",
    ),
    _rule(
        "dispute_not_there", _Kind.MISSING_AT_PROVIDER,
        f"""(SELECT d.*, d.opened_at AS happened_at FROM payments_dispute d
             JOIN payments_receipt r ON r.id = d.receipt_id AND r.charge_id <> d.provider_reference
             WHERE d.livemode = %(livemode)s AND d.provider = %(provider)s
               AND d.opened_at >= %(since)s AND d.opened_at < %(until)s) t
            WHERE NOT EXISTS ({_STAGED_ONE} 'dispute' AND s.object_id = t.provider_reference)""",
        key="'dispute:' || t.id", ours=_THEIRS, theirs="'{}'",
        sentence="'We have dispute ' || t.provider_reference || ', and ' || %(provider)s || ' lists no such dispute.'",
    ),
)  # fmt: skip

RULES = (*CHARGES, *SESSIONS, *REFUNDS, *DISPUTES)
