"""Endpoints: made, changed, given another secret, tried out, removed. Only their owner does any of it."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User
from accounts.models.webhook_types import SEEN_BY, Covers, DeliveryStatus, EventType, OffBecause
from accounts.models.webhooks import NAME_LENGTH, URL_LENGTH, WebhookDelivery, WebhookEndpoint, WebhookHealth
from accounts.services import details
from accounts.services.webhooks.signing import new_secret
from config import outbox
from config.audit import attribute
from config.clock import ClockTimestamp
from config.errors import Code, Conflict, Forbidden, InvalidTransition, NotFound
from config.http import SUBSCRIBERS, HttpFailed, check_address
from config.http.inward import refuse_number
from config.phrases import phrase, tell
from config.versions import Seen, refuse_stale

MOST_ENDPOINTS = 10
MOST_POOLS = 100
# How long a receiver has to take the new secret over.
OVERLAP = timedelta(hours=24)
DELIVER = "accounts.tasks.deliver_webhooks"
# What resolvers read as a number in another form: 0x7f000001, 017700000001, 127.1.
NUMBER_LIKE = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
SUBSCRIBABLE = [type_ for type_ in EventType.values if type_ != EventType.TEST]


class EndpointLimitReached(Conflict):
    """Somebody has as many endpoints as anybody may."""

    def __init__(self) -> None:
        message = phrase("You have {most} webhook endpoints. Remove one that is not used.", most=MOST_ENDPOINTS)
        super().__init__(Code.ENDPOINT_LIMIT_REACHED, message, {"limit": MOST_ENDPOINTS})


@transaction.atomic
def make_endpoint(*, user: User, **choices: Any) -> WebhookEndpoint:
    """A new endpoint with a secret of its own, switched on.

    Refuses with VALIDATION_ERROR, field by field, what cannot be; with EMAIL_NOT_VERIFIED whoever we could not write
    to; with ENDPOINT_LIMIT_REACHED more than ten.
    """
    user = User.objects.locked().get(pk=user.pk)
    if not user.email_verified:
        raise Forbidden(Code.EMAIL_NOT_VERIFIED, "Confirm your e-mail address first: trouble is told to it.")
    values = _cleaned({"name": "", "covers": Covers.OWN, "pools": [], **choices}, user)
    if WebhookEndpoint.objects.standing().filter(user=user).count() >= MOST_ENDPOINTS:
        raise EndpointLimitReached
    attribute(by=user)
    endpoint = WebhookEndpoint.objects.create(user=user, secret=new_secret(), **values)
    WebhookHealth.objects.create(endpoint=endpoint)
    endpoint.refresh_from_db()
    return endpoint


@transaction.atomic
def change_endpoint(*, user: User, endpoint_id: int, seen: Seen = None, **choices: Any) -> WebhookEndpoint:
    """Set what is given; `enabled` switches it off and on again. Deliveries that wait go to where it then leads.

    Refuses with NOT_FOUND what is not theirs, with VERSION_CONFLICT one that changed since it was `seen`, with
    VALIDATION_ERROR what cannot be.
    """
    endpoint = _locked(user, endpoint_id)
    refuse_stale(seen, endpoint)
    is_enabled = choices.pop("enabled", None)
    before = {name: getattr(endpoint, name) for name in ("name", "url", "events", "covers", "pools")}
    values = _cleaned({**before, **choices}, user)
    if is_enabled is not None and is_enabled != endpoint.is_enabled:
        values["off_because"] = OffBecause.ON if is_enabled else OffBecause.OWNER
        if is_enabled:
            WebhookHealth.objects.filter(pk=endpoint.pk).update(failing_since=None)
            hurry()
    changed = [name for name, value in values.items() if getattr(endpoint, name) != value]
    if changed:
        attribute(by=user)
        for name in changed:
            setattr(endpoint, name, values[name])
        endpoint.save(update_fields=changed)
    return endpoint


@transaction.atomic
def rotate_secret(*, user: User, endpoint_id: int, now: datetime) -> WebhookEndpoint:
    """Another secret. For a day everything is signed with both, so that the receiver can change over without a gap.

    Refuses with NOT_FOUND what is not theirs. Rotated again within the day, the oldest secret ends at once.
    """
    endpoint = _locked(user, endpoint_id)
    attribute(by=user)
    endpoint.previous_secret, endpoint.previous_secret_until = endpoint.secret, now + OVERLAP
    endpoint.secret = new_secret()
    endpoint.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return endpoint


@transaction.atomic
def remove_endpoint(*, user: User, endpoint_id: int) -> None:
    """Forget address and secrets at once, send nothing more. The log goes when it is old. Refuses with NOT_FOUND."""
    endpoint = _locked(user, endpoint_id)
    attribute(by=user)
    _remove(WebhookEndpoint.objects.filter(pk=endpoint.pk))


@transaction.atomic
def send_test(*, user: User, endpoint_id: int) -> WebhookDelivery:
    """Post a delivery that tells nothing, and hurry it. Refuses with NOT_FOUND, and an endpoint that is off."""
    endpoint = _locked(user, endpoint_id)
    if not endpoint.is_enabled:
        raise InvalidTransition("webhook endpoint", "off", "tested")
    event_id = f"evt_{uuid4().hex}"
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, event_id=event_id, type=EventType.TEST, data={})
    hurry()
    delivery.refresh_from_db()
    return delivery


def own_endpoint(*, user: User, endpoint_id: int) -> WebhookEndpoint:
    """The endpoint, its health with it. Refuses with NOT_FOUND what is not theirs."""
    found = WebhookEndpoint.objects.standing().filter(pk=endpoint_id, user=user).select_related("health").first()
    if found is None:
        raise _not_there()
    return found


def forget_endpoints(user: User) -> None:
    """The account is closed."""
    _remove(WebhookEndpoint.objects.standing().filter(user=user))


def hurry() -> None:
    """Have deliveries sent as soon as what is being written has been committed."""
    transaction.on_commit(lambda: outbox.hurry(DELIVER))


def _remove(endpoints: Any) -> None:
    ids = list(endpoints.values_list("pk", flat=True))
    endpoints.update(
        removed_at=ClockTimestamp(), url="", name="", secret=None, previous_secret=None, previous_secret_until=None
    )
    waiting = WebhookDelivery.objects.filter(endpoint__in=ids, status=DeliveryStatus.PENDING)
    waiting.update(status=DeliveryStatus.CANCELLED, leased_until=None, ended_at=ClockTimestamp())


def _locked(user: User, endpoint_id: int) -> WebhookEndpoint:
    found = WebhookEndpoint.objects.standing().locked().filter(pk=endpoint_id, user=user).first()
    if found is None:
        raise _not_there()
    return found


def _not_there() -> NotFound:
    return NotFound(Code.NOT_FOUND, "There is no such webhook endpoint of yours.")


def _cleaned(choices: Mapping[str, Any], user: User) -> dict[str, Any]:
    checks: dict[str, tuple[Callable[[Any], Any], Any]] = {
        "name": (_clean_name, choices["name"]),
        "url": (clean_url, choices["url"]),
        "events": (_clean_events, choices["events"]),
        "pools": (_clean_pools, choices["pools"]),
        "covers": (lambda covers: _clean_covers(covers, choices["events"], user), choices["covers"]),
    }
    return details.cleaned(checks)


def clean_url(value: str) -> str:
    """An address in the open internet, as far as can be said without asking anybody; judged again at each call."""
    if len(value) > URL_LENGTH or not value.isascii() or not value.isprintable() or " " in value:
        raise ValidationError(
            tell("An address has at most {longest} characters, plain ASCII without spaces.", longest=URL_LENGTH)
        )
    try:
        url = check_address(value, purpose=SUBSCRIBERS)
        host = (url.host or "").strip("[]")
        if url.fragment is not None or "\\" in value or "%" in host or not urlsplit(value).hostname:
            raise ValidationError("This is no address that can be called.")
        if _is_number(host):
            refuse_number(SUBSCRIBERS, host, host)
        elif NUMBER_LIKE.fullmatch(host.rstrip(".").rpartition(".")[2]):
            raise ValidationError("A host is a name, or a number in its usual form.")
    except HttpFailed as refusal:
        raise ValidationError(tell("Cannot be called: {why}.", why=_without_settings(refusal))) from refusal
    return value


def _without_settings(refusal: HttpFailed) -> str:
    """How this house is set up is nobody else's business."""
    return refusal.message.partition(";")[0]


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _clean_name(value: str) -> str:
    return details.visible(value, longest=NAME_LENGTH) if value.strip() else ""


