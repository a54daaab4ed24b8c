"""What a schema cannot say. Each line is one place where a value that it allows may be refused, and why."""

from typing import Any

from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Not called by made-up calls, and why.
LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(
        ("POST /api/v1/webhooks/{provider}", "POST /api/v1/webhooks/stripe"),
        "the signature is over the body, which no schema can say",
    ),
    "GET /api/v1/pools/{pool_id}/events": "sent on to another process, which does not run here",
}
LINK = "the token of a link that we sent"
PRESENT = "the password of the caller"
GUESSABLE = "neither common nor like the name or the address"
STATEMENT = "a statement in its format"
AS_MANY = "as many as the round takes"
ROW = "something that there is"
DAYS = "from 2000 to 2200, none before the other"
OF_REPORTS = {"pool": ROW, "account": ROW, "actor": ROW, "person": ROW}
NAME = "letters that a name may have: no invisible ones, none that Unicode does not have yet"
ENDPOINT = {
    "url": "an address in the open internet",
    "name": NAME,
    "covers": "what the caller's role sees of others",
}
OF_A_KIND = "what a ruling of its kind and its verdict takes"
# By operation: fields about which the schema says less than is true, and what is true.
UNTOLD: dict[str, dict[str, str]] = {
    "POST /api/v1/api-keys": {
        "name": NAME,
        "scopes": "within reach of the caller's role",
        "expires_at": "after now, within a year",
    },
    "POST /api/v1/auth/email/undo": {"token": LINK},
    "POST /api/v1/auth/password/change": {"current_password": PRESENT, "new_password": GUESSABLE},
    "POST /api/v1/auth/password/reset/confirm": {"token": LINK, "new_password": GUESSABLE},
    "POST /api/v1/auth/register": {
        "email": "an address that can be one",
        "password": GUESSABLE,
        "display_name": NAME,
        "date_of_birth": "in the past",
    },
    "POST /api/v1/auth/verify-email": {"token": LINK},
    "POST /api/v1/auth/email/confirm": {"token": LINK},
    "POST /api/v1/bank-lines/{id}/match": {"provider_payouts": ROW, "manual_records": ROW},
    "POST /api/v1/bank-statements": {
        "content_base64": STATEMENT,
        "file": STATEMENT,
        "account": "one of the bank",
    },
    "POST /api/v1/discrepancies/{id}/give": {"owner": "somebody who may deal with discrepancies"},
    "POST /api/v1/exports": {"first_day": DAYS, "last_day": DAYS, **OF_REPORTS},
    "POST /api/v1/export-schedules": {"first": DAYS, "recipients": "people who may export it", **OF_REPORTS},
    "POST /api/v1/journal-batches": {"through": "a day that is over"},
    "GET /api/v1/ledger/accounts/{id}/statement": {"until": "not before `since`"},
    "POST /api/v1/me/email": {"password": PRESENT, "email": "an address that can be one"},
    "POST /api/v1/payments/{id}/refunds": {
        "manual": "only when the way it came has failed",
        "amount_cents": "all that is left where a place goes back with it",
    },
    "POST /api/v1/periods": {"first_day": "from 2000 to 2200"},
    "POST /api/v1/pools/{pool_id}/amendments": {"changes": "others than hold now"},
    "POST /api/v1/pools": {"competition": "the code of one that has rounds"},
    "POST /api/v1/requests/{id}/manual-payment": {
        "passed_at": "in the past",
        "evidence": "files that begin as a PDF, a PNG or a JPEG does; needed for a cheque and a transfer",
    },
    "POST /api/v1/requests/{id}/withdraw": {"reason": "needed of whoever is not its player"},
    "POST /api/v1/webhook-endpoints": ENDPOINT,
    "PATCH /api/v1/webhook-endpoints/{id}": ENDPOINT,
    "PUT /api/v1/account-mappings": {
        "account": "nothing that a spreadsheet would run",
        "tax_rate": "the same; needed for Xero",
    },
    "PATCH /api/v1/me": {
        "display_name": NAME,
        "date_of_birth": "in the past",
    },
    "PATCH /api/v1/me/messages": {
        "quiet_until": "with `quiet_from`, said now or before: both or neither, from a minute to twelve hours later",
        "time_zone": "the name of a zone that there is",
    },
    "PUT /api/v1/entries/{entry_id}/picks/{number}": {"team": AS_MANY, "teams": AS_MANY},
    "PUT /api/v1/me/identity": {"legal_name": NAME},
    "POST /api/v1/rulings": {"details": OF_A_KIND, "game": OF_A_KIND, "entry": OF_A_KIND},
}
# Each switch may be one that there is, and all together contradict each other. A single one that is refused is a
# finding: what is said of it then begins with one of these.
RULED = ("POST /api/v1/pools", "POST /api/v1/pools/{pool_id}/rules", "POST /api/v1/pools/{pool_id}/amendments")
OF_ONE_SWITCH = ("Must ", "Unknown.")
# In every operation.
EVERYWHERE: dict[str, str] = {
    "cursor": "signed by us, for one list and one caller",
}


# What the double of the provider was never told of, though the world has it: it may say so.
UNKNOWN_TO_THE_PROVIDER: dict[str, str] = {
    "POST /api/v1/discrepancies/{id}/resync": "the world's doubts are about money that passed nobody",
}


def may_be_refused(label: str, response: Any) -> list[Any]:
    """The checks that this answer need not pass: none, unless all that it refuses is untold."""
    if response.status_code not in (400, 502):
        return []
    error = response.json().get("error") or {}
    if response.status_code == 502:
        is_theirs = label in UNKNOWN_TO_THE_PROVIDER and error.get("code") == "PROVIDER_ERROR"
        return [positive_data_acceptance, not_a_server_error] if is_theirs else []
    told = error.get("details") or {}
    refused = {name.split(".")[0] for name, said in told.items() if not _contradicts(label, name, said)}
    return [positive_data_acceptance] if told and refused <= {*EVERYWHERE, *UNTOLD.get(label, {})} else []


def _contradicts(label: str, name: str, said: list[str]) -> bool:
    is_switch = label in RULED and name.startswith("rules.")
    return is_switch and not any(one.startswith(OF_ONE_SWITCH) for one in said)
