"""What players are told about exclusions and limits: as they begin, and as they end. Nothing that invites to play."""

from typing import Any

from accounts.models import Exclusion, ExclusionKind, SpendingLimit, User
from accounts.services.exclusions import BEGAN_MAIL, ENDED_MAIL, exclusion_of
from accounts.services.spending import CHANGED_MAIL, RAISED_MAIL
from config import mail, outbox
from config.clock import database_now
from config.money import format_amount


@outbox.handler(BEGAN_MAIL)
def mail_exclusion_began(payload: dict[str, Any]) -> None:
    """From when, until when, what it means; and why, where staff decided it."""
    exclusion = Exclusion.objects.select_related("user").get(pk=payload["exclusion"])
    _send(
        exclusion.user,
        subject="You are excluded from new places and payments",
        template="exclusion_began",
        exclusion=exclusion,
        is_by_staff=exclusion.kind == ExclusionKind.STAFF,
    )


@outbox.handler(ENDED_MAIL)
def mail_exclusion_ended(payload: dict[str, Any]) -> None:
    """That it is over; nothing while another one goes on."""
    exclusion = Exclusion.objects.select_related("user").get(pk=payload["exclusion"])
    if exclusion_of(user_id=exclusion.user_id, now=database_now()) is None:
        _send(exclusion.user, subject="Your exclusion has ended", template="exclusion_ended", exclusion=exclusion)


@outbox.handler(CHANGED_MAIL)
def mail_limit_changed(payload: dict[str, Any]) -> None:
    """What was asked for, and from when it holds."""
    limit = SpendingLimit.objects.select_related("user").get(pk=payload["limit"])
    _send(
        limit.user,
        subject="Your spending limit was changed",
        template="spending_limit_changed",
        limit=limit,
        amount=_amount(limit),
        waits=limit.effective_at > limit.asked_at,
    )


@outbox.handler(RAISED_MAIL)
def mail_limit_raised(payload: dict[str, Any]) -> None:
    """That a higher one, asked for a week ago, holds from now on."""
    limit = SpendingLimit.objects.select_related("user").get(pk=payload["limit"])
    _send(
        limit.user,
        subject="Your new spending limit holds",
        template="spending_limit_raised",
        limit=limit,
        amount=_amount(limit),
    )


def _amount(limit: SpendingLimit) -> str:
    return "" if limit.amount_cents is None else format_amount(limit.amount_cents, limit.currency)


def _send(user: User, *, subject: str, template: str, **told: Any) -> None:
    if user.can_get_mail:
        mail.send(to=user.email, subject=subject, template=template, context={"name": user.display_name, **told})
