"""What a schema cannot say. Each line is one place where a value that it allows may be refused, and why."""

from typing import Any

from schemathesis.specs.openapi.checks import positive_data_acceptance

# Not called by made-up calls, and why.
LEFT_OUT: dict[str, str] = {
    "POST /api/v1/webhooks/stripe": "the signature is over the body, which no schema can say",
}
# By operation: fields about which the schema says less than is true, and what is true.
UNTOLD: dict[str, dict[str, str]] = {}
# In every operation.
EVERYWHERE: dict[str, str] = {
    "cursor": "signed by us, for one list and one caller",
}


def may_be_refused(label: str, response: Any) -> list[Any]:
    """The checks that this answer need not pass: none, unless all that it refuses is untold."""
    if response.status_code != 400:
        return []
    error = response.json().get("error") or {}
    refused = {name.split(".")[0] for name in error.get("details") or {}}
    return [positive_data_acceptance] if refused and refused <= {*EVERYWHERE, *UNTOLD.get(label, {})} else []
