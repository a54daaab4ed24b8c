"""Keys with which services call the API for a person, kept as hashes."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, F, Q

from accounts.models.user import User
from config.audit import feeds_each
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.triggers import Guard

NAME_LENGTH = 60
PREFIX_LENGTH = 12
LONGEST_DAYS = 365

NARROWS = """
    IF ROW(OLD.id, OLD.user_id, OLD.prefix, OLD.digest, OLD.created_at, OLD.token_version, OLD.has_second_factor)
       IS DISTINCT FROM
       ROW(NEW.id, NEW.user_id, NEW.prefix, NEW.digest, NEW.created_at, NEW.token_version, NEW.has_second_factor)
       OR NOT NEW.scopes <@ OLD.scopes OR NEW.expires_at > OLD.expires_at
       OR OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
        RAISE EXCEPTION 'key % of the API never becomes more than it was', OLD.prefix
            USING ERRCODE = 'check_violation', CONSTRAINT = 'api_key_only_narrows';
    END IF;
    RETURN NEW;
"""


class ApiKeyQuerySet(LockedQuerySet["ApiKey"]):
    def standing(self) -> "ApiKeyQuerySet":
        """Neither revoked nor past their time."""
        return self.filter(revoked_at=None, expires_at__gt=ClockTimestamp())

    def good(self) -> "ApiKeyQuerySet":
        """Those that open something: what ends every access token of a person ends their keys as well."""
        return self.standing().filter(user__is_active=True, token_version=F("user__token_version"))

    def with_state(self) -> "ApiKeyQuerySet":
        """With `is_good`."""
        good = Q(
            revoked_at=None,
            expires_at__gt=ClockTimestamp(),
            user__is_active=True,
            token_version=F("user__token_version"),
        )
        return self.annotate(is_good=ExpressionWrapper(good, output_field=BooleanField()))


class ApiKey(models.Model):
    """One secret of one person for one service, with what it may do and until when."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=NAME_LENGTH, help_text="What it is for, in its owner's words.")
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True, help_text="The part that is no secret.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the whole key: 256 random bits need no slow hash.")
    scopes = ArrayField(models.CharField(max_length=40))
    token_version = models.PositiveIntegerField(help_text="The person's when it was made; it ends with that.")
    has_second_factor = models.BooleanField(default=False, help_text="Whether it was made past a second factor.")
    replaces = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replacement"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    last_used_address = models.GenericIPAddressField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "-id"], name="api_key_user"),
            models.Index(fields=["expires_at"], name="api_key_age"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="api_key_hashed"),
            models.CheckConstraint(
                condition=Q(prefix__regex=f"^[a-z2-7]{{{PREFIX_LENGTH}}}$"), name="api_key_prefix_form"
            ),
            models.CheckConstraint(condition=~Q(scopes=[]), name="api_key_has_scopes"),
        ]
        triggers = [
            Guard(
                name="api_key_ends_within_a_year",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                # By the database's clock, whatever was given: a key made for later would live longer.
                func=f"""
                    NEW.created_at := clock_timestamp();
                    IF NEW.expires_at > NEW.created_at + interval '{LONGEST_DAYS + 1} days' THEN
                        RAISE EXCEPTION 'a key of the API ends within a year'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'api_key_ends_within_a_year';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(name="api_key_only_narrows", when=pgtrigger.Before, operation=pgtrigger.Update, func=NARROWS),
            feeds_each(
                "feed_audit_made",
                noun="api_key",
                verb="CASE WHEN NEW.replaces_id IS NULL THEN 'made' ELSE 'rotated' END",
                operation=pgtrigger.Insert,
                person="NEW.user_id",
                actor="NEW.user_id",
                data="'key', NEW.prefix, 'scopes', to_jsonb(NEW.scopes), 'expires_at', NEW.expires_at",
            ),
            feeds_each(
                "feed_audit_revoked",
                noun="api_key",
                verb="'revoked'",
                operation=pgtrigger.UpdateOf("revoked_at"),
                condition="OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL",
                person="NEW.user_id",
                data="'key', NEW.prefix",
            ),
        ]

    def __str__(self) -> str:
        return f"API key {self.prefix} of user {self.user_id}"
