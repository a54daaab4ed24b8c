"""The bank's side of a dispute."""

from config.local.stripe.commands.bodies import meant_charge, only, text, whole
from config.local.stripe.objects import disputes
from config.local.stripe.objects.views import present
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def open_one(work: Work, body: Json) -> Json:
    wanted = only(body, charge=None, payment_intent=None, session=None, amount=None, reason="fraudulent", inquiry=False)
    dispute = disputes.open_dispute(
        work,
        meant_charge(work, wanted),
        amount=whole(wanted, "amount"),
        reason=text(wanted, "reason", choices=disputes.REASONS),
        status="warning_needs_response" if wanted["inquiry"] else "needs_response",
    )
    return present(work, dispute)


def move(work: Work, body: Json) -> Json:
    wanted = only(body, id="", status="", fee_returned=False)
    dispute = work.get("dispute", text(wanted, "id"))
    status = text(wanted, "status", choices=disputes.MOVES)
    disputes.move(work, dispute, status, fee_returned=wanted["fee_returned"])
    return present(work, dispute)
