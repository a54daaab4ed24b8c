"""Who people are. This app knows nobody else.

The `role` column is the truth about what a person may do in the back office; `accounts.services.roles` keeps the
Django group of the same name in step with it, and the groups carry the permissions.
"""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from config.clock import ClockTimestamp


class Role(models.TextChoices):
    PLAYER = "player"
    MODERATOR = "moderator"
    FINANCE = "finance"
    ADMIN = "admin"


STAFF_ROLES = frozenset({Role.MODERATOR, Role.FINANCE, Role.ADMIN})


class UserManager(BaseUserManager["User"]):
    """Creates people by e-mail address; addresses are kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        fields |= {"is_superuser": True, "is_staff": True, "role": Role.ADMIN}
        fields.setdefault("display_name", "Administrator")
        fields.setdefault("email_verified_at", ClockTimestamp())
        return self.create_user(email, password, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in by e-mail: player or staff."""

    email = models.EmailField(max_length=254)
    display_name = models.CharField(max_length=60)
    date_of_birth = models.DateField(null=True, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2, upper case.")
    region = models.CharField(max_length=10, blank=True, help_text="State or province within the country.")
    role = models.CharField(max_length=10, choices=Role, default=Role.PLAYER)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    token_version = models.PositiveIntegerField(
        default=1, help_text="Raised to end every access token of this person at once."
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["email"], name="user_email_unique"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def is_back_office(self) -> bool:
        """Whether this person works here: moderator, finance or admin."""
        return self.is_superuser or self.role in STAFF_ROLES


class Session(models.Model):
    """One sign-in: the family of refresh tokens that descend from it. At most one of them is good at a time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    current_jti = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=200, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    refreshed_at = models.DateTimeField(db_default=ClockTimestamp())
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_because = models.CharField(max_length=20, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user"], name="session_live", condition=models.Q(revoked_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"Session of {self.user_id}"
