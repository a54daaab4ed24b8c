"""The provider's feed against our movements: money that moved there, and is here otherwise or not at all."""

from payments.models import DiscrepancyKind
from payments.reconciliation.rules.base import MISSING_HERE, Of, Rule, facts, money, said

_Kind = DiscrepancyKind
_MOVEMENT = "'movement:' || %(provider)s || ':' || t.reference"
_CHARGE = "'charge:' || %(provider)s || ':' || t.charge_id"
_THEIRS = money("t.", fee_cents="t.fee_cents", category="t.category", charge="nullif(t.charge_id, '')")
_PRICE = facts(amount_cents="t.source_cents", currency="t.source_currency")
_LONE = "lone_movement t WHERE"
# Money of a charge that is being brought back in this very run comes with it.
_CHARGE_COMES_FIRST = """EXISTS (SELECT 1 FROM lone_movement c WHERE c.kind = 'charge' AND c.is_marked
    AND c.receipt_id IS NULL AND c.charge_id = t.charge_id)"""
_IS_CHARGE = "t.kind = 'charge' AND t.source_kind = 'charge'"
_IS_REFUND = "t.kind IN ('refund', 'refund_failure')"
_IS_DISPUTE = "t.kind IN ('dispute', 'dispute_reversal')"
_IS_PAYOUT = "t.kind IN ('payout', 'payout_reversal') AND t.source_id <> ''"
_IS_TRANSFER = "t.kind IN ('transfer', 'transfer_reversal') AND t.source_id <> ''"
_SAME_PRICE = "(t.source_cents, t.source_currency) = (t.receipt_amount_cents, t.receipt_currency)"
# What is booked as the fee of a movement: as it was written down, and as it was corrected since.
_BOOKED_FEE = """
    met_movement t CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.amount), 0) AS cents FROM payments_journalentry j
        JOIN payments_posting l ON l.journal_entry_id = j.id JOIN payments_account a ON a.id = l.account_id
        WHERE (j.source_type, j.source_id) = ('movement', %(provider)s || ':' || t.reference)
            AND a.kind IN ('provider_fees', 'dispute_fees')) booked
    WHERE t.ours IS NOT NULL AND t.theirs IS NOT NULL AND t.fee_cents <> t.our_fee_cents
        AND t.currency = t.our_currency AND booked.cents <> t.fee_cents
        -- What is booked as a whole has no fee of its own.
        AND NOT EXISTS (SELECT 1 FROM payments_journalentry j
            WHERE (j.source_type, j.source_id) = ('movement', %(provider)s || ':' || t.reference)
                AND j.event IN ('unexplained', 'for_others'))
"""


def _lone(name: str, kind: DiscrepancyKind, where: str, *, key: str, sentence: str, **more: str) -> Rule:
    """Of what only the provider has."""
    shown = {"theirs": _THEIRS, "amount": "t.amount_cents", "currency": "t.currency", "at": "t.happened_at", **more}
    return Rule(name, kind, Of.MOVEMENTS, f"{_LONE} {where}", key=key, sentence=sentence, **shown)


def _met(name: str, kind: DiscrepancyKind, where: str, *, sentence: str, source: str = "", **more: str) -> Rule:
    """Of what both have, or only we."""
    shown = {
        "ours": money("t.our_", fee_cents="t.our_fee_cents"),
        "theirs": _THEIRS,
        "amount": "coalesce(t.amount_cents, t.our_amount_cents)",
        "currency": "coalesce(t.currency, t.our_currency)",
        **more,
    }
    return Rule(
        name, kind, Of.MOVEMENTS, source or f"met_movement t WHERE {where}",
        key=_MOVEMENT, at="t.happened_at", sentence=sentence, **shown,
    )  # fmt: skip


_BOTH = "t.ours IS NOT NULL AND t.theirs IS NOT NULL"