def _clean_events(wanted: Iterable[str]) -> list[str]:
    """In the order of the list, each once."""
    chosen = set(wanted)
    unknown = sorted(chosen - set(SUBSCRIBABLE))
    if unknown or not chosen:
        raise ValidationError(
            tell("There is no event {choices}.", choices=", ".join(unknown)) if unknown else "Name at least one event."
        )
    return [type_ for type_ in SUBSCRIBABLE if type_ in chosen]


def _clean_pools(wanted: Iterable[int]) -> list[int]:
    chosen = sorted(set(wanted))
    if len(chosen) > MOST_POOLS:
        raise ValidationError(tell("At most {most} pools; leave it empty for all.", most=MOST_POOLS))
    return chosen


def _clean_covers(covers: str, events: Iterable[str], user: User) -> str:
    """Everybody's is for staff, and of what their role sees."""
    beyond = sorted(type_ for type_ in set(events) if covers == Covers.ALL and not may_see_all(user, type_))
    if beyond:
        raise ValidationError(tell("Your role does not see {choices} of others.", choices=", ".join(beyond)))
    return covers


def may_see_all(user: User, type_: str) -> bool:
    """Whether events of this type about anybody may be told to this person."""
    roles = SEEN_BY.get(type_.partition(".")[0])
    return roles is None or user.is_superuser or user.role in roles
