"""A person, player or staff.

The `role` column is the truth about what a person may do in the back office. A trigger keeps everybody in the Django
group of the same name and in no other role's, whoever writes the column; `accounts.groups` gives the groups their
permissions.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Upper

from config.audit import ACTOR_SQL, REASON_SQL, feeds, feeds_each
from config.clock import ClockTimestamp
from config.encryption import EncryptedDateField
from config.errors import Code
from config.pages.changes import NAMES, raised
from config.triggers import Guard


class Role(models.TextChoices):
    PLAYER = "player"
    MODERATOR = "moderator"
    FINANCE = "finance"
    ADMIN = "admin"


STAFF_ROLES = frozenset({Role.MODERATOR, Role.FINANCE, Role.ADMIN})
MONEY_ROLES = frozenset({Role.FINANCE, Role.ADMIN})

# Addresses here belong to nobody (RFC 2606): imported players, closed accounts. No mail is sent to them.
NOBODYS_DOMAIN = ".invalid"

JOIN_GROUP = """
    INSERT INTO accounts_user_groups (user_id, group_id)
    SELECT n.id, g.id FROM {people} n JOIN auth_group g ON g.name = n.role
    ON CONFLICT DO NOTHING;
"""


class UserManager(BaseUserManager["User"]):
    """Creates people by e-mail address; addresses are kept in lower case."""

    def locked(self) -> QuerySet["User"]:
        """Lock the rows against change until the end of the transaction, not against references to them."""
        return self.get_queryset().select_for_update(of=("self",), no_key=True)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        fields.setdefault("is_staff", fields.get("role") in STAFF_ROLES)
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
    date_of_birth = EncryptedDateField(null=True, blank=True)
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
        permissions = [
            ("assign_role", "Can change what somebody may do here"),
            ("block_user", "Can deactivate and reactivate an account"),
            ("end_sessions", "Can end all sessions of an account"),
            ("resend_verification", "Can send the verification mail again"),
            ("reset_second_factor", "Can take away the second factor of somebody who lost it"),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="user_unverified", condition=Q(email_verified_at=None)),
            # Found among a million players, to say who may do what.
            models.Index(fields=["id"], name="user_superusers", condition=Q(is_superuser=True)),
            # By any three letters in a row: staff find a person by a part of the name or address.
            GinIndex(OpClass(Upper("email"), name="gin_trgm_ops"), name="user_email_letters"),
            GinIndex(OpClass(Upper("display_name"), name="gin_trgm_ops"), name="user_name_letters"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="user_email_unique",
                violation_error_code=Code.EMAIL_TAKEN,
                violation_error_message="There is an account with this e-mail address already.",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(
                condition=Q(is_staff=False, role=Role.PLAYER) | (Q(is_staff=True) & ~Q(role=Role.PLAYER)),
                name="user_staff_by_role",
            ),
            models.CheckConstraint(
                condition=Q(is_superuser=False) | Q(role=Role.ADMIN), name="user_superuser_is_admin"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(is_active=False, role=Role.PLAYER), name="user_closed_is_powerless"
            ),
            models.CheckConstraint(condition=Q(country="") | Q(country__regex="^[A-Z]{2}$"), name="user_country_code"),
        ]
        triggers = [
            Guard(
                name="tells_name",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("display_name"),
                condition=pgtrigger.Condition("OLD.display_name IS DISTINCT FROM NEW.display_name"),
                declare=[("due", "text[]")],
                # In which pools somebody plays is not known here; names change seldom.
                func=f"{raised(NAMES)} RETURN NULL;",
            ),
            Guard(
                name="reachable_anew",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("email"),
                condition=pgtrigger.Condition("OLD.email IS DISTINCT FROM NEW.email"),
                # What came back from one address says nothing about another.
                func="DELETE FROM accounts_unreachableaddress WHERE user_id = NEW.id; RETURN NULL;",
            ),
            Guard(
                name="join_role_group",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=JOIN_GROUP.format(people="new_rows") + "RETURN NULL;",
            ),
            Guard(
                name="change_role_group",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("role"),
                condition=pgtrigger.Condition("OLD.role IS DISTINCT FROM NEW.role"),
                func="""
                    DELETE FROM accounts_user_groups m USING auth_group g
                    WHERE m.user_id = NEW.id AND g.id = m.group_id AND g.name = OLD.role;
                """
                + JOIN_GROUP.format(people="(SELECT NEW.id, NEW.role)")
                + "RETURN NULL;",
            ),
            Guard(
                name="record_power_given",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.role <> 'player'"),
                func=f"""
                    INSERT INTO accounts_userchange (subject_id, field, from_value, to_value, at, actor_id, reason)
                    VALUES (NEW.id, 'role', '', NEW.role, clock_timestamp(), {ACTOR_SQL}, {REASON_SQL});
                    RETURN NULL;
                """,
            ),
            Guard(
                name="record_power_changed",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "ROW(OLD.role, OLD.is_superuser, OLD.is_active, OLD.closed_at)"
                    " IS DISTINCT FROM ROW(NEW.role, NEW.is_superuser, NEW.is_active, NEW.closed_at)"
                ),
                func=f"""
                    INSERT INTO accounts_userchange (subject_id, field, from_value, to_value, at, actor_id, reason)
                    SELECT NEW.id, c.field, c.from_value, c.to_value, clock_timestamp(), {ACTOR_SQL}, {REASON_SQL}
                    FROM (VALUES
                        ('role', OLD.role, NEW.role),
                        ('is_superuser', OLD.is_superuser::text, NEW.is_superuser::text),
                        ('is_active', OLD.is_active::text, NEW.is_active::text),
                        ('is_closed', (OLD.closed_at IS NOT NULL)::text, (NEW.closed_at IS NOT NULL)::text)
                    ) AS c (field, from_value, to_value)
                    WHERE c.from_value <> c.to_value;
                    RETURN NULL;
                """,
            ),
            feeds(
                "user",
                verb="'registered'",
                subject="n.id",
                person="n.id",
                actor="NULL::bigint",
                reason=REASON_SQL,
                name="feed_audit_registered",
            ),
            *(
                feeds_each(
                    f"feed_audit_{column}",
                    noun="user",
                    verb=f"'{verb}'",
                    operation=pgtrigger.UpdateOf(column),
                    condition=f"NEW.{column} IS NOT NULL AND OLD.{column} IS DISTINCT FROM NEW.{column}",
                    person="NEW.id",
                )
                for column, verb in (
                    ("password", "password_changed"),
                    ("email", "email_changed"),
                    ("email_verified_at", "email_verified"),
                )
            ),
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

    @property
    def sees_money(self) -> bool:
        """Whether this person sees everybody's money: finance or admin."""
        return self.is_superuser or self.role in MONEY_ROLES

    @property
    def can_get_mail(self) -> bool:
        return self.is_active and not self.email.endswith(NOBODYS_DOMAIN)

    def get_session_auth_hash(self) -> str:
        """What a browser's session at the admin is bound to: what ends access tokens ends it, too."""
        return f"{super().get_session_auth_hash()}.{self.token_version}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under the keys that are being replaced."""
        for known in super().get_session_auth_fallback_hash():
            yield f"{known}.{self.token_version}"
