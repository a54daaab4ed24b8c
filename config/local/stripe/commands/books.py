"""The double's truth about money, summed up: what a ledger that forgot nothing must agree with."""

from config.local.stripe.commands.bodies import only
from config.local.stripe.objects.balance import read_balance
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

SIDES = ("gross", "fee", "net")


def read(work: Work, body: Json) -> Json:
    """Every movement by currency and reporting category, and what became of every charge that was paid."""
    only(body)
    movements = work.all("balance_transaction")
    return {"currencies": _currencies(work, movements), "charges": _charges(work, movements)}


def _currencies(work: Work, movements: list[Json]) -> Json:
    balance = read_balance(work)
    sums: Json = {}
    for movement in movements:
        whole = sums.setdefault(movement["currency"], {"count": 0, **dict.fromkeys(SIDES, 0), "categories": {}})
        part = whole["categories"].setdefault(movement["reporting_category"], {"count": 0, **dict.fromkeys(SIDES, 0)})
        for total in (whole, part):
            _add(total, movement)
    for side in ("available", "pending"):
        for money in balance[side]:
            if money["currency"] in sums:
                sums[money["currency"]][side] = money["amount"]
    return sums


def _add(total: Json, movement: Json) -> None:
    total["count"] += 1
    total["gross"] += movement["amount"]
    total["fee"] += movement["fee"]
    total["net"] += movement["net"]


def _charges(work: Work, movements: list[Json]) -> list[Json]:
    """Amounts in the currency of the charge, `settled` in the currency of the balance."""
    drawn, waiting = _refunds(work)
    disputed = _disputes(work)
    settled = _settled(work, movements)
    sessions = {session["payment_intent"]: session["id"] for session in work.all("checkout.session")}
    return [
        {
            "id": charge["id"],
            "payment_intent": charge["payment_intent"],
            "session": sessions.get(charge["payment_intent"]),
            "currency": charge["currency"],
            "amount": charge["amount"],
            "refunded": drawn.get(charge["id"], 0),
            "refund_pending": waiting.get(charge["id"], 0),
            "disputed": disputed.get(charge["id"], 0),
            "returned": charge["amount"] if charge["failure_balance_transaction"] else 0,
            "settled": settled[charge["id"]],
        }
        for charge in work.all("charge")
        if charge["balance_transaction"] is not None
    ]


def _refunds(work: Work) -> tuple[dict[str, int], dict[str, int]]:
    """By charge: what left the balance and did not come back, and what has yet to leave it."""
    drawn: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for refund in work.all("refund"):
        if refund["balance_transaction"] and not refund["failure_balance_transaction"]:
            drawn[refund["charge"]] = drawn.get(refund["charge"], 0) + refund["amount"]
        if refund["status"] in ("pending", "requires_action"):
            waiting[refund["charge"]] = waiting.get(refund["charge"], 0) + refund["amount"]
    return drawn, waiting


def _disputes(work: Work) -> dict[str, int]:
    """By charge: what the banks hold or kept. Withdrawn is one movement, reinstated are two."""
    held: dict[str, int] = {}
    for dispute in work.all("dispute"):
        if len(dispute["balance_transactions"]) == 1:
            held[dispute["charge"]] = held.get(dispute["charge"], 0) + dispute["amount"]
    return held


def _settled(work: Work, movements: list[Json]) -> Json:
    """By charge: the sum of all movements of the charge, its refunds and its disputes."""
    owner: dict[str, str] = {part["id"]: part["charge"] for kind in ("refund", "dispute") for part in work.all(kind)}
    sums: Json = {}
    for movement in movements:
        source = str(movement["source"])
        start = {"currency": movement["currency"], "count": 0, **dict.fromkeys(SIDES, 0)}
        _add(sums.setdefault(owner.get(source, source), start), movement)
    return sums
