"""The audit, to search: by request, by person, by thing, by day; and the days that are closed, with their heads."""

import re
from datetime import UTC
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import BooleanField, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from accounts.models import User
from config.admin import ReadOnlyAdmin
from config.audit.secrecy import hidden_sql
from config.models import AuditDay, AuditEntry
from config.row_numbers import row_number
from config.words import spoken

# `payment 17` is a thing, `payment.succeeded` an action, `payment.` all of its actions.
THING = re.compile(r"([a-z_]+) ([0-9a-zA-Z-]{1,64})")
ACTION = re.compile(r"[a-z_]+\.[a-z_.]*")


def named(column: str) -> Subquery:
    """The name of the person whose id the column has."""
    return Subquery(User.objects.filter(pk=OuterRef(column)).values("display_name")[:1])


def found_by(term: str) -> Q:
    """What is meant by one search, by its look: an address of mail, a thing, an action, a person's id, a request."""
    term = term.strip()
    if "@" in term:
        ids = User.objects.filter(email=term.lower()).values("pk")
        return Q(actor_id__in=ids) | Q(person_id__in=ids)
    if thing := THING.fullmatch(term):
        return Q(subject_type=thing[1], subject_id=thing[2])
    if ACTION.fullmatch(term):
        return Q(action__startswith=term) if term.endswith(".") else Q(action=term)
    if (number := row_number(term)) is not None:
        return Q(actor_id=number) | Q(person_id=number)
    return Q(request_id=term)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what to whom, from where, under which request. What is asked for stands in the address of the page."""

    handbook = "operator/watching#who-did-what"
    list_display = ("time", "who", "what", "thing", "whom", "address", "under", "reason", "place")
    list_filter: ClassVar = (("at", RangeDateTimeFilter), ("actor_kind", ChoicesDropdownFilter))
    search_fields = ("request_id",)
    search_help_text = (
        "The id of a request; a person's id or whole e-mail address; a thing, as payment 17; an action, as"
        " payment.succeeded, or payment. for all of them"
    )
    fields = (
        "at", "who", "actor_kind", "api_key", "what", "thing", "whom", "address", "request_id", "reason", "data",
        "place", "chain",
    )  # fmt: skip
    readonly_fields = ("who", "what", "thing", "whom", "place", "chain")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """With the names of today, which the entry itself has not; without what is nobody's business yet."""
        entries: QuerySet[AuditEntry] = super().get_queryset(request)
        is_hidden = RawSQL(hidden_sql("config_auditentry"), [], output_field=BooleanField())
        return (
            entries.select_related("link")
            .annotate(actor_name=named("actor_id"), person_name=named("person_id"), is_hidden=is_hidden)
            .filter(is_hidden=False)
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Each by an index: what cannot be found by one is not asked for."""
        return (queryset.filter(found_by(search_term)) if search_term.strip() else queryset), False

    @admin.display(description="At", ordering="id")
    def time(self, entry: AuditEntry) -> SafeString:
        """To the second, in UTC."""
        return format_html('<span class="whitespace-nowrap">{}</span>', f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}")

    @admin.display(description="Request")
    def under(self, entry: AuditEntry) -> SafeString | str:
        """How its id begins; the link finds everything else that was done under it."""
        way = '<a href="{}" class="text-primary-600 dark:text-primary-500" title="{}">{}</a>'
        found = f"?{urlencode({'q': entry.request_id})}"
        return format_html(way, found, entry.request_id, entry.request_id[:8]) if entry.request_id else "–"

    @admin.display(description="Who")
    def who(self, entry: Any) -> str:
        """By name and id; who is nobody of ours, by kind."""
        return _person(entry.actor_id, entry.actor_name) or entry.get_actor_kind_display().lower()

    @admin.display(description="Whom")
    def whom(self, entry: Any) -> str:
        """By name and id."""
        return _person(entry.person_id, entry.person_name) or "–"

    @admin.display(description="What", ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """The action's code, by which it is searched."""
        return entry.action

    @admin.display(description="Of")
    def thing(self, entry: AuditEntry) -> str:
        """As it is searched."""
        return f"{entry.subject_type} {entry.subject_id}".strip() or "–"

    @admin.display(description="Place in the chain")
    def place(self, entry: AuditEntry) -> str:
        """The day and the number."""
        link = getattr(entry, "link", None)
        return f"{link.day} {link.number}" if link else spoken("not_linked_yet")

    @admin.display(description="Hash")
    def chain(self, entry: AuditEntry) -> str:
        """Its own, which vouches for it and for all before."""
        link = getattr(entry, "link", None)
        return link.hash if link else "–"


def _person(user_id: int | None, name: str | None) -> str:
    return "" if user_id is None else f"{name or 'somebody'} ({user_id})"


@admin.register(AuditDay)
class AuditDayAdmin(ReadOnlyAdmin):
    """Days that are closed. Their heads were mailed, and stand in the log."""

    handbook = "operator/watching#who-did-what"
    list_display = ("day", "entries", "head", "closed_at")
    ordering = ("-day",)
