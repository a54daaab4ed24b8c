"""Who may call: roles as DRF permissions. Whether the state allows it is the service's question."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Role, User
from accounts.models.user import MONEY_ROLES


class _HasRole(BasePermission):
    roles: frozenset[str] = frozenset()

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return isinstance(user, User) and (user.is_superuser or user.role in self.roles)


class IsModerator(_HasRole):
    """Runs pools: approves requests, enters results. Admins may, too."""

    roles = frozenset({Role.MODERATOR, Role.ADMIN})


class IsFinance(_HasRole):
    """Sees the money. Admins may, too."""

    roles = MONEY_ROLES
