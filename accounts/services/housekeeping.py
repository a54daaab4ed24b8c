"""What is over is forgotten in the end: tokens when their time is over, sessions some time after their last use."""

from datetime import datetime, timedelta

from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import Session

# Long enough to ask where somebody was signed in when something happened; a refresh token lives 30 days.
SESSIONS_KEPT = timedelta(days=90)


def forget_expired_tokens(*, now: datetime, limit: int = 10_000) -> int:
    """Delete tokens, and their place on the blacklist, once they are refused for their age alone; how many."""
    expired = OutstandingToken.objects.filter(expires_at__lt=now - timedelta(days=1)).order_by("expires_at")
    ids = list(expired.values_list("pk", flat=True)[:limit])
    OutstandingToken.objects.filter(pk__in=ids).delete()
    return len(ids)


def forget_old_sessions(*, now: datetime, limit: int = 10_000) -> int:
    """Delete sessions that nobody can have used for `SESSIONS_KEPT`; how many."""
    old = Session.objects.filter(refreshed_at__lt=now - SESSIONS_KEPT).order_by("refreshed_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    Session.objects.filter(pk__in=ids).delete()
    return len(ids)
