"""Transfers that somebody takes back in the Dashboard."""

from config.local.stripe.commands.bodies import labels, only, text, whole
from config.local.stripe.objects import transfers
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def reverse(work: Work, body: Json) -> Json:
    """What is left of a transfer, or a part of it; answers the transfer."""
    wanted = only(body, id="", amount=None, metadata={})
    transfer = work.get("transfer", text(wanted, "id"))
    transfers.give_back(work, transfer, whole(wanted, "amount"), metadata=labels(wanted, "metadata"))
    return transfer
