"""What is over is forgotten in the end, so much at a time, and counted.

Tokens when their time is over, sessions some time after their last use, changes of address when nothing can come of
them any more, accounts that nobody ever proved to be theirs.
"""

import logging
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session as BrowserSession
from django.db import IntegrityError, transaction
from django.db.models import PROTECT, Exists, ForeignObjectRel, Model, OuterRef, QuerySet
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import NOBODYS_DOMAIN, EmailChange, Role, Session, User
from config import audit
from config.housekeeping import forgets

logger = logging.getLogger(__name__)

# Long enough to ask where somebody was signed in when something happened; a refresh token lives 30 days.
SESSIONS_KEPT = timedelta(days=90)
# A verification link lives three days and can be asked for again.
UNVERIFIED_KEPT = timedelta(days=7)
# Longer than its link and the time for taking it back together.
EMAIL_CHANGES_KEPT = timedelta(days=30)


@forgets("refresh tokens", "a day after their end", task="accounts.tasks.forget_expired_tokens")
def forget_expired_tokens(*, now: datetime, limit: int = 10_000) -> int:
    """Delete tokens, and their place on the blacklist, once they are refused for their age alone; how many."""
    expired = OutstandingToken.objects.filter(expires_at__lt=now - timedelta(days=1)).order_by("expires_at")
    ids = list(expired.values_list("pk", flat=True)[:limit])
    OutstandingToken.objects.filter(pk__in=ids).delete()
    return len(ids)


@forgets("sessions", "90 days after their last use", task="accounts.tasks.forget_old_sessions")
def forget_old_sessions(*, now: datetime, limit: int = 10_000) -> int:
    """Delete sessions that nobody can have used for `SESSIONS_KEPT`; how many."""
    old = Session.objects.filter(refreshed_at__lt=now - SESSIONS_KEPT).order_by("refreshed_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    Session.objects.filter(pk__in=ids).delete()
    return len(ids)


@forgets("changes of address", "30 days after they were asked for", task="accounts.tasks.forget_email_changes")
def forget_email_changes(*, now: datetime, limit: int = 10_000) -> int:
    """Delete changes of address of which nothing can come any more, with both addresses; how many."""
    old = EmailChange.objects.filter(asked_at__lt=now - EMAIL_CHANGES_KEPT).order_by("asked_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    EmailChange.objects.filter(pk__in=ids).delete()
    return len(ids)


@forgets("browser sessions of staff", "when they end, after 8 hours at most", task="accounts.tasks.forget_browsers")
def forget_browsers(*, now: datetime, limit: int = 10_000) -> int:
    """Delete what is left of sessions in the back office that are over; how many."""
    over = BrowserSession.objects.filter(expire_date__lt=now).order_by("expire_date")
    keys = list(over.values_list("pk", flat=True)[:limit])
    # Looked at again: one that was used at this moment stays.
    deleted, _ = BrowserSession.objects.filter(pk__in=keys, expire_date__lt=now).delete()
    return deleted


@forgets("unverified accounts", "7 days after registration", task="accounts.tasks.forget_unverified_accounts")
def forget_unverified_accounts(*, now: datetime, limit: int = 500) -> int:
    """Delete accounts whose address nobody proved within `UNVERIFIED_KEPT`; how many. Their addresses are free again.

    Never staff, an imported player, a deactivated account, or one that something else of ours refers to.
    """
    stale = _unverified(now - UNVERIFIED_KEPT)
    count = 0
    for pk in list(stale.order_by("created_at").values_list("pk", flat=True)[:limit]):
        try:
            with transaction.atomic():
                count += _forget(stale.filter(pk=pk))
        except IntegrityError:
            # Something was kept about it a moment ago. One that stays does not keep the others.
            logger.warning("unverified account %s is referred to and stays", pk)
    return count


def _unverified(before: datetime) -> QuerySet[User]:
    stale = User.objects.filter(
        email_verified_at=None, created_at__lt=before, role=Role.PLAYER, is_active=True, closed_at=None
    ).exclude(email__endswith=NOBODYS_DOMAIN)
    for model, field in _protecting():
        stale = stale.exclude(Exists(model._base_manager.filter(**{field: OuterRef("pk")})))
    return stale


def _protecting() -> list[tuple[type[Model], str]]:
    """Whatever keeps a person from being deleted, in whatever app: requests, entries, papers, work of staff."""
    relations = User._meta.get_fields(include_hidden=True)
    return [
        (relation.field.model, relation.field.name)
        for relation in relations
        if isinstance(relation, ForeignObjectRel) and relation.on_delete is PROTECT
    ]


def _forget(found: QuerySet[User]) -> int:
    """Delete it if it is still so, and if nobody holds it: its owner may be verifying the address at this moment."""
    user = found.select_for_update(of=("self",), skip_locked=True).first()
    if user is None:
        return 0
    audit.record(action="account.forgotten", subject=user, person=user, by=None)
    user.delete()
    return 1
