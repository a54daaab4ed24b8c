"""Journals for accountants in the back office: which account of theirs is which of ours, batches, and their files."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config import phrases
from config.admin import HouseAdmin, ReadOnlyAdmin, ReadOnlyInline, WithRowActions, list_button
from config.clock import database_now, finance_date
from config.confirmations import Reason, confirmed
from config.errors import DomainError
from config.locks import allow_long_statements
from config.phrases import shown_amount
from config.words import within
from payments.accounting.batches import make_batch, withdraw_batch
from payments.accounting.days import pending_days
from payments.accounting.fetching import file_of
from payments.accounting.mapping import map_account, unmap_account
from payments.admin.export_forms import day_field
from payments.models import (
    AccountingSystem,
    AccountMapping,
    BatchState,
    JournalBatch,
    JournalBatchChange,
    JournalBatchDay,
)
from payments.services.booking import livemode
from pools.admin.switch_fields import tell

MAKES, WITHDRAWS, SEES = "payments.make_journalbatch", "payments.withdraw_journalbatch", "payments.view_journalbatch"


def what_taking_away_does(rows: QuerySet[AccountMapping]) -> list[str]:
    """The preview of `take_away`."""
    return [gettext("From the next batch on, another row has to say where these go; what was exported stays as it is.")]


def what_withdrawing_does(rows: QuerySet[JournalBatch]) -> list[str]:
    """The preview of `withdraw`."""
    return [
        gettext("Only for a batch that was never imported: its days are exported anew by the next one."),
        gettext("Where it was imported, its journals would be there twice."),
    ]


@admin.register(AccountMapping)
class AccountMappingAdmin(HouseAdmin):
    """One row for each kind of account and system; where provider or currency are named, for those alone."""

    handbook = "finance/books#journals-for-accounting-programs"
    may_add = True
    editable_fields = ("account", "tax_rate")
    list_display = ("kind", "system", "provider", "currency", "account", "tax_rate")
    list_filter: ClassVar = (("system", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    search_fields = ("account",)
    ordering = ("system", "kind", "provider", "currency")
    fields = ("system", "kind", "provider", "currency", "account", "tax_rate")
    actions = ("take_away",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As over the API, with the name of who has done it."""
        obj.pk = map_account(
            system=obj.system, kind=obj.kind, provider=obj.provider, currency=obj.currency, account=obj.account,
            tax_rate=obj.tax_rate, by=staff(request),
        ).pk  # fmt: skip

    @confirmed(
        "Take away",
        permission="payments.change_accountmapping",
        preview=what_taking_away_does,
        done="taken away",
    )
    def take_away(self, request: HttpRequest, row: AccountMapping, reason: str) -> None:
        unmap_account(mapping_id=row.pk, by=staff(request))


class DayInline(ReadOnlyInline):
    """What a batch has of each day."""

    model = JournalBatchDay
    fields = readonly_fields = ("day", "part", "after_posting", "through_posting", "holds")
    ordering = ("day",)
    verbose_name_plural = _("Days")


class ExportForm(forms.Form):
    """For which program, and through which day."""

    system = forms.ChoiceField(choices=AccountingSystem.choices, widget=UnfoldAdminSelectWidget)
    through = day_field(
        _("Through"),
        _("The last day, in the finance time zone; it must be over. Empty: yesterday."),
    )


