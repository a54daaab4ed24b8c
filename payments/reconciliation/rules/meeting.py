"""What was read meets what we have: each list once, as a whole, and only pairs that are not alike are kept.

The rules of each kind then look at these few. Both sides are bounded by the window; what one side seems to lack is
looked up by its name before it counts as missing, for the other side may date it to another moment.
"""

from payments.reconciliation.rules.base import IN_WINDOW, as_ref

_STAGED = """run_id = %(run)s AND livemode = %(livemode)s"""
_TAKEN = """SELECT * FROM payments_stagedobject WHERE {staged} AND kind = '{kind}'
    AND made_at >= %(since)s AND made_at < %(until)s"""


def _taken(kind: str) -> str:
    return _TAKEN.format(staged=_STAGED, kind=kind)


MOVEMENTS = (
    f"""
    CREATE TEMP TABLE met_movement ON COMMIT DROP AS
    SELECT s.reference AS theirs, m.reference AS ours, coalesce(s.reference, m.reference) AS reference,
           coalesce(s.occurred_at, m.occurred_at) AS happened_at, s.kind, s.category, s.amount_cents, s.fee_cents,
           s.net_cents, s.currency, s.source_kind, s.source_id, s.source_cents, s.source_currency, s.charge_id,
           s.env, s.ref, m.amount_cents AS our_amount_cents, m.fee_cents AS our_fee_cents, m.net_cents AS our_net_cents,
           m.currency AS our_currency, m.livemode AS our_livemode
    FROM (SELECT * FROM payments_stagedmovement
          WHERE {_STAGED} AND occurred_at >= %(since)s AND occurred_at < %(until)s) s
    FULL JOIN (SELECT * FROM payments_movement WHERE provider = %(provider)s AND livemode = %(livemode)s
               AND occurred_at >= %(since)s AND occurred_at < %(until)s) m ON m.reference = s.reference
    WHERE (s.amount_cents, s.fee_cents, s.currency) IS DISTINCT FROM (m.amount_cents, m.fee_cents, m.currency)
    """,
    """
    UPDATE met_movement t SET ours = m.reference, our_amount_cents = m.amount_cents, our_fee_cents = m.fee_cents,
        our_net_cents = m.net_cents, our_currency = m.currency, our_livemode = m.livemode
    FROM payments_movement m WHERE t.ours IS NULL AND (m.provider, m.reference) = (%(provider)s, t.theirs)
    """,
    """
    DELETE FROM met_movement t USING payments_stagedmovement s
    WHERE t.theirs IS NULL AND (s.run_id, s.reference) = (%(run)s, t.ours)
    """,
    # What only the provider has, with everything of ours that it could belong to.
    f"""
    CREATE TEMP TABLE lone_movement ON COMMIT DROP AS
    SELECT t.*, coalesce(t.env = %(env)s AND t.name IS NOT NULL, false) AS is_marked,
           r.id AS receipt_id, r.amount_cents AS receipt_amount_cents, r.currency AS receipt_currency,
           p.id AS payment_id, p.status AS payment_status, p.amount_cents AS payment_amount_cents,
           p.currency AS payment_currency, coalesce(f.id, g.id) AS refund_id, coalesce(f.status, g.status)
           AS refund_status, d.id AS dispute_id, d.status AS dispute_status
    FROM (SELECT t.*, {as_ref("t.ref")} AS name FROM met_movement t WHERE t.ours IS NULL) t
    LEFT JOIN payments_receipt r ON (r.provider, r.charge_id) = (%(provider)s, t.charge_id)
    LEFT JOIN payments_payment p ON p.ref = t.name AND t.source_kind = 'charge' AND t.env = %(env)s
    LEFT JOIN payments_refund f ON (f.provider, f.provider_reference) = (%(provider)s, t.source_id)
        AND t.source_kind = 'refund'
    LEFT JOIN payments_refund g ON g.ref = t.name AND t.source_kind = 'refund' AND t.env = %(env)s
    LEFT JOIN payments_dispute d ON (d.provider, d.provider_reference) = (%(provider)s, t.source_id)
    """,
)

