"""Ways in through somebody else: which accounts elsewhere are whose, and sign-ins that are on their way there."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models.user import User
from config.audit import feeds_each
from config.clock import ClockTimestamp
from config.encryption import EncryptedTextField
from config.locks import LockedQuerySet
from config.triggers import Guard

DIGEST = "^[0-9a-f]{64}$"


class Login(models.Model):
    """An account at a provider that opens an account here: what the issuer calls the person, and nothing else of it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="logins")
    provider = models.CharField(max_length=30, help_text="As the settings call it.")
    issuer = models.CharField(max_length=200)
    subject = models.CharField(max_length=255, help_text="The issuer's own name for the person, which never changes.")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    last_used_at = models.DateTimeField(db_default=ClockTimestamp())

    objects = LockedQuerySet["Login"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="login_of_one_person"),
            models.UniqueConstraint(fields=["user", "issuer"], name="login_one_of_each_issuer"),
            models.CheckConstraint(condition=~Q(subject="") & ~Q(issuer=""), name="login_names_somebody"),
        ]
        triggers = [
            Guard(
                name="login_stays_whose_it_is",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "ROW(OLD.user_id, OLD.issuer, OLD.subject) IS DISTINCT FROM"
                    " ROW(NEW.user_id, NEW.issuer, NEW.subject)"
                ),
                func="""
                    RAISE EXCEPTION 'a way in is taken away, never handed on'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'login_stays_whose_it_is';
                """,
            ),
            feeds_each(
                "feed_audit_linked",
                noun="login",
                verb="'linked'",
                operation=pgtrigger.Insert,
                person="NEW.user_id",
                actor="NEW.user_id",
                data="'provider', NEW.provider",
            ),
            feeds_each(
                "feed_audit_unlinked",
                noun="login",
                verb="'unlinked'",
                operation=pgtrigger.Delete,
                subject="OLD.id",
                person="OLD.user_id",
                data="'provider', OLD.provider",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} of user {self.user_id}"


class SignInAttemptQuerySet(LockedQuerySet["SignInAttempt"]):
    def begun(self) -> "SignInAttemptQuerySet":
        """Sent to the provider, and in time to come back."""
        return self.filter(returned_at=None, expires_at__gt=ClockTimestamp())

    def redeemable(self) -> "SignInAttemptQuerySet":
        """Back from the provider with somebody, whose code was not used yet."""
        return self.filter(spent_at=None, expires_at__gt=ClockTimestamp()).exclude(code_digest=None)


class SignInAttempt(models.Model):
    """One sign-in through a provider, from the first click to the session. Forgotten within the hour.

    Everything that comes back is kept as a hash: the state that the provider returns, the cookie of the browser that
    began, the code for the client. `kept` holds the nonce, the verifier and, later, who it was.
    """

    provider = models.CharField(max_length=30)
    return_to = models.CharField(max_length=500)
    challenge = models.CharField(max_length=43, help_text="The client's: SHA-256 of what it shows with the code.")
    state_digest = models.CharField(max_length=64, unique=True)
    browser_digest = models.CharField(max_length=64)
    code_digest = models.CharField(max_length=64, unique=True, null=True, blank=True)
    kept = EncryptedTextField()
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    expires_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True, blank=True)
    spent_at = models.DateTimeField(null=True, blank=True)

    objects = SignInAttemptQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="sign_in_attempt_age")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state_digest__regex=DIGEST, browser_digest__regex=DIGEST)
                & (Q(code_digest=None) | Q(code_digest__regex=DIGEST)),
                name="sign_in_attempt_hashed",
            ),
            models.CheckConstraint(
                condition=Q(code_digest=None) | Q(returned_at__isnull=False), name="sign_in_attempt_code_after_return"
            ),
            models.CheckConstraint(
                condition=Q(spent_at=None) | Q(code_digest__isnull=False), name="sign_in_attempt_spent_by_code"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="sign_in_attempt_ends"),
        ]
        triggers = [
            Guard(
                name="sign_in_attempt_forward",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.returned_at IS NOT NULL AND NEW.returned_at IS DISTINCT FROM OLD.returned_at"
                    " OR OLD.code_digest IS NOT NULL AND NEW.code_digest IS DISTINCT FROM OLD.code_digest"
                    " OR OLD.spent_at IS NOT NULL AND NEW.spent_at IS DISTINCT FROM OLD.spent_at"
                ),
                func="""
                    RAISE EXCEPTION 'a sign-in goes each step once'
                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'sign_in_attempt_forward';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Sign-in {self.pk} through {self.provider}"
