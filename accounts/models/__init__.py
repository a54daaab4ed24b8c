"""Who people are. This app knows nobody else."""

from accounts.models.changes import UserChange
from accounts.models.documents import Document, DocumentChange, DocumentKind, DocumentStatus
from accounts.models.email_change import UNDO, EmailChange
from accounts.models.personal import PersonalDetails
from accounts.models.places import DEFAULT_MINIMUM_AGE, AgeLimit, AgeLimitChange
from accounts.models.second_factor import RecoveryCode, Totp
from accounts.models.session import Session, SessionEnd
from accounts.models.user import JOIN_GROUP, NOBODYS_DOMAIN, STAFF_ROLES, Role, User, UserManager

__all__ = [
    "DEFAULT_MINIMUM_AGE",
    "JOIN_GROUP",
    "NOBODYS_DOMAIN",
    "STAFF_ROLES",
    "UNDO",
    "AgeLimit",
    "AgeLimitChange",
    "Document",
    "DocumentChange",
    "DocumentKind",
    "DocumentStatus",
    "EmailChange",
    "PersonalDetails",
    "RecoveryCode",
    "Role",
    "Session",
    "SessionEnd",
    "Totp",
    "User",
    "UserChange",
    "UserManager",
]
