"""Who people are. This app knows nobody else."""

from accounts.models.changes import UserChange
from accounts.models.session import Session, SessionEnd
from accounts.models.user import JOIN_GROUP, NOBODYS_DOMAIN, STAFF_ROLES, Role, User, UserManager

__all__ = [
    "JOIN_GROUP",
    "NOBODYS_DOMAIN",
    "STAFF_ROLES",
    "Role",
    "Session",
    "SessionEnd",
    "User",
    "UserChange",
    "UserManager",
]
