"""Who may call at all. Whether the state allows it is the services' question.

The default of every view is `IsAuthenticated`. A view for everyone says `permission_classes = [Public]`.
"""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView

__all__ = ["HasPermissions", "IsAuthenticated", "Public", "requires"]


class Public(AllowAny):
    """Anyone, signed in or not."""


class HasPermissions(IsAuthenticated):
    """A signed-in caller with all of Django's permissions in `permissions`."""

    permissions: tuple[str, ...] = ()

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return super().has_permission(request, view) and request.user.has_perms(self.permissions)


def requires(*permissions: str) -> type[BasePermission]:
    """A permission class for the named Django permissions: `requires("entries.approve_request")`."""
    attributes: dict[str, Any] = {"permissions": permissions, "__doc__": f"Needs {', '.join(permissions)}."}
    return type("Requires", (HasPermissions,), attributes)
