"""The second thing that proves who somebody is: a device that shows one-time codes, and codes on paper for when it is
lost.
"""

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from config.audit import ACTOR_SQL, REASON_SQL, feeds_each
from config.clock import ClockTimestamp
from config.encryption import EncryptedTextField
from config.locks import LockedQuerySet
from config.triggers import Guard

RECORD = f"""
    INSERT INTO accounts_userchange (subject_id, field, from_value, to_value, at, actor_id, reason)
    VALUES ({{whose}}.user_id, 'second_factor', {{was}}, {{becomes}}, clock_timestamp(), {ACTOR_SQL}, {REASON_SQL});
    RETURN NULL;
"""


class TotpQuerySet(LockedQuerySet["Totp"]):
    def confirmed(self) -> "TotpQuerySet":
        """Those that sign-in asks for."""
        return self.exclude(confirmed_at=None)

    def pending(self) -> "TotpQuerySet":
        """Those whose first code has not been seen yet."""
        return self.filter(confirmed_at=None)


class Totp(models.Model):
    """A device that shows a new code each half minute (RFC 6238).

    It counts from its first right code on. A replacement waits beside the one it will replace.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="totps")
    secret = EncryptedTextField(help_text="Base32, as the device has it.")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(
        null=True, blank=True, help_text="The half minute of the last code that was accepted: none up to it counts."
    )

    objects = TotpQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(confirmed_at=None), name="totp_one_pending"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(confirmed_at__isnull=False), name="totp_one_confirmed"
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at=None, last_step=None) | Q(confirmed_at__isnull=False, last_step__isnull=False),
                name="totp_confirmed_by_a_code",
            ),
        ]
        triggers = [
            Guard(
                name="totp_code_counts_once",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("last_step"),
                condition=pgtrigger.Condition("OLD.last_step IS NOT NULL AND NEW.last_step <= OLD.last_step"),
                func="""
                    RAISE EXCEPTION 'a one-time code counts once'
                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'totp_code_counts_once';
                """,
            ),
            Guard(
                name="record_second_factor_on",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("confirmed_at"),
                condition=pgtrigger.Condition("OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL"),
                func=RECORD.format(whose="NEW", was="'off'", becomes="'on'"),
            ),
            Guard(
                name="record_second_factor_off",
                when=pgtrigger.After,
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.confirmed_at IS NOT NULL"),
                func=RECORD.format(whose="OLD", was="'on'", becomes="'off'"),
            ),
        ]

    def __str__(self) -> str:
        return f"Second factor of user {self.user_id}"


class RecoveryCodeQuerySet(LockedQuerySet["RecoveryCode"]):
    def unused(self) -> "RecoveryCodeQuerySet":
        return self.filter(used_at=None)


class RecoveryCode(models.Model):
    """One of the codes on paper, each good for one sign-in. Kept as a hash: 80 random bits need no slow one."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    used_at = models.DateTimeField(null=True, blank=True)

    objects = RecoveryCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once"),
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="recovery_code_hashed"),
        ]
        triggers = [
            Guard(
                name="recovery_code_counts_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("OLD.used_at IS NOT NULL"),
                func="""
                    RAISE EXCEPTION 'a recovery code counts once'
                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'recovery_code_counts_once';
                """,
            ),
            feeds_each(
                "feed_audit",
                noun="recovery_code",
                verb="'used'",
                operation=pgtrigger.UpdateOf("used_at"),
                person="NEW.user_id",
                actor="NEW.user_id",
            ),
        ]

    def __str__(self) -> str:
        return f"Recovery code {self.pk} of user {self.user_id}"
