"""Where a player is paid at a provider: written down by one member of staff, confirmed by another.

Whoever can change the account can steal the prize, so it takes two names, and neither is the player's.
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard


class PayoutAccountState(models.TextChoices):
    RECORDED = "recorded"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    RETIRED = "retired"


ACCOUNT_TRANSITIONS = {
    PayoutAccountState.RECORDED: (PayoutAccountState.CONFIRMED, PayoutAccountState.REJECTED),
    PayoutAccountState.CONFIRMED: (PayoutAccountState.RETIRED,),
}
_DECIDED = (PayoutAccountState.CONFIRMED, PayoutAccountState.RETIRED)


class PayoutAccount(HasStatus):
    player = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_accounts")
    provider = models.CharField(max_length=20)
    reference = models.CharField(max_length=255, help_text="The provider's own name of the account: acct_…")
    note = models.CharField(max_length=300, blank=True, default="", help_text="How it was made sure that it is theirs.")
    status = models.CharField(max_length=10, choices=PayoutAccountState, default=PayoutAccountState.RECORDED)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")

    TRANSITIONS: ClassVar = ACCOUNT_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes = [GinIndex(OpClass(Upper("reference"), name="gin_trgm_ops"), name="payout_account_letters")]
        permissions: ClassVar = [
            ("record_payout_account", "Can write down where a winner is paid"),
            ("confirm_payout_account", "Can confirm where a winner is paid"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["player", "provider"],
                condition=Q(status=PayoutAccountState.CONFIRMED),
                name="payout_account_in_use_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=PayoutAccountState.values), name="payout_account_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(provider="manual") & ~Q(provider="") & ~Q(reference=""), name="payout_account_is_named"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=_DECIDED) | Q(decided_by__isnull=False) & ~Q(decided_by=F("recorded_by")),
                name="payout_account_two_names",
            ),
            models.CheckConstraint(
                condition=(Q(recorded_by__isnull=True) | ~Q(recorded_by=F("player")))
                & (Q(decided_by__isnull=True) | ~Q(decided_by=F("player"))),
                name="payout_account_not_ones_own",
            ),
        ]
        triggers = [
            status_guard(ACCOUNT_TRANSITIONS),
            Guard(
                name="payout_account_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.player_id, NEW.provider, NEW.reference, NEW.note, NEW.recorded_by_id)
                       IS DISTINCT FROM (OLD.player_id, OLD.provider, OLD.reference, OLD.note, OLD.recorded_by_id)
                       OR OLD.decided_by_id IS NOT NULL AND NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id THEN
                        RAISE EXCEPTION 'another account is another row'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_account_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            *record_status("payments_payoutaccountchange", ("decided_by_id",)),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.reference}"


class PayoutAccountChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("payout_account", owner="payments_payoutaccount.player_id")]

    def __str__(self) -> str:
        return f"Change {self.pk} of payout account {self.subject_id}"
