"""What settlement remembers: the facts each round was settled on, what must be looked at again, and what it changed."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from config.audit import append_only
from config.clock import ClockTimestamp
from entries.models.entry import Entry
from entries.models.ruling import Ruling
from pools.models import Competition, Pool, Round


class SettledRound(models.Model):
    """One round of one pool as it was last settled. Where the facts no longer match, settling starts from there."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="+", db_index=False)
    round_number = models.PositiveSmallIntegerField()
    fingerprint = models.CharField(max_length=32, help_text="MD5 of the rules and of the round's games as they stood.")
    is_revived = models.BooleanField(default=False, help_text="Everybody fell in it, and the rules let them live.")
    is_begun = models.BooleanField(default=False, help_text="One of its games had an outcome.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "round_number"], name="settled_round_unique")]

    def __str__(self) -> str:
        return f"Round {self.round_number} of pool {self.pool_id}, settled"


class FillInAttempt(models.Model):
    """An entry lacked a pick of a locked round, and nothing could be filled in. That is tried once: a team that the
    player sets free after the lock comes too late."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="+", db_index=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "round"], name="fill_in_attempt_unique")]

    def __str__(self) -> str:
        return f"Entry {self.entry_id} lacks a pick of round {self.round_id}"


class SettlementMark(models.Model):
    """Something about an entry of the pool changed that the games do not tell: settle again from this round on.

    Only ever inserted, by triggers, so that nobody waits for anybody; the next settlement takes the rows it can see.
    """

    pool_id = models.BigIntegerField()
    from_round_number = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [models.Index(fields=["pool_id", "from_round_number"], name="settlement_mark_pool")]

    def __str__(self) -> str:
        return f"Pool {self.pool_id} from round {self.from_round_number}"


class SettlementCause(models.TextChoices):
    RESULTS = "results"
    COMMAND = "command"
    STAFF = "staff"
    RULING = "ruling"


class Settlement(models.Model):
    """One settlement that changed something. Its changes are the rows of `EntryChange` in the span it names."""

    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="settlements")
    cause = models.CharField(max_length=10, choices=SettlementCause)
    ruling = models.ForeignKey(Ruling, on_delete=models.PROTECT, null=True, blank=True, related_name="settlements")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    through = models.PositiveSmallIntegerField(null=True, blank=True)
    at = models.DateTimeField(db_default=ClockTimestamp())
    difference = models.JSONField(default=dict, help_text="How many entries changed, and to what.")
    first_change_id = models.BigIntegerField(null=True)
    last_change_id = models.BigIntegerField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        triggers = append_only()

    def __str__(self) -> str:
        return f"Settlement {self.pk}"
