"""Events nothing in the double brings forth: types of other API versions, and Stripe's admission of a lost one."""

import re

from config.local.stripe import webhooks
from config.local.stripe.commands.bodies import Refused, only, text
from config.local.stripe.objects import thin_events
from config.local.stripe.objects.events import emit
from config.local.stripe.wire import Json
from config.local.stripe.work import Work

TYPE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


def announce(work: Work, body: Json) -> Json:
    """An event of any type, known or not, about an object as it now is. Changes nothing but the list of events."""
    wanted = only(body, type="", object="")
    type = text(wanted, "type")
    if not TYPE.fullmatch(type) or type.startswith(("v1.", "v2.")):
        raise Refused("type must be words joined by dots, without the prefix of thin events")
    about = _object(work, text(wanted, "object"))
    emit(work, type, about)
    return {"type": type, "object": about["id"]}


def admit_missed(work: Work, body: Json) -> Json:
    """Sends the health alert about the event type that is missing for an object; exists in thin form alone."""
    wanted = only(body, event_type="", object="")
    if not work.account.endpoint.takes_thin:
        raise Refused("health alerts are thin events, and the endpoint takes snapshots only")
    about = _object(work, text(wanted, "object"))
    strikes = work.faults.for_event(thin_events.ALERT)
    alert = thin_events.add_alert(work, text(wanted, "event_type"), about)
    if "suppress" not in strikes:
        webhooks.enqueue(work, alert, strikes)
    return alert


def _object(work: Work, id: str) -> Json:
    found = [one for kind in thin_events.ADDRESSES if (one := work.find(kind, id)) is not None]
    if not found:
        raise Refused(f"No such object: {id!r}")
    return found[0]
