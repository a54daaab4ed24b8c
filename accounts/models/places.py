"""Who may play where they live: an age for a country or a region of it, or nobody at all."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from config.audit import ACTOR_SQL, REASON_SQL, Change, append_only, feeds
from config.errors import Code
from config.locks import LockedQuerySet
from config.triggers import Guard

# Where no row says otherwise.
DEFAULT_MINIMUM_AGE = 18


class AgeLimit(models.Model):
    """The law of one place. A region's row stands in for its country's."""

    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2, upper case.")
    region = models.CharField(max_length=10, blank=True, help_text="As in ISO 3166-2; empty: the whole country.")
    minimum_age = models.PositiveSmallIntegerField(default=DEFAULT_MINIMUM_AGE)
    is_barred = models.BooleanField(default=False, help_text="Nobody who lives there may register or join.")

    objects = LockedQuerySet["AgeLimit"].as_manager()

    class Meta:
        ordering: ClassVar = ["country", "region"]
        constraints = [
            models.UniqueConstraint(
                fields=["country", "region"],
                name="age_limit_once",
                violation_error_code=Code.VERSION_CONFLICT,
                violation_error_message="There is a row for this place already.",
            ),
            models.CheckConstraint(condition=Q(country__regex="^[A-Z]{2}$"), name="age_limit_country_code"),
            models.CheckConstraint(
                condition=Q(region="") | Q(region__regex="^[A-Z0-9]+(-[A-Z0-9]+)*$"), name="age_limit_region_code"
            ),
            models.CheckConstraint(condition=Q(minimum_age__range=(1, 120)), name="age_limit_of_a_life"),
        ]
        triggers = [
            Guard(
                name="record_age_limit",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    INSERT INTO accounts_agelimitchange (subject_id, from_values, to_values, at, actor_id, reason)
                    VALUES (
                        CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END,
                        CASE TG_OP WHEN 'INSERT' THEN '{{}}' ELSE to_jsonb(OLD) END,
                        CASE TG_OP WHEN 'DELETE' THEN '{{}}' ELSE to_jsonb(NEW) END,
                        clock_timestamp(), {ACTOR_SQL}, {REASON_SQL}
                    );
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        place = f"{self.country}-{self.region}" if self.region else self.country
        return f"{place}: barred" if self.is_barred else f"{place}: {self.minimum_age}"


class AgeLimitChange(Change):
    """A row of `AgeLimit` came, changed or went; the values before and after, `{}` where there were none."""

    subject_id = models.BigIntegerField(db_index=True)
    from_values = models.JSONField(default=dict, db_default=models.Value("{}", models.JSONField()))
    to_values = models.JSONField(default=dict, db_default=models.Value("{}", models.JSONField()))

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds("age_limit", verb="'changed'", subject="n.subject_id")]

    def __str__(self) -> str:
        return f"Change {self.pk} of age limit {self.subject_id}"
