"""What a provider has after busy days: so many charges at the Stripe double, each with its movement.

They are copies of one that the double itself has made, with names and instants of their own, and written to its file
before it starts: paying a hundred thousand pages would take longer than everything that is measured.
"""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from config.local.stripe.account import Account
from config.local.stripe.commands import strangers
from config.local.stripe.double import DATABASE, Double
from config.local.stripe.objects.balance import SETTLES_AFTER

AT_ONCE = 5_000
CHARGE, MOVEMENT, SESSION = "ch_bench_", "txn_bench_", "cs_bench_"
AMOUNT, FEE, CURRENCY = 5000, 175, "usd"


def ref_of(number: int) -> str:
    """Our name of the payment behind a charge."""
    return f"00000000-0000-4000-8000-{number:012d}"


def plant(home: Path, *, count: int, first: datetime, seconds: float, env: str) -> None:
    """`count` charges of 50 dollars of ours, from `first` on, so many seconds apart. The double must not be running."""
    charge, movement = _made_by_the_double(home)
    began = int(first.timestamp())
    with sqlite3.connect(home / DATABASE) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("DELETE FROM object")
        db.execute("DELETE FROM timer")
        rows = _rows(charge, movement, [(n, began + int((n - 1) * seconds)) for n in range(1, count + 1)], env)
        insert = "INSERT INTO object (id, kind, created, body, hidden) VALUES (?, ?, ?, ?, '{}')"
        while batch := [row for _, row in zip(range(AT_ONCE), rows, strict=False)]:
            db.executemany(insert, batch)
    db.close()


def _made_by_the_double(home: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    double = Double(home, Account("http://127.0.0.1"))
    try:
        with double.work() as work:
            made = strangers.pay(work, {"amount": AMOUNT, "currency": CURRENCY})
            charge = work.get("charge", made["charge"])
            return charge, work.get("balance_transaction", charge["balance_transaction"])
    finally:
        double.close()


def _rows(
    charge: dict[str, Any], movement: dict[str, Any], times: list[tuple[int, int]], env: str
) -> Iterator[tuple[str, str, int, str]]:
    for n, at in times:
        ids = {"balance_transaction": f"{MOVEMENT}{n}", "payment_intent": f"pi_bench_{n}"}
        metadata = {"ref": ref_of(n), "kind": "entry_fee", "payment": str(n), "request": str(n), "env": env}
        body = {**charge, "id": f"{CHARGE}{n}", "created": at, "metadata": metadata, **ids}
        yield body["id"], "charge", at, json.dumps(body)
        moved = {**movement, "id": f"{MOVEMENT}{n}", "created": at, "source": body["id"]}
        yield moved["id"], "balance_transaction", at, json.dumps({**moved, "available_on": at + SETTLES_AFTER})
