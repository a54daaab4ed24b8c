"""Who may do what, and whose accounts are used from one place, asked of the database."""

from collections.abc import Collection
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from accounts.models import User

# Behind one address may be a whole town: of each address no more than this many sign-ins are looked at.
MOST_BESIDE = 100
BESIDE = """
    WITH mine AS (
        SELECT DISTINCT user_id, address, user_agent FROM accounts_session
        WHERE user_id = ANY(%(users)s) AND address IS NOT NULL
    ), beside AS (
        SELECT m.user_id, o.user_id AS other, bool_or(o.user_agent = m.user_agent AND m.user_agent <> '') AS is_device
        FROM mine m CROSS JOIN LATERAL (
            SELECT s.user_id, s.user_agent FROM accounts_session s
            WHERE s.address = m.address AND s.user_id <> m.user_id LIMIT %(most)s
        ) o
        GROUP BY 1, 2
    )
    SELECT user_id, count(*), count(*) FILTER (WHERE is_device) FROM beside GROUP BY user_id
"""


class Beside(NamedTuple):
    """Other accounts that were used from an address of this one, and those of them with the same browser there."""

    by_address: int = 0
    by_device: int = 0


def accounts_beside(user_ids: Collection[int]) -> dict[int, Beside]:
    """Of each person with company, how much; in one query, from the sign-ins that are still kept (90 days)."""
    with connection.cursor() as cursor:
        cursor.execute(BESIDE, {"users": list(user_ids), "most": MOST_BESIDE})
        return {user_id: Beside(*counts) for user_id, *counts in cursor.fetchall()}


def who_may(permission: str) -> QuerySet[User]:
    """Everybody active who has a permission (`payments.resolve_discrepancy`), by their role or of themselves."""
    app, _, codename = permission.partition(".")
    by_role = User.objects.filter(
        groups__permissions__content_type__app_label=app, groups__permissions__codename=codename
    )
    alone = User.objects.filter(user_permissions__content_type__app_label=app, user_permissions__codename=codename)
    # Each by an index of its own: one condition over all three would be tried on every player.
    found = by_role.values("pk").union(alone.values("pk"), User.objects.filter(is_superuser=True).values("pk"))
    return User.objects.filter(pk__in=found, is_active=True)


def bearer_sql(*, user: str, session: str, version: str, strict: str) -> str:
    """SQL: the person whom an access token speaks for, if it still does, as `accounts.api.authentication` asks it.

    The arguments are SQL for what the token claims, and whether staff need a second factor.
    """
    return f"""
        SELECT u.id FROM accounts_user u
        JOIN accounts_session s ON s.id = {session} AND s.user_id = u.id AND s.revoked_at IS NULL
        WHERE u.id = {user} AND u.is_active AND u.token_version = {version}
          AND (s.has_second_factor OR u.role = 'player' AND NOT u.is_superuser OR NOT {strict})
    """
