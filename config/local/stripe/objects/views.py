"""What an object shows at the moment of asking: the parts that follow from the clock or the address."""

from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def present(work: Work, body: Json) -> Json:
    if body["object"] == "checkout.session":
        return {**body, "url": checkout_url(work, body) if body["status"] == "open" else None}
    if body["object"] == "balance_transaction":
        return {**body, "status": "available" if body["available_on"] <= work.now else "pending"}
    if body["object"] == "dispute":
        return {**body, "balance_transactions": [present(work, part) for part in body["balance_transactions"]]}
    return body


def checkout_url(work: Work, session: Json) -> str:
    return f"{work.account.base_url}/pay/{session['id']}"