@admin.register(JournalBatch)
class JournalBatchAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """Every batch, newest first."""

    handbook = "finance/books#journals-for-accounting-programs"
    change_model = JournalBatchChange
    list_display = ("name", "mode", "status", "first_day", "through_day", "lines", "sums", "made_by", "made_at")
    list_display_links = ("name",)
    list_select_related = ("made_by",)
    list_filter: ClassVar = (("system", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter), "livemode")
    search_fields = ("=number", "=sha256", "file_name")
    search_help_text = "Number, name of the file, or its SHA-256"
    ordering = ("-id",)
    fields = (
        "name", "mode", "status", "file", "first_day", "through_day", "lines", "sums", "accounts", "as_of_posting",
        "sha256", "code_version", "made_by", "made_at", "withdrawn_by", "withdrawn_at", "history",
    )  # fmt: skip
    readonly_fields = ("name", "mode", "file", "sums", "accounts", "history")
    inlines = (DayInline,)
    actions = ("withdraw",)
    actions_list = ("export",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[JournalBatch]:
        """Without the files, which are no matter for a list."""
        rows: QuerySet[JournalBatch] = super().get_queryset(request)
        return rows.defer("content")

    def get_urls(self) -> list[Any]:
        """Beside Django's: the fetching of a file."""
        fetched = never_cache(self.admin_site.admin_view(self.download))
        return [path("<int:pk>/download", fetched, name="payments_journalbatch_download"), *super().get_urls()]

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """To somebody else than who made it, while it holds."""
        batch = self.get_object(request, object_id)
        return batch is not None and batch.status == BatchState.MADE and batch.made_by_id != request.user.pk

    @list_button("Export journals", path="export", icon="upload_file", permission=MAKES)
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """What waits for each program, and a new batch."""
        if not request.user.has_perm(MAKES):
            raise PermissionDenied
        form = ExportForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            asked = form.cleaned_data
            try:
                batch = make_batch(
                    system=AccountingSystem(asked["system"]), through=asked["through"], by=staff(request)
                )  # fmt: skip
            except DomainError as refusal:
                tell(form, refusal)
            else:
                self.message_user(request, f"{batch} is made. Its file can be fetched now.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:payments_journalbatch_change", args=[batch.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Export journals"),
            "opts": self.opts,
            "form": form,
            "facts": waiting(),
        }
        return TemplateResponse(request, "payments/journal_export.html", context)

    def download(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file, as it was made."""
        if not request.user.has_perm(SEES):
            raise PermissionDenied
        return file_of(get_object_or_404(JournalBatch, pk=pk), by=staff(request))

    @confirmed(
        "Withdraw",
        permission=WITHDRAWS,
        preview=what_withdrawing_does,
        reason=Reason.REQUIRED,
        done="withdrawn",
    )
    def withdraw(self, request: HttpRequest, row: JournalBatch, reason: str) -> None:
        withdraw_batch(batch_id=row.pk, by=staff(request), reason=reason)

    @admin.display(description="Batch", ordering="number")
    def name(self, batch: JournalBatch) -> str:
        """By which it is spoken of."""
        return str(batch)

    @admin.display(description="Money", ordering="livemode")
    def mode(self, batch: JournalBatch) -> str:
        """Of which books."""
        return gettext("real") if batch.livemode else gettext("of tests")

    @admin.display(description="Debits")
    def sums(self, batch: JournalBatch) -> str:
        """And as many credits, per currency."""
        return ", ".join(shown_amount(of["debits"], currency) for currency, of in batch.totals.items())

    @admin.display(description="File")
    def file(self, batch: JournalBatch) -> SafeString:
        """The way to it."""
        address = reverse("admin:payments_journalbatch_download", args=[batch.pk])
        way = '<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a> ({} bytes)'
        return format_html(way, address, batch.file_name, f"{batch.size:,}")

    @admin.display(description="Accounts")
    def accounts(self, batch: JournalBatch) -> SafeString:
        """The mapping that it was made with."""
        lines = [(within(ours.replace("_", " ")), their[0]) for ours, their in sorted(batch.mapping.items())]
        return format_html_join("", "<div>{}: {}</div>", lines)


@transaction.atomic
def waiting() -> Sequence[str]:
    """What is not exported yet, of each program that was ever mapped."""
    allow_long_statements()
    yesterday = finance_date(database_now()) - timedelta(days=1)
    mapped = set(AccountMapping.objects.values_list("system", flat=True))
    found = [_waiting_for(system, yesterday) for system in AccountingSystem if system in mapped]
    return found or [gettext("No account is mapped yet: begin with “Accounts elsewhere”.")]


def _waiting_for(system: AccountingSystem, yesterday: date) -> str:
    days = pending_days(system=system, livemode=livemode(), through=yesterday)
    if not days:
        return phrases.tell("{system}: everything through {day} is exported.", system=system.label, day=yesterday)
    corrected = sum(day.part > 1 for day in days)
    facts = {"system": system.label, "count": len(days), "first": days[0].day, "last": days[-1].day}
    if not corrected:
        return phrases.tell("{system}: {count} days wait, {first} to {last}.", **facts)
    return phrases.tell(
        "{system}: {count} days wait, {first} to {last}, {corrected} of them with corrections of days that were"
        " exported before.",
        corrected=corrected,
        **facts,
    )
