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
