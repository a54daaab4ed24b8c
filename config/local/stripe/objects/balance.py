"""The account's money: a balance transaction for every movement, and the sum of them.

Charges become available two days later, at midnight UTC; every other movement counts at once. A movement settles in
the currency of its charge, unless the charge was ordered to settle in another one: then the charge, its refunds and
its disputes are all converted at the rate of that order, each rounded half up.
"""

from decimal import ROUND_HALF_UP, Decimal

from config.local.stripe.wire import Json
from config.local.stripe.work import Work

DAY = 86_400
SETTLES_AFTER = 2 * DAY
INCOMING = ("charge", "payment")
# Stripe's own grouping for accountants; a type that is not here is its own category.
CATEGORIES = {
    "payment": "charge",
    "payment_refund": "refund",
    "payment_failure_refund": "charge_failure",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "transfer_cancel": "transfer_reversal",
    "transfer_failure": "transfer_reversal",
    "transfer_refund": "transfer_reversal",
}


def book(
    work: Work,
    *,
    type: str,
    source: Json,
    amount: int,
    fee: int = 0,
    fee_for: str = "Stripe processing fees",
    settlement: Json | None = None,
    category: str | None = None,
    description: str | None = None,
) -> Json:
    """One movement of the balance; `amount` is in the currency of its source and negative when money leaves, `fee`
    in the currency it settles in."""
    settled = convert(amount, settlement)
    currency = settlement["currency"] if settlement else source["currency"]
    return work.insert(
        "balance_transaction",
        "txn",
        {
            "amount": settled,
            "available_on": settles_on(work.now) if type in INCOMING else work.now,
            "balance_type": "payments",
            "currency": currency,
            "description": description,
            "exchange_rate": settlement["rate"] if settlement else None,
            "fee": fee,
            "fee_details": [_fee_detail(fee, currency, fee_for)] if fee else [],
            "net": settled - fee,
            "reporting_category": category or CATEGORIES.get(type, type),
            "source": source["id"],
            "status": "pending",
            "type": type,
        },
        livemode=False,
    )


def convert(amount: int, settlement: Json | None) -> int:
    if settlement is None:
        return amount
    return int((amount * Decimal(str(settlement["rate"]))).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def settlement_of(work: Work, charge: Json) -> Json | None:
    """How this charge settles: None in its own currency, else {"currency", "rate"}."""
    found: Json | None = work.hidden(charge["id"]).get("settlement")
    return found


def settles_on(now: int) -> int:
    return (now + SETTLES_AFTER + DAY - 1) // DAY * DAY


def _fee_detail(fee: int, currency: str, fee_for: str) -> Json:
    return {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": fee_for,
        "type": "stripe_fee",
    }


def read_balance(work: Work) -> Json:
    rows = work.db.execute(
        """
        SELECT json_extract(body, '$.currency') AS currency,
               sum(iif(json_extract(body, '$.available_on') <= :now, json_extract(body, '$.net'), 0)) AS available,
               sum(iif(json_extract(body, '$.available_on') > :now, json_extract(body, '$.net'), 0)) AS pending
        FROM object WHERE kind = 'balance_transaction' GROUP BY 1 ORDER BY 1
        """,
        {"now": work.now},
    ).fetchall()
    sums = [(row["currency"], row["available"], row["pending"]) for row in rows] or [("usd", 0, 0)]
    return {
        "object": "balance",
        "available": [_sum(currency, available) for currency, available, _ in sums],
        "livemode": False,
        "pending": [_sum(currency, pending) for currency, _, pending in sums],
    }


def available_amount(work: Work, currency: str) -> int:
    sums = {part["currency"]: part["amount"] for part in read_balance(work)["available"]}
    return int(sums.get(currency, 0))


def _sum(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
