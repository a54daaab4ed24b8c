"""What countries want of winners, year by year, and whose form is on file. Every number is a row; none is built in."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import append_only, feeds
from config.clock import ClockTimestamp


class TaxYear(models.Model):
    """What a country wants of winners in one year: a form from some amount on, and how much is withheld without it."""

    country = models.CharField(max_length=2)
    year = models.PositiveSmallIntegerField()
    currency = models.CharField(max_length=3)
    form = models.CharField(max_length=20, help_text="The form that a winner has to hand in: W-9, W-8BEN.")
    threshold_cents = models.PositiveBigIntegerField(help_text="From this sum of prizes in the year on.")
    withholding_bp = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Basis points withheld where the form is missing; empty: nothing is paid out."
    )

    class Meta:
        ordering: ClassVar = ["country", "year"]
        constraints = [
            models.UniqueConstraint(fields=["country", "year", "currency"], name="tax_year_unique"),
            models.CheckConstraint(
                condition=Q(withholding_bp__isnull=True) | Q(withholding_bp__lte=10_000), name="tax_year_withholding"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.year}"


class TaxForm(models.Model):
    """A player's form is on file; the form itself is kept elsewhere. Of a form, the newest row counts."""

    player = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tax_forms")
    form = models.CharField(max_length=20)
    received_on = models.DateField()
    valid_through_year = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The last year of payments that it is good for; empty: until a newer one."
    )
    tin_last_four = models.CharField(
        max_length=4, blank=True, default="", db_default="",
        help_text="The last four characters of the tax number on it; the number itself is not kept here.",
    )  # fmt: skip
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(tin_last_four__regex="^([0-9A-Za-z]{4})?$"), name="tax_form_tin"),
        ]
        triggers = [
            *append_only(),
            feeds(
                "tax_form",
                verb="'recorded'",
                subject="n.player_id",
                person="n.player_id",
                actor="n.recorded_by_id",
                reason="''",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form} of {self.player_id}"
