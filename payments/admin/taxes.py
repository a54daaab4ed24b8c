"""What countries want of winners, year by year, and whose form is on file. Staff write both; nothing is built in."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from accounts.admin.staff import staff
from config.admin import HouseAdmin
from config.money import format_amount
from payments.models import TaxForm, TaxYear


@admin.register(TaxYear)
class TaxYearAdmin(HouseAdmin):
    """One row for each country, year and currency."""

    handbook = "finance/payouts#tax"
    may_add = True
    editable_fields = ("form", "threshold_cents", "withholding_bp")
    list_display = ("country", "year", "currency", "form", "threshold", "withholding")
    list_display_links = ("country", "year")
    list_filter = ("country", "year")
    ordering = ("-year", "country")
    fields = ("country", "year", "currency", "form", "threshold_cents", "withholding_bp")

    @admin.display(description="From", ordering="threshold_cents")
    def threshold(self, row: TaxYear) -> str:
        """In whole units."""
        return format_amount(row.threshold_cents, row.currency)

    @admin.display(description="Without the form", ordering="withholding_bp")
    def withholding(self, row: TaxYear) -> str:
        """What is done with a prize above the threshold."""
        return "nothing is paid" if row.withholding_bp is None else f"{row.withholding_bp / 100:.2f} % withheld"


@admin.register(TaxForm)
class TaxFormAdmin(HouseAdmin):
    """Written once; a newer form is another row."""

    handbook = "finance/payouts#tax"
    may_add = True
    list_display = (
        "id", "player", "form", "received_on", "valid_through_year", "tax_number", "recorded_by", "recorded_at",
    )  # fmt: skip
    list_select_related = ("player", "recorded_by")
    list_filter: ClassVar = ("form", ("player", AutocompleteSelectFilter))
    search_fields = ("player__email", "player__display_name")
    ordering = ("-id",)
    fields = ("player", "form", "received_on", "valid_through_year", "tin_last_four")
    autocomplete_fields = ("player",)

    @admin.display(description="Tax number")
    def tax_number(self, row: TaxForm) -> str:
        """Its end alone."""
        return f"…{row.tin_last_four}" if row.tin_last_four else "—"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """With the name of who has seen it."""
        obj.recorded_by = staff(request)
        super().save_model(request, obj, form, change)
