"""Stripe's admission that an event never came into being."""

from config.local.stripe import webhooks
from config.local.stripe.commands.bodies import Refused, only, text
from config.local.stripe.objects import thin_events
from config.local.stripe.wire import Json
from config.local.stripe.work import Work


def admit_missed(work: Work, body: Json) -> Json:
    """Sends the health alert about the event type that is missing for an object; exists in thin form alone."""
    wanted = only(body, event_type="", object="")
    if not work.account.endpoint.takes_thin:
        raise Refused("health alerts are thin events, and the endpoint takes snapshots only")
    id = text(wanted, "object")
    found = [one for kind in thin_events.ADDRESSES if (one := work.find(kind, id)) is not None]
    if not found:
        raise Refused(f"No such object: {id!r}")
    strikes = work.faults.for_event(thin_events.ALERT)
    alert = thin_events.add_alert(work, text(wanted, "event_type"), found[0])
    if "suppress" not in strikes:
        webhooks.enqueue(work, alert, strikes)
    return alert
