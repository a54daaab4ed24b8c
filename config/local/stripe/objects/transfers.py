"""Transfers: money from the balance to a connected account, which has it at once; and its coming back, in parts if so.

What the connected accounts do with it is not played. An account is any name that begins with `acct_`: one that begins
with `acct_missing` does not exist, one that begins with `acct_restricted` may not be sent money yet.
"""

import re

from config.local.stripe.errors import StripeError
from config.local.stripe.ids import new_id
from config.local.stripe.listing import as_list
from config.local.stripe.objects.amounts import check_digits, read_currency
from config.local.stripe.objects.balance import available_amount, book
from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,60}")


def create(work: Work, params: Params) -> Json:
    """POST /v1/transfers. Refuses more than is available, and accounts that are missing or restricted."""
    currency = read_currency(params)
    amount = params.required_integer("amount", low=1)
    destination = params.required_text("destination", limit=100)
    description = params.text("description")
    fields: Json = {
        "description": description,
        "metadata": params.metadata(),
        "transfer_group": params.text("transfer_group"),
    }
    params.text("source_type", choices=("card",))
    params.finish()
    check_digits(amount, currency, param="amount")
    _check_destination(destination)
    if amount > available_amount(work, currency):
        raise StripeError(
            "You have insufficient available funds in your Stripe account. Try adding funds directly to your available"
            " balance.",
            code="balance_insufficient",
        )
    transfer = work.insert("transfer", "tr", _fields(amount, currency, destination, fields))
    movement = book(work, type="transfer", source=transfer, amount=-amount, description=description)
    work.change(transfer, balance_transaction=movement["id"], reversals=_reversals(transfer["id"], []))
    emit(work, "transfer.created", transfer)
    return transfer


def reverse(work: Work, id: str, params: Params) -> Json:
    """POST /v1/transfers/{id}/reversals: what is left of it, or a part. Answers the reversal."""
    transfer = work.get("transfer", id, param="transfer")
    asked = params.integer("amount", low=1)
    metadata = params.metadata()
    params.without_effect("description")
    params.finish()
    return give_back(work, transfer, asked, metadata=metadata)


def give_back(work: Work, transfer: Json, asked: int | None, *, metadata: dict[str, str]) -> Json:
    """The money is here again. Refuses more than is left of the transfer."""
    left = int(transfer["amount"]) - int(transfer["amount_reversed"])
    amount = asked or left
    if not 0 < amount <= left:
        raise StripeError(
            f"Reversal amount ({amount}) is greater than unreversed amount on transfer ({left}).", param="amount"
        )
    reversal: Json = {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": work.now,
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": metadata,
        "source_refund": None,
        "transfer": transfer["id"],
    }
    movement = book(work, type="transfer_refund", source=transfer, amount=amount, description="TRANSFER REVERSAL")
    reversal["balance_transaction"] = movement["id"]
    back = int(transfer["amount_reversed"]) + amount
    before = work.change(
        transfer,
        amount_reversed=back,
        reversed=back == transfer["amount"],
        # Newest first, as every list of Stripe's.
        reversals=_reversals(transfer["id"], [reversal, *transfer["reversals"]["data"]]),
    )
    emit(work, "transfer.reversed", transfer, before)
    return reversal


def _check_destination(destination: str) -> None:
    if not ACCOUNT.fullmatch(destination) or destination.startswith("acct_missing"):
        raise StripeError(f"No such destination: '{destination}'", code="resource_missing", param="destination")
    if destination.startswith("acct_restricted"):
        raise StripeError(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers.",
            code="insufficient_capabilities_for_transfer",
        )


def _reversals(id: str, data: list[Json]) -> Json:
    return as_list(data, f"/v1/transfers/{id}/reversals")


def _fields(amount: int, currency: str, destination: str, given: Json) -> Json:
    return {
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "currency": currency,
        "description": None,
        "destination": destination,
        "destination_payment": new_id("py"),
        "metadata": {},
        "reversals": None,
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": None,
        **given,
    }
