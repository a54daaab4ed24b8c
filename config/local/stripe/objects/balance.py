"""The account's money: a balance transaction for every movement, and the sum of them.

Charges become available two days later, at midnight UTC; refunds and payouts draw at once. Everything settles in
the currency it was charged in, so there is no exchange rate.
"""

from config.local.stripe.wire import Json
from config.local.stripe.work import Work

DAY = 86_400
SETTLES_AFTER = 2 * DAY


def book(work: Work, *, type: str, source: Json, amount: int, fee: int = 0, description: str | None = None) -> Json:
    """One movement of the balance, in the currency of its source; `amount` is negative when money leaves."""
    currency = source["currency"]
    return work.insert(
        "balance_transaction",
        "txn",
        {
            "amount": amount,
            "available_on": settles_on(work.now) if amount > 0 else work.now,
            "balance_type": "payments",
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [_fee_detail(fee, currency)] if fee else [],
            "net": amount - fee,
            "reporting_category": type,
            "source": source["id"],
            "status": "pending",
            "type": type,
        },
        livemode=False,
    )


def settles_on(now: int) -> int:
    return (now + SETTLES_AFTER + DAY - 1) // DAY * DAY


def _fee_detail(fee: int, currency: str) -> Json:
    return {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
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
