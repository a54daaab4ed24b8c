"""People's papers, for those who may look at them. Each look is written down; nothing is shown, all of it is saved."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from accounts.models import Document, DocumentChange
from accounts.services.documents import REVIEWS, accept_document, fetch, reject_document
from config.admin import ReadOnlyAdmin, WithRowActions
from config.clock import database_now
from config.confirmations import Reason, confirmed
from config.errors import DomainError
from config.fresh_pages import ask_unless_fresh
from config.phrases import Name, tell, tell_of
from config.words import within


def what_accepting_does(rows: QuerySet[Document]) -> list[str]:
    """The preview of `accept`."""
    return [
        tell_of(
            _undecided(rows),
            "{count} of {total} waits and is accepted; the owner is told.",
            "{count} of {total} wait and are accepted; the owner is told.",
            total=rows.count(),
        )
    ]


def what_rejecting_does(rows: QuerySet[Document]) -> list[str]:
    """The preview of `reject`."""
    return [
        tell_of(
            _undecided(rows),
            "{count} of {total} waits and is turned down; the owner is told why, in your words.",
            "{count} of {total} wait and are turned down; the owner is told why, in your words.",
            total=rows.count(),
        )
    ]


def _undecided(rows: QuerySet[Document]) -> int:
    return Document.objects.undecided().filter(pk__in=rows.values("pk")).count()


@admin.register(Document)
class DocumentAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """What waits for a decision first. The file's own name may tell who it is about, so only its page shows it."""

    handbook = "staff/people#documents"
    change_model = DocumentChange
    list_display = ("id", "owner", "kind", "status", "content_type", "size", "uploaded_at", "decided_by", "decided_at")
    list_select_related = ("owner", "decided_by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    search_fields = ("owner__email", "owner__display_name")
    search_help_text = "The owner's e-mail address or name"
    ordering = ("-id",)
    fields = (
        "owner", "kind", "status", "name", "file", "content_type", "size", "sha256", "uploaded_at", "scanned_at",
        "finding", "decided_by", "decided_at", "reason", "history",
    )  # fmt: skip
    readonly_fields = ("file", "history")
    actions = ("accept", "reject")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The right to look at papers, and no other."""
        return request.user.has_perm(REVIEWS)

    def describe(self, row: Document) -> str:
        """Whose it is and what it is to show."""
        kind, state = within(row.get_kind_display().lower()), Name(row.status)
        return tell("{person}: {kind}, {state}", person=row.owner, kind=kind, state=state)

    @admin.display(description="File")
    def file(self, row: Document) -> SafeString:
        """A link that notes who followed it."""
        way = '<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>'
        return format_html(way, reverse("admin:accounts_document_file", args=[row.pk]), gettext("Save it"))

    def get_urls(self) -> list[Any]:
        """Django's, and the file."""
        own = path("<int:pk>/file", self.admin_site.admin_view(self.save_file), name="accounts_document_file")
        return [own, *super().get_urls()]

    @method_decorator(never_cache)
    def save_file(self, request: HttpRequest, pk: int) -> HttpResponseBase | FileResponse:
        """The file as a download, after a fresh sign-in; what is refused is told on the document's page."""
        if not request.user.has_perm(REVIEWS):
            raise PermissionDenied
        question = ask_unless_fresh(request, self.admin_site.each_context(request))
        if question is not None:
            return question
        document = get_object_or_404(Document, pk=pk)
        try:
            return fetch(document=document, by=staff(request)).answer()
        except DomainError as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:accounts_document_change", args=[pk]))

    @confirmed("Accept", permission=REVIEWS, preview=what_accepting_does, done="accepted")
    def accept(self, request: HttpRequest, row: Document, reason: str) -> None:
        accept_document(document=row, by=staff(request), now=database_now())

    @confirmed("Reject", permission=REVIEWS, preview=what_rejecting_does, reason=Reason.REQUIRED, done="rejected")
    def reject(self, request: HttpRequest, row: Document, reason: str) -> None:
        reject_document(document=row, by=staff(request), now=database_now(), reason=reason)
