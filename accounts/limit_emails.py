"""What players are told about exclusions and limits: as they begin, and as they end. Nothing that invites to play."""

from typing import Any

from accounts.models import Exclusion, ExclusionKind, SpendingLimit, User
from accounts.services.exclusions import BEGAN_MAIL, ENDED_MAIL, exclusion_of
from accounts.services.letters.preferences import language_of
from accounts.services.spending import CHANGED_MAIL, RAISED_MAIL
from config import mail, outbox
from config.clock import database_now
from config.phrases import Money, phrase


@outbox.handler(BEGAN_MAIL)
def mail_exclusion_began(payload: dict[str, Any]) -> None:
    """From when, until when, what it means; and why, where staff decided it."""
    exclusion = Exclusion.objects.select_related("user").get(pk=payload["exclusion"])
    _send(
        exclusion.user,
        subject=phrase("You are excluded from new places and payments"),
        template="exclusion_began",
        exclusion=exclusion,
        begins=f"{exclusion.begins_at:%Y-%m-%d %H:%M}",
        until=f"{exclusion.until:%Y-%m-%d %H:%M}" if exclusion.until else "",
        is_by_staff=exclusion.kind == ExclusionKind.STAFF,
    )


@outbox.handler(ENDED_MAIL)
def mail_exclusion_ended(payload: dict[str, Any]) -> None:
    """That it is over; nothing while another one goes on."""
    exclusion = Exclusion.objects.select_related("user").get(pk=payload["exclusion"])
    if exclusion_of(user_id=exclusion.user_id, now=database_now()) is None:
        _send(
            exclusion.user, subject=phrase("Your exclusion has ended"), template="exclusion_ended", exclusion=exclusion
        )


@outbox.handler(CHANGED_MAIL)
def mail_limit_changed(payload: dict[str, Any]) -> None:
    """What was asked for, and from when it holds."""
    limit = SpendingLimit.objects.select_related("user").get(pk=payload["limit"])
    _send(
        limit.user,
        subject=phrase("Your spending limit was changed"),
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
        subject=phrase("Your new spending limit holds"),
        template="spending_limit_raised",
        limit=limit,
        amount=_amount(limit),
    )


def _amount(limit: SpendingLimit) -> Money | None:
    return None if limit.amount_cents is None else Money(limit.amount_cents, limit.currency)


def _send(user: User, *, subject: str, template: str, **told: Any) -> None:
    if user.can_get_mail:
        context = {"name": user.display_name, **told}
        mail.send(to=user.email, subject=subject, template=template, context=context, language=language_of(user))