RULES = (
    _lone(
        "fee_missing", _Kind.FEE_MISSING, f"{_IS_CHARGE} AND t.receipt_id IS NOT NULL AND {_SAME_PRICE}",
        key=_MOVEMENT, target="'receipt:' || t.receipt_id", known="true", amount="t.fee_cents",
        sentence="'Of receipt ' || t.receipt_id || ' the provider kept ' || "
        + said("t.fee_cents", "t.currency") + " || ', and that is not booked.'",
    ),
    _lone(
        "charge_of_other_amount", _Kind.AMOUNT_MISMATCH,
        f"{_IS_CHARGE} AND t.receipt_id IS NOT NULL AND t.source_cents <> t.receipt_amount_cents",
        key=_CHARGE, ours=money("t.receipt_"), theirs=_PRICE,
        sentence="'Charge ' || t.charge_id || ' is of ' || " + said("t.source_cents", "t.source_currency")
        + " || ' at the provider, and of ' || " + said("t.receipt_amount_cents", "t.receipt_currency") + " || ' here.'",
    ),
    _lone(
        "charge_of_other_currency", _Kind.CURRENCY_MISMATCH,
        f"{_IS_CHARGE} AND t.receipt_id IS NOT NULL AND t.source_currency <> t.receipt_currency",
        key=_CHARGE, ours=money("t.receipt_"), theirs=_PRICE,
        sentence="'Charge ' || t.charge_id || ' is in ' || upper(t.source_currency) || ' at the provider, and in '"
        " || upper(t.receipt_currency) || ' here.'",
    ),
    _lone(
        "paid_there", _Kind.STATUS_MISMATCH,
        f"{_IS_CHARGE} AND t.receipt_id IS NULL AND t.payment_id IS NOT NULL AND t.payment_status <> 'succeeded'",
        key="'payment:' || t.payment_id", target="'payment:' || t.payment_id",
        known="(t.source_cents, t.source_currency) = (t.payment_amount_cents, t.payment_currency)",
        ours=money("t.payment_", status="t.payment_status"),
        theirs=facts(status="'succeeded'", amount_cents="t.source_cents", currency="t.source_currency"),
        sentence="'Payment ' || t.payment_id || ' is ' || t.payment_status || ' here, and paid at the provider.'",
    ),
    _lone(
        "second_charge", _Kind.UNKNOWN_MOVEMENT,
        f"{_IS_CHARGE} AND t.receipt_id IS NULL AND t.payment_status = 'succeeded'",
        key=_MOVEMENT, target="'movement:' || t.reference", ours=money("t.payment_", status="t.payment_status"),
        sentence="'Charge ' || t.charge_id || ' names payment ' || t.payment_id || ', which another charge has paid.'",
    ),
    _lone(
        "charge_missing_here", _Kind.MISSING_LOCALLY,
        f"{_IS_CHARGE} AND t.receipt_id IS NULL AND t.payment_id IS NULL AND t.is_marked",
        key="'payment:' || %(provider)s || ':' || t.ref", target="'charge:' || t.charge_id", theirs=_PRICE,
        sentence=MISSING_HERE,
    ),
    _lone(
        "strange_charge", _Kind.UNKNOWN_MOVEMENT,
        "t.kind = 'charge' AND t.receipt_id IS NULL AND (t.source_kind <> 'charge' OR NOT t.is_marked)",
        key=_MOVEMENT, target="'movement:' || t.reference",
        sentence="'Charge ' || coalesce(nullif(t.charge_id, ''), t.reference) || ' of '"
        " || " + said("t.amount_cents", "t.currency") + " || ' bears no mark of ours.'",
    ),
    _lone(
        "refund_not_booked", _Kind.STATUS_MISMATCH,
        f"{_IS_REFUND} AND t.receipt_id IS NOT NULL AND t.refund_id IS NOT NULL"
        " AND t.refund_status NOT IN ('sending', 'unknown')",
        key="'refund:' || t.refund_id", target="'receipt:' || t.receipt_id", known="true",
        ours=facts(status="t.refund_status"),
        sentence="'Refund ' || t.refund_id || ' is ' || t.refund_status || ' here, and moved '"
        " || " + said("t.amount_cents", "t.currency") + " || ' at the provider.'",
    ),
    _lone(
        "refund_answer_lost", _Kind.REFUND_STUCK,
        f"{_IS_REFUND} AND t.receipt_id IS NOT NULL AND t.refund_status IN ('sending', 'unknown')",
        key="'refund:' || t.refund_id", target="'receipt:' || t.receipt_id", known="true",
        ours=facts(status="t.refund_status"),
        sentence="'Refund ' || t.refund_id || ' is ' || t.refund_status || ' here, and has left at the provider.'",
    ),
    _lone(
        "refund_past_us", _Kind.EXTERNAL_REFUND, f"{_IS_REFUND} AND t.receipt_id IS NOT NULL AND t.refund_id IS NULL",
        key="'refund:' || %(provider)s || ':' || t.source_id", target="'receipt:' || t.receipt_id",
        sentence=said("abs(t.amount_cents)", "t.currency")
        + " || ' of receipt ' || t.receipt_id || ' were refunded at the provider, not here.'",
    ),
    _lone(
        "refund_of_missing_charge", _Kind.MISSING_LOCALLY,
        f"{_IS_REFUND} AND t.receipt_id IS NULL AND t.is_marked AND t.charge_id <> '' AND NOT {_CHARGE_COMES_FIRST}",
        key=_CHARGE, target="'charge:' || t.charge_id",
        sentence="'Charge ' || t.charge_id || ' was refunded by us, and is not here.'",
    ),
    _lone(
        "orphan_refund", _Kind.ORPHAN_REFUND,
        f"{_IS_REFUND} AND t.receipt_id IS NULL AND NOT (t.is_marked AND t.charge_id <> '')"
        f" AND NOT {_CHARGE_COMES_FIRST}",
        key=_MOVEMENT, target="'movement:' || t.reference",
        sentence=said("abs(t.amount_cents)", "t.currency")
        + " || ' were refunded of charge ' || coalesce(nullif(t.charge_id, ''), 'nobody knows which')"
        " || ', which is not here.'",
    ),
    _lone(
        "dispute_not_here", _Kind.DISPUTE_UNKNOWN,
        f"{_IS_DISPUTE} AND t.receipt_id IS NOT NULL AND t.dispute_id IS NULL",
        key="'dispute:' || %(provider)s || ':' || t.source_id", target="'receipt:' || t.receipt_id",
        sentence="'A bank moved ' || " + said("t.amount_cents", "t.currency")
        + " || ' of receipt ' || t.receipt_id || ' in a dispute that is not here.'",
    ),
    _lone(
        "dispute_not_booked", _Kind.STATUS_MISMATCH,
        f"{_IS_DISPUTE} AND t.receipt_id IS NOT NULL AND t.dispute_id IS NOT NULL",
        key="'dispute:' || t.dispute_id", target="'receipt:' || t.receipt_id", known="true",
        ours=facts(status="t.dispute_status"),
        sentence="'Dispute ' || t.source_id || ' is ' || t.dispute_status || ' here, and moved '"
        " || " + said("t.amount_cents", "t.currency") + " || ' at the provider.'",
    ),
    _lone(
        "strange_dispute", _Kind.UNKNOWN_MOVEMENT,
        f"{_IS_DISPUTE} AND t.receipt_id IS NULL AND NOT {_CHARGE_COMES_FIRST}",
        key=_MOVEMENT, target="'movement:' || t.reference",
        sentence="'A dispute moved ' || " + said("t.amount_cents", "t.currency")
        + " || ' of charge ' || t.charge_id || ', which is not here.'",
    ),
    _lone(
        "payout_not_booked", _Kind.STATUS_MISMATCH, _IS_PAYOUT,
        key="'payout:' || %(provider)s || ':' || t.source_id", target="'payout:' || t.source_id", known="true",
        sentence="'Payout ' || t.source_id || ' moved ' || " + said("t.amount_cents", "t.currency")
        + " || ' at the provider, and is not booked.'",
    ),
    _lone(
        "transfer_not_booked", _Kind.STATUS_MISMATCH, _IS_TRANSFER,
        key="'transfer:' || %(provider)s || ':' || t.source_id", target="'transfer:' || t.source_id", known="true",
        sentence="'Transfer ' || t.source_id || ' moved ' || " + said("t.amount_cents", "t.currency")
        + " || ' at the provider, and is not booked.'",
    ),
    _lone(
        "unknown_movement", _Kind.UNKNOWN_MOVEMENT,
        "t.kind NOT IN ('charge', 'refund', 'refund_failure', 'dispute', 'dispute_reversal')"
        f" AND NOT ({_IS_PAYOUT}) AND NOT ({_IS_TRANSFER})",
        key=_MOVEMENT, target="'movement:' || t.reference",
        sentence="'The balance moved by ' || " + said("t.net_cents", "t.currency")
        + " || ' in ' || t.reference || ' (' || coalesce(nullif(t.category, ''), 'no category')"
        " || '), and no rule says why.'",
    ),
    _met(
        "movement_not_there", _Kind.MISSING_AT_PROVIDER, "t.theirs IS NULL", theirs="'{}'",
        sentence="'Movement ' || t.reference || ' of ' || " + said("t.our_amount_cents", "t.our_currency")
        + " || ' is in our books, and not among those of the provider.'",
    ),
    _met(
        "fee_changed", _Kind.FEE_CHANGED, "", source=_BOOKED_FEE, target="'movement:' || t.reference", known="true",
        amount="t.fee_cents - booked.cents", ours=facts(fee_cents="booked.cents", currency="t.our_currency"),
        sentence="'Of ' || t.reference || ' the provider kept ' || " + said("t.fee_cents", "t.currency")
        + " || ', and ' || " + said("booked.cents", "t.currency") + " || ' are booked.'",
    ),
    _met(
        "movement_of_other_amount", _Kind.AMOUNT_MISMATCH,
        f"{_BOTH} AND t.amount_cents <> t.our_amount_cents AND t.currency = t.our_currency",
        sentence="'Movement ' || t.reference || ' is of ' || " + said("t.amount_cents", "t.currency")
        + " || ' at the provider, and of ' || " + said("t.our_amount_cents", "t.our_currency") + " || ' here.'",
    ),
    _met(
        "movement_of_other_currency", _Kind.CURRENCY_MISMATCH, f"{_BOTH} AND t.currency <> t.our_currency",
        sentence="'Movement ' || t.reference || ' is in ' || upper(t.currency) || ' at the provider, and in '"
        " || upper(t.our_currency) || ' here.'",
    ),
    _met(
        "movement_of_other_mode", _Kind.LIVEMODE_LEAK, f"{_BOTH} AND t.our_livemode <> %(livemode)s",
        sentence="'Movement ' || t.reference || ' is of the other mode here.'",
    ),
    Rule(
        "read_in_other_mode", _Kind.LIVEMODE_LEAK, Of.MOVEMENTS,
        "payments_stagedmovement t WHERE t.run_id = %(run)s AND t.livemode <> %(livemode)s",
        key=_MOVEMENT, at="t.occurred_at", theirs=money("t."), amount="t.amount_cents", currency="t.currency",
        sentence="'Movement ' || t.reference || ' is of the other mode than our key.'",
    ),
    Rule(
        "mostly_foreign", _Kind.FOREIGN_ACCOUNT, Of.MOVEMENTS,
        """(SELECT count(*) AS told, count(*) FILTER (WHERE env = %(env)s) AS marked
            FROM payments_stagedmovement WHERE run_id = %(run)s AND source_kind = 'charge' AND kind = 'charge') t
           WHERE t.told >= %(foreign_from)s AND t.marked * 2 < t.told""",
        key="'account:' || %(provider)s", at="NULL",
        # Without the numbers: what a person has decided is no news when they change.
        ours=facts(environment="%(env)s::text"), theirs=facts(charges="'mostly without our mark'"),
        sentence="t.marked || ' of ' || t.told || ' charges bear the mark of this environment: is this our account?'",
    ),
)  # fmt: skip
