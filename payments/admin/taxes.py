"""What countries want of winners, year by year, and whose form is on file. Staff write both; nothing is built in."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.staff import staff
from config.admin import HouseAdmin
from config.money import CURRENCIES, to_decimal
from config.money_forms import minor_units
from config.phrases import shown_amount, tell
from payments.models import TaxForm, TaxYear

if TYPE_CHECKING:
    Base = forms.ModelForm[TaxYear]
else:
    Base = forms.ModelForm


class TaxYearForm(Base):
    """The threshold is typed as money; the currency of a row that is there stays."""

    threshold = forms.DecimalField(
        label="From", min_value=0, max_digits=18, decimal_places=3,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=_("From this sum of prizes in the year on, in whole units of the currency, as 600 or 12.50."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "threshold" in self.fields:
            self.initial["threshold"] = to_decimal(self.instance.threshold_cents, self.instance.currency)

    def clean_currency(self) -> str:
        """One that money is written in, as everywhere here in small letters."""
        currency = str(self.cleaned_data["currency"]).lower()
        if currency not in CURRENCIES:
            raise forms.ValidationError(_("Must be a currency of ISO 4217, such as usd."))
        return currency

    def clean(self) -> dict[str, Any]:
        """The threshold in minor units."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        currency = given.get("currency") or self.instance.currency
        if currency and (minor := minor_units(self, currency, "threshold")) is not None:
            self.instance.threshold_cents = minor
        return given


@admin.register(TaxYear)
class TaxYearAdmin(HouseAdmin):
    """One row for each country, year and currency."""

    handbook = "finance/payouts#tax"
    may_add = True
    editable_fields = ("form", "withholding_bp")
    form = TaxYearForm
    list_display = ("country", "year", "currency", "form", "threshold", "withholding")
    list_display_links = ("country", "year")
    list_filter = ("country", "year")
    ordering = ("-year", "country")
    fields = ("country", "year", "currency", "form", "threshold", "withholding_bp")

    @admin.display(description="From", ordering="threshold_cents")
    def threshold(self, row: TaxYear) -> str:
        """In whole units."""
        return shown_amount(row.threshold_cents, row.currency)

    @admin.display(description="Without the form", ordering="withholding_bp")
    def withholding(self, row: TaxYear) -> str:
        """What is done with a prize above the threshold."""
        if row.withholding_bp is None:
            return gettext("nothing is paid")
        return tell("{percent} % withheld", percent=f"{row.withholding_bp / 100:.2f}")


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
