"""POST to an object's own address: its metadata, and for some its description; nothing else can be changed later."""

from config.local.stripe.objects.events import emit
from config.local.stripe.params import Params
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

DESCRIBED = ("payment_intent", "charge", "transfer")
ANNOUNCED = {
    "charge": "charge.updated",
    "refund": "refund.updated",
    "payout": "payout.updated",
    "transfer": "transfer.updated",
}


def update(work: Work, kind: str, id: str, params: Params) -> Json:
    body = work.get(kind, id)
    fields: Json = {"metadata": params.metadata(body["metadata"])}
    if kind in DESCRIBED and (description := params.text("description")) is not None:
        fields["description"] = description
    params.finish()
    before = work.change(body, **fields)
    if before and kind in ANNOUNCED:
        emit(work, ANNOUNCED[kind], body, before)
    return body
