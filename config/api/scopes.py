"""What an API key may be allowed to do, by name, and which of it an operation asks for.

A view names the family its operations belong to, and an operation the scope it asks for where that is another one:

    class EntryViewSet(ApiViewSet):
        family = "entries"                      # GET asks for entries:read, the rest for entries:write

        @operation(scope="requests:decide", …)  # this one for another
        @operation(scope=None, …)               # and this one is for people alone

What says nothing is closed to keys, and so is whatever moves money or needs a fresh sign-in: a key is never fresh. A
scope opens nothing that the role of the key's owner does not; which roles may have it, `accounts.services.api_keys`
says.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from config.api.operations import UNSET, operation_of
from config.errors import Code, Forbidden
from config.phrases import phrase

# Of a call whose parts each ask for a scope of their own, by what they are about (`config.graphql.scoping`).
BY_TYPE = "by type"
SAFE = frozenset({"GET", "HEAD"})

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "account:read": "See who the key belongs to.",
        "pools:read": "Look at competitions, pools, their rules, rounds and standings.",
        "pools:write": "Make and publish pools, change rules and pictures. For moderators.",
        "results:write": "Enter results of games. For moderators.",
        "requests:read": "Look at requests for a place.",
        "requests:write": "Ask for a place, for a way back in, and withdraw.",
        "requests:decide": "Approve, reject and put on the waiting list. For moderators.",
        "entries:read": "Look at entries.",
        "picks:read": "Look at picks, their history and the fallback list.",
        "picks:write": "Save and take back picks and the fallback list.",
        "rulings:read": "Look at rulings.",
        "payments:read": "Look at payments, refunds and prizes.",
        "finance:read": "Look at ledger, bank, payouts, disputes and discrepancies. For finance.",
        "finance:write": "Hand in bank statements, fetch journals, look after discrepancies. For finance.",
        "reports:read": "List reports and fetch those that name nobody. For finance.",
        "reports:write": "Have reports written. For finance.",
        "webhooks:read": "Look at webhook endpoints and what was sent to them.",
        "webhooks:write": "Try webhook endpoints out, and have deliveries sent again.",
    }
)


class ScopeMissing(Forbidden):
    """The key may do other things, not this."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            Code.SCOPE_MISSING, phrase("This API key lacks the scope {scope}.", scope=scope), {"scope": scope}
        )


def scope_of(view: Any, method: str) -> str | None:
    """The scope that this method of the view asks a key for; None where keys have no business."""
    declared = operation_of(view, method)
    if declared.fresh or declared.moves_money:
        return None
    if declared.scope is not UNSET:
        found: str | None = declared.scope
        return found
    family: str = view.family
    return f"{family}:{'read' if method.upper() in SAFE else 'write'}" if family else None


def refuse_outside(granted: frozenset[str] | None, needed: str | None) -> None:
    """Refuse a key what its scopes do not hold. `granted` is None for people, who have no scopes."""
    if granted is None or needed == BY_TYPE:
        return
    if needed is None:
        raise Forbidden(Code.FORBIDDEN, "This is for somebody who signed in: no API key may do it.")
    if needed not in granted:
        raise ScopeMissing(needed)
