"""Who people are. This app knows nobody else."""

from accounts.models.api_key import ApiKey
from accounts.models.changes import UserChange
from accounts.models.documents import Document, DocumentChange, DocumentKind, DocumentStatus
from accounts.models.email_change import UNDO, EmailChange
from accounts.models.letters import (
    REMINDER_HOURS,
    Channel,
    Letter,
    LetterStatus,
    MessagePreferences,
    UnreachableAddress,
)
from accounts.models.limits import (
    COOLING_OFF,
    LONGEST,
    SELF_EXCLUSION_AT_LEAST,
    WAIT_DAYS,
    ExcludedAddress,
    Exclusion,
    ExclusionKind,
    SpendingLimit,
)
from accounts.models.logins import Login, SignInAttempt
from accounts.models.message_templates import MessageTemplate
from accounts.models.personal import PersonalDetails
from accounts.models.places import DEFAULT_MINIMUM_AGE, AgeLimit, AgeLimitChange
from accounts.models.second_factor import RecoveryCode, Totp
from accounts.models.session import Session, SessionEnd
from accounts.models.user import JOIN_GROUP, NOBODYS_DOMAIN, STAFF_ROLES, Role, User, UserManager
from accounts.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookHealth

__all__ = [
    "COOLING_OFF",
    "DEFAULT_MINIMUM_AGE",
    "JOIN_GROUP",
    "LONGEST",
    "NOBODYS_DOMAIN",
    "REMINDER_HOURS",
    "SELF_EXCLUSION_AT_LEAST",
    "STAFF_ROLES",
    "UNDO",
    "WAIT_DAYS",
    "AgeLimit",
    "AgeLimitChange",
    "ApiKey",
    "Channel",
    "Document",
    "DocumentChange",
    "DocumentKind",
    "DocumentStatus",
    "EmailChange",
    "ExcludedAddress",
    "Exclusion",
    "ExclusionKind",
    "Letter",
    "LetterStatus",
    "Login",
    "MessagePreferences",
    "MessageTemplate",
    "PersonalDetails",
    "RecoveryCode",
    "Role",
    "Session",
    "SessionEnd",
    "SignInAttempt",
    "SpendingLimit",
    "Totp",
    "UnreachableAddress",
    "User",
    "UserChange",
    "UserManager",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookHealth",
]