LISTS = (
    f"""
    CREATE TEMP TABLE met_charge ON COMMIT DROP AS
    SELECT s.object_id AS theirs, r.id AS receipt_id, coalesce(s.object_id, r.charge_id) AS charge_id,
           coalesce(s.made_at, r.received_at) AS happened_at, s.status, s.amount_cents, s.currency, s.ref, s.env,
           r.amount_cents AS our_amount_cents, r.currency AS our_currency, r.livemode AS our_livemode
    FROM ({_taken("charge")}) s
    FULL JOIN (SELECT * FROM payments_receipt WHERE provider = %(provider)s AND livemode = %(livemode)s
               AND received_at >= %(since)s AND received_at < %(until)s) r ON r.charge_id = s.object_id
    WHERE (s.status, s.amount_cents, s.currency) IS DISTINCT FROM ('succeeded', r.amount_cents, r.currency)
        AND NOT (r.id IS NULL AND s.status <> 'succeeded')
    """,
    """
    UPDATE met_charge t SET receipt_id = r.id, our_amount_cents = r.amount_cents, our_currency = r.currency,
        our_livemode = r.livemode
    FROM payments_receipt r WHERE t.receipt_id IS NULL AND (r.provider, r.charge_id) = (%(provider)s, t.theirs)
    """,
    """
    DELETE FROM met_charge t USING payments_stagedobject s
    WHERE t.theirs IS NULL AND (s.run_id, s.kind, s.object_id) = (%(run)s, 'charge', t.charge_id)
    """,
    f"""
    CREATE TEMP TABLE lone_charge ON COMMIT DROP AS
    SELECT t.*, t.env = %(env)s AND t.name IS NOT NULL AS is_marked, p.id AS payment_id, p.status AS payment_status,
           p.amount_cents AS payment_amount_cents, p.currency AS payment_currency
    FROM (SELECT t.*, {as_ref("t.ref")} AS name FROM met_charge t WHERE t.receipt_id IS NULL) t
    LEFT JOIN payments_payment p ON p.ref = t.name AND t.env = %(env)s
    """,
    f"""
    CREATE TEMP TABLE met_session ON COMMIT DROP AS
    SELECT s.object_id, s.status, s.amount_cents, s.currency, s.ref, s.made_at AS happened_at, p.id AS payment_id,
           p.status AS payment_status, p.amount_cents AS payment_amount_cents, p.currency AS payment_currency
    FROM (SELECT s.*, {as_ref("s.ref")} AS name,
                 CASE s.status WHEN 'paid' THEN 'succeeded' WHEN 'expired' THEN 'cancelled' ELSE s.status END AS stands
          FROM ({_taken("session")}) s WHERE s.env = %(env)s) s
    LEFT JOIN payments_payment p ON p.ref = s.name
    WHERE s.name IS NOT NULL AND (
        p.id IS NULL AND s.stands NOT IN ('cancelled', 'failed')
        OR p.id IS NOT NULL AND p.status <> s.stands
           AND (p.provider_reference IN ('', s.object_id) OR s.status = 'paid')
           AND NOT (p.status IN ('cancelled', 'failed') AND s.stands IN ('cancelled', 'failed')))
    """,
    f"""
    CREATE TEMP TABLE met_refund ON COMMIT DROP AS
    SELECT s.object_id, s.charge_id, s.status, s.amount_cents, s.currency, s.made_at AS happened_at,
           CASE s.status WHEN 'cancelled' THEN 'failed' ELSE s.status END AS stands,
           s.env = %(env)s AND {as_ref("s.ref")} IS NOT NULL AS is_marked, r.id AS receipt_id,
           coalesce(f.id, g.id) AS refund_id, coalesce(f.status, g.status) AS refund_status,
           coalesce(f.amount_cents, g.amount_cents) AS refund_amount_cents,
           coalesce(f.currency, g.currency) AS refund_currency
    FROM ({_taken("refund")}) s
    LEFT JOIN payments_refund f ON (f.provider, f.provider_reference) = (%(provider)s, s.object_id)
    LEFT JOIN payments_refund g ON g.ref = {as_ref("s.ref")} AND s.env = %(env)s AND g.provider_reference = ''
    LEFT JOIN payments_receipt r ON (r.provider, r.charge_id) = (%(provider)s, s.charge_id)
    """,
    f"""
    CREATE TEMP TABLE met_dispute ON COMMIT DROP AS
    SELECT s.object_id, s.charge_id, s.status, s.amount_cents, s.currency, s.made_at AS happened_at,
           r.id AS receipt_id, d.id AS dispute_id, d.status AS dispute_status, d.amount_cents AS dispute_amount_cents
    FROM ({_taken("dispute")}) s
    LEFT JOIN payments_dispute d ON (d.provider, d.provider_reference) = (%(provider)s, s.object_id)
    LEFT JOIN payments_receipt r ON (r.provider, r.charge_id) = (%(provider)s, s.charge_id)
    """,
)

# Payments that are not simply paid: with their receipts, of which most are what they should be.
ROWS = (
    f"""
    CREATE TEMP TABLE met_receipt ON COMMIT DROP AS
    SELECT t.id, t.status, t.amount_cents, t.currency, t.livemode, t.unapplied_because, t.created_at,
           p.id AS payment_id, p.status AS payment_status, p.amount_cents AS payment_amount_cents,
           p.currency AS payment_currency, p.livemode AS payment_livemode, p.created_at AS payment_created_at
    FROM payments_payment p LEFT JOIN payments_receipt t ON t.payment_id = p.id
    WHERE {IN_WINDOW} AND CASE WHEN t.id IS NULL THEN p.status = 'succeeded' ELSE
        (p.status, t.status, p.amount_cents, p.currency, p.livemode)
        <> ('succeeded', 'allocated', t.amount_cents, t.currency, t.livemode) END
    """,
)

# Small, but for the worst of days; without statistics the planner takes them for large ones.
COUNTED = ("met_movement", "lone_movement", "met_receipt")
COUNTED_OF_LISTS = ("met_charge", "lone_charge", "met_session", "met_refund", "met_dispute")
