"""What needs a fresh sign-in over the API: a list that only grows, and each of it refused to a stale caller."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

from accounts.services.tokens import AccessClaims
from config.api.operations import NOTHING_DECLARED
from config.errors import Code
from tests.factories.accounts import AdminFactory

# Money that leaves or is given up, results decided by hand, ways to sign in, keys, personal data.
KNOWN = {
    "DELETE me", "POST me/email", "GET me/export", "PUT me/identity", "POST me/exclusions", "DELETE me/logins/1",
    "POST me/totp", "DELETE me/totp", "POST me/totp/confirm", "POST me/totp/recovery-codes",
    "POST api-keys", "POST api-keys/1/rotate",
    "POST rulings", "POST rulings/1/confirm", "POST rulings/1/reversal",
    "POST pools/1/cancel", "POST amendments/1/confirm", "POST pools/1/cancellation/confirm",
    "POST discrepancies/1/allocate", "POST discrepancies/1/refund", "POST discrepancies/1/mark-foreign",
    "POST discrepancies/1/write-off", "POST foreign-objects/1/ours", "POST write-offs/1/approve",
    "POST requests/1/manual-payment", "POST manual-records/1/confirm",
    "POST bank-lines/1/match", "POST bank-lines/1/undo", "POST periods/1/close",
    "POST payouts", "POST pools/1/payouts", "POST payouts/approvals", "POST payouts/1/approve", "POST payouts/1/return",
    "POST payments/1/refunds", "POST refunds/1/approve",
}  # fmt: skip


def routes(patterns, prefix=""):
    """Every address of the API, with 1 for each id, and its view."""
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, text)
        elif text.startswith("api/v1/"):
            address = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?\w+>", "1", text[len("api/v1/") :])
            if "format" not in text:
                yield address.replace("^", "").replace("$", "").replace("\\Z", "").rstrip("/?"), pattern.callback


def fresh_operations() -> set[str]:
    found = set()
    for address, view in routes(get_resolver("config.urls").url_patterns):
        cls = getattr(view, "cls", None)
        actions = getattr(view, "actions", None) or {}
        for method in ("get", "post", "put", "patch", "delete"):
            name = actions.get(method) if actions else method
            operation = getattr(getattr(cls, name or "", None), "operation", NOTHING_DECLARED)
            if operation.fresh:
                found.add(f"{method.upper()} {address}")
    return found


def test_what_was_guarded_once_stays_guarded():
    assert KNOWN - fresh_operations() == set()


@pytest.mark.parametrize("operation", sorted(fresh_operations()))
@pytest.mark.parametrize("proved", ["long ago", "never"])
def test_a_stale_caller_is_refused_before_anything_is_looked_at(db, operation, proved):
    """An admin, who may do all of it otherwise; and `never` is what an API key has to say."""
    method, address = operation.split()
    boss = AdminFactory()
    claims = AccessClaims(boss.pk, uuid4(), 1, datetime(2026, 1, 1, tzinfo=UTC)) if proved == "long ago" else None
    client = APIClient()
    client.force_authenticate(boss, claims)

    answer = client.generic(method, f"/api/v1/{address}", "{}", "application/json", HTTP_IDEMPOTENCY_KEY="k" * 20)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, Code.REAUTHENTICATION_REQUIRED), address
