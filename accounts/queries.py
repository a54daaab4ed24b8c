"""Who may do what, asked of the database."""

from django.db.models import Q, QuerySet

from accounts.models import User


def who_may(permission: str) -> QuerySet[User]:
    """Everybody active who has a permission (`payments.resolve_discrepancy`), by their role or of themselves."""
    app, _, codename = permission.partition(".")
    by_role = Q(groups__permissions__content_type__app_label=app, groups__permissions__codename=codename)
    alone = Q(user_permissions__content_type__app_label=app, user_permissions__codename=codename)
    found = User.objects.filter(by_role | alone | Q(is_superuser=True), is_active=True)
    return User.objects.filter(pk__in=found.values("pk"))


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
