"""What waits for a person, the most urgent first: who looks after it, how old it is, what is suggested."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, Reason, WithRowActions, confirmed
from config.clock import database_now
from config.words import told
from payments.admin.ways import way_of_key, ways
from payments.models import Discrepancy, DiscrepancyChange, Receipt
from payments.models.discrepancy import OPEN_STATES
from payments.services.discrepancies import acknowledge, resolve


class Waiting(admin.SimpleListFilter):
    """Open ones, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The lists."""
        return (("mine", "Mine"), ("overdue", "Overdue"), ("closed", "Closed"), ("all", "All"))

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's, with "Open" where it says "All"."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Open"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        """Narrowed by state, owner and due date."""
        still_open = queryset.filter(status__in=OPEN_STATES)
        return {
            "mine": still_open.filter(owner=staff(request)),
            "overdue": still_open.filter(due_at__lt=database_now()),
            "closed": queryset.exclude(status__in=OPEN_STATES),
            "all": queryset,
        }.get(self.value() or "", still_open)


def what_looking_after_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `look_after`."""
    return [f"Your name stands beside {rows.count()}: the others know that somebody is at it."]


def what_resolving_does(rows: QuerySet[Discrepancy]) -> list[str]:
    """The preview of `mark_resolved`."""
    return [
        f"{rows.count()} are closed, with your name and what you say was done. No money moves by this.",
        "Should the same doubt come up again, a new one is opened.",
    ]


@admin.register(Discrepancy)
class DiscrepancyAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One doubt about one thing."""

    change_model = DiscrepancyChange
    list_display = ("kind", "about", "sentence", "suggestion", "due_at", "age", "status", "owner")
    list_select_related = ("owner",)
    list_filter: ClassVar = (Waiting, ("kind", ChoicesDropdownFilter), "opened_at")
    search_fields = ("object_key", "sentence")
    search_help_text = "What it is about: receipt:12, refund:3"
    ordering = ("due_at", "id")
    fields = (
        "kind", "about", "sentence", "suggestion", "facts", "status", "owner", "due_at", "opened_at",
        "last_seen_at", "times_seen", "closed_at", "closed_by", "resolution", "history",
    )  # fmt: skip
    readonly_fields = ("about", "facts", "history")
    actions = ("look_after", "mark_resolved")

    def describe(self, row: Discrepancy) -> str:
        """What it says."""
        return f"{row.get_kind_display()}: {row.sentence}"

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only while it is open, and looking after it to whoever does not yet."""
        row: Discrepancy | None = self.get_object(request, object_id)
        if row is None or row.status not in OPEN_STATES:
            return False
        return name != "look_after" or row.owner_id != staff(request).pk

    @admin.display(description="About", ordering="object_key")
    def about(self, row: Discrepancy) -> SafeString | str:
        """The way to what it is about."""
        return way_of_key(row.object_key)

    @admin.display(description="Facts")
    def facts(self, row: Discrepancy) -> SafeString:
        """What was known when it was seen last, with the way to each thing."""
        receipt = Receipt.objects.filter(pk=row.details.get("receipt")).only("currency").first()
        return ways(told(row.details, receipt.currency if receipt else ""))

    @admin.display(description="Age", ordering="opened_at")
    def age(self, row: Discrepancy) -> str:
        """Since when it is open, in the buckets that finance looks at."""
        waited = (row.closed_at or timezone.now()) - row.opened_at
        for limit, name in ((1, "under 1 day"), (3, "1 to 3 days"), (7, "3 to 7 days")):
            if waited < timedelta(days=limit):
                return name
        return "over 7 days"

    @confirmed(
        "Look after", permission="payments.resolve_discrepancy", preview=what_looking_after_does, done="looked after"
    )
    def look_after(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Take it on."""
        acknowledge(discrepancy_id=row.pk, by=staff(request))

    @confirmed(
        "Resolve",
        permission="payments.resolve_discrepancy",
        preview=what_resolving_does,
        reason=Reason.REQUIRED,
        done="resolved",
    )
    def mark_resolved(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Close it, and say how."""
        resolve(discrepancy_id=row.pk, by=staff(request), resolution=reason)
