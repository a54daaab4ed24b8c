"""Banks in the back office: accounts, statements with the files they came from, and what each line is."""

from io import BytesIO
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.admin.staff import staff
from config import audit, phrases
from config.admin import HouseAdmin, ReadOnlyAdmin, list_button
from config.downloads import attachment
from config.errors import DomainError
from config.handbook import helped_by
from config.phrases import shown_amount
from entries.admin.links import linked
from payments.admin.bank_forms import AccountForm, ImportForm
from payments.admin.bank_lines import LineInline
from payments.models import BankAccount, BankFile, BankLineState, BankStatement
from pools.admin.switch_fields import tell

IMPORTS, DOWNLOADS = "payments.import_statement", "payments.view_bankfile"


@admin.register(BankAccount)
class BankAccountAdmin(HouseAdmin):
    """An account of the house, and how its bank writes CSV files."""

    handbook = "finance/bank#accounts-of-the-bank"
    form = AccountForm
    may_add = True
    editable_fields = ("name", "layout", "is_active")
    list_display = ("name", "number", "code", "livemode", "is_active", "last_statement")
    list_filter: ClassVar = ("is_active", "livemode", "currency")
    search_fields = ("name", "number")
    fields = ("name", "number", "currency", "livemode", "is_active", "layout")

    @admin.display(description="Currency", ordering="currency")
    def code(self, row: BankAccount) -> str:
        """As people write it."""
        return row.currency.upper()

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankAccount]:
        """With the day of its last statement."""
        rows: QuerySet[BankAccount] = super().get_queryset(request)
        return rows.annotate(last_on=Max("statements__last_on"))

    @admin.display(description="Statements until", ordering="last_on")
    def last_statement(self, row: Any) -> str:
        """The day up to which the bank's word is here."""
        return str(row.last_on or "—")


@admin.register(BankStatement)
class BankStatementAdmin(ReadOnlyAdmin):
    """One statement of one account."""

    handbook = "finance/bank#statements"
    list_display = ("reference", "account", "first_on", "last_on", "opening", "closing", "line_count", "waiting")
    list_select_related = ("account",)
    list_filter: ClassVar = ("account", "last_on")
    search_fields = ("reference", "account__name", "account__number")
    ordering = ("-last_on", "-id")
    fields = (
        "account", "reference", "first_on", "last_on", "opening", "closing", "line_count", "is_stated", "origin",
        "created_at",
    )  # fmt: skip
    readonly_fields = ("opening", "closing", "origin")
    inlines: ClassVar = (LineInline,)
    actions_list = ("take_in",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BankStatement]:
        """Without the files themselves."""
        rows: QuerySet[BankStatement] = super().get_queryset(request)
        waiting = Count("lines", filter=Q(lines__status=BankLineState.WAITING))
        return rows.select_related("account", "file").defer("file__content").annotate(waiting_lines=waiting)

    def get_urls(self) -> list[Any]:
        """Django's, with the files."""
        view = self.admin_site.admin_view(self.download)
        return [path("file/<int:pk>", view, name="payments_bankfile_download"), *super().get_urls()]

    def download(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file as the bank made it, to be saved."""
        if not request.user.has_perm(DOWNLOADS):
            raise PermissionDenied
        file = get_object_or_404(BankFile, pk=pk)
        audit.record(action="bank_file.fetched", subject=file, by=staff(request))
        return attachment(BytesIO(bytes(file.content)), name=file.name, content_type="application/octet-stream")

    @admin.display(description="Opening", ordering="opening_cents")
    def opening(self, row: BankStatement) -> str:
        """What was there before."""
        return shown_amount(row.opening_cents, row.account.currency)

    @admin.display(description="Closing", ordering="closing_cents")
    def closing(self, row: BankStatement) -> str:
        """What was there then."""
        return shown_amount(row.closing_cents, row.account.currency)

    @admin.display(description="Lines that wait", ordering="waiting_lines")
    def waiting(self, row: Any) -> int:
        """Of which nobody knows what they are."""
        return int(row.waiting_lines)

    @admin.display(description="File")
    def origin(self, row: BankStatement) -> SafeString:
        """Where it came from, and who brought it."""
        address = reverse("admin:payments_bankfile_download", args=[row.file_id])
        return format_html(
            "{} {}",
            linked(address, row.file.name),
            phrases.tell(
                "({form}), by {person}, {at}",
                form=row.file.get_format_display(),
                person=row.file.imported_by.display_name,
                at=row.file.imported_at,
            ),
        )

    @list_button("Import a statement", path="import", permission=IMPORTS, icon="upload_file")
    @helped_by("finance/bank#taking-a-statement-in")
    def take_in(self, request: HttpRequest) -> HttpResponse:
        """The form; the page of the statement once it is here."""
        if not request.user.has_perm(IMPORTS):
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                imported = form.write(staff(request))
            except DomainError as refusal:
                tell(form, refusal)
            else:
                said = phrases.tell(
                    "{new} new lines, {known} known ones; {matched} were recognised.",
                    new=imported.new,
                    known=imported.known,
                    matched=imported.matched,
                )
                self.message_user(request, said, messages.SUCCESS)
                page = reverse("admin:payments_bankstatement_change", args=[imported.statements[0].pk])
                return HttpResponseRedirect(page)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Import a statement"),
            "opts": self.opts,
            "form": form,
            "facts": [],
        }
        return TemplateResponse(request, "payments/bank_form.html", context)
