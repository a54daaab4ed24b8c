"""Reasons that staff give often, in words that are chosen once: players read them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from config.errors import Code
from config.locks import LockedQuerySet
from entries.models.bulk_decision import WITH_REASON, BulkKind


class ReasonTemplate(models.Model):
    kind = models.CharField(
        max_length=10, choices=[(kind.value, kind.label) for kind in WITH_REASON], default=BulkKind.REJECT
    )
    title = models.CharField(max_length=60, help_text="What staff choose it by.")
    text = models.CharField(max_length=500, help_text="What the player reads.")
    is_offered = models.BooleanField(default=True, db_default=True)

    objects = LockedQuerySet["ReasonTemplate"].as_manager()

    class Meta:
        ordering: ClassVar = ["kind", "title"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "title"],
                name="reason_template_title_once",
                violation_error_code=Code.VERSION_CONFLICT,
                violation_error_message="There is a template of this title already.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in WITH_REASON]), name="reason_template_kind_known"
            ),
            models.CheckConstraint(condition=~Q(title="") & ~Q(text=""), name="reason_template_says_something"),
        ]

    def __str__(self) -> str:
        return self.title
