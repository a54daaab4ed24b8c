"""What waits for a person, the most urgent first: both sides, whose it is, and how old."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from config.admin import ReadOnlyAdmin, RowLink, labelled
from config.names import named
from config.phrases import shown_amount, tell
from config.words import told
from payments.admin.discrepancy_acts import WithActs
from payments.admin.discrepancy_filters import Age, Area, Owner, Urgency, Waiting
from payments.admin.discrepancy_giving import give_page
from payments.admin.discrepancy_parts import acts_of, both_sides, in_the_books, sums, what_to_do
from payments.admin.discrepancy_steps import do_page, expected_and_found, next_step, sides
from payments.admin.ways import journal_of, way_of_key, ways
from payments.ages import bucket_of
from payments.models import Discrepancy, DiscrepancyChange
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.services.discrepancies import PERMISSION
from payments.services.queue.acting import receipt_of

# The place in the queue of what is due on no day: behind all others.
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
GIVE = RowLink("Give to a colleague", PERMISSION, lambda row: reverse("admin:payments_discrepancy_give", args=[row]))


@admin.register(Discrepancy)
class DiscrepancyAdmin(WithHistory, WithActs, ReadOnlyAdmin):
    """One doubt about one thing. Nothing of it is edited: what may be done to its kind are its buttons."""

    handbook = "finance/reconciliation#the-queue"
    change_model = DiscrepancyChange
    list_before_template = "payments/discrepancy_sums.html"
    list_display = (
        "urgency", "sides", "next_step", "sentence", "expected", "amount", "age_and_due", "state", "owner",
    )  # fmt: skip
    # By which a long queue is gone through: none of them is ever empty.
    ordering_annotations = ("rank", "due_by")
    list_display_links = ("urgency",)
    list_select_related = ("owner",)
    list_filter: ClassVar = (
        Waiting, Urgency, Area, Age, ("kind", ChoicesDropdownFilter), Owner, "currency", "opened_at",
    )  # fmt: skip
    search_fields = ("object_key", "sentence", "resolution")
    search_help_text = "What it is about (receipt:12, refund:3), or its words"
    fields = (
        "kind", "about", "sentence", "suggestion", "what_to_do", "amount", "both_sides", "in_the_books", "facts",
        "booked", "status", "owner", "due_at", "age", "opened_at", "last_seen_at", "times_seen", "first_run",
        "last_run", "closed_at", "closed_by", "resolution", "what_was_done", "history",
    )  # fmt: skip
    readonly_fields = (
        "about", "what_to_do", "amount", "both_sides", "in_the_books", "facts", "booked", "age", "what_was_done",
        "history",
    )  # fmt: skip
    links = (GIVE,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Discrepancy]:
        """Each with its place in the queue."""
        rank = Case(When(kind__in=URGENT, then=Value(0)), default=Value(1), output_field=IntegerField())
        # Not Django's own: it would sort by what is not there yet.
        rows = Discrepancy.objects.annotate(rank=rank, due_by=Coalesce("due_at", Value(NEVER)))
        return rows.order_by(*self.get_ordering(request))

    def get_ordering(self, request: HttpRequest) -> list[str]:
        """The urgent first, then what is due first, then the oldest."""
        return [*self.ordering_annotations, "id"]

    def get_urls(self) -> list[Any]:
        """Django's, with the page that gives a row to somebody else, and one for each act."""
        give, do = (self.admin_site.admin_view(partial(page, self)) for page in (give_page, do_page))
        own = [
            path("<int:row_id>/give/", give, name="payments_discrepancy_give"),
            path("<int:row_id>/do/<slug:name>/", do, name="payments_discrepancy_do"),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's, with the sums of what is listed above it."""
        page: HttpResponse = super().changelist_view(request, extra_context)
        context = getattr(page, "context_data", None) or {}
        # What is too long to be counted is not added up either.
        if "cl" in context and not context["cl"].is_long:
            context["queue_sums"] = sums(context["cl"].queryset, request.GET)
        return page

    def describe(self, row: Discrepancy) -> str:
        """What it says."""
        return f"{named(row.get_kind_display())}: {row.sentence}"

    def leads(self, request: HttpRequest, link: RowLink, object_id: str) -> bool:
        """A closed row is nobody's work."""
        row: Discrepancy | None = self.get_object(request, object_id)
        return row is not None and row.status in OPEN_STATES

    @labelled("Kind", ordering="kind", colours={"urgent": "danger", "other": "info"})
    def urgency(self, row: Discrepancy) -> tuple[str, str]:
        """What kind of doubt; the urgent ones stand out."""
        return ("urgent" if row.kind in URGENT else "other", named(row.get_kind_display()))

    @labelled(
        "Status",
        ordering="status",
        colours={"open": "warning", "acknowledged": "info", "resolved": "success", "written_off": "success"},
    )
    def state(self, row: Discrepancy) -> tuple[str, str]:
        """Where it stands."""
        return row.status, named(row.get_status_display())

    @admin.display(description="About", ordering="object_key")
    def about(self, row: Discrepancy) -> SafeString | str:
        """The way to what it is about."""
        return way_of_key(row.object_key)

    @admin.display(description="Both sides", ordering="object_key")
    def sides(self, row: Discrepancy) -> SafeString:
        """The ways to them."""
        return sides(row)

    @admin.display(description="Expected → found")
    def expected(self, row: Discrepancy) -> SafeString | str:
        """In what they differ."""
        return expected_and_found(row)

    @admin.display(description="Next step")
    def next_step(self, row: Discrepancy) -> SafeString:
        """The way to it."""
        return next_step(row, self)

    @admin.display(description="What it means, and what to do")
    def what_to_do(self, row: Discrepancy) -> SafeString:
        """As the handbook has it."""
        return what_to_do(row)

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, row: Discrepancy) -> str:
        """How much money it is about, in whole units; nothing where it is about none."""
        if row.amount_cents is None:
            return ""
        return shown_amount(row.amount_cents, row.currency) if row.currency else str(row.amount_cents)

    @admin.display(description="Both sides")
    def both_sides(self, row: Discrepancy) -> SafeString | str:
        """Ours and theirs, beside each other."""
        return both_sides(row)

    @admin.display(description="In the books because of it")
    def in_the_books(self, row: Discrepancy) -> SafeString | str:
        """What would be cleared."""
        return in_the_books(row)

    @admin.display(description="Facts")
    def facts(self, row: Discrepancy) -> SafeString:
        """What was known when it was seen last, with the way to each thing."""
        receipt = receipt_of(row)
        return ways(told(row.details, row.currency or (receipt.currency if receipt else "")))

    @admin.display(description="Booked")
    def booked(self, row: Discrepancy) -> SafeString:
        """What acting on it has put into the journal."""
        return journal_of([("discrepancy", str(row.pk))])

    @admin.display(description="Age", ordering="opened_at")
    def age(self, row: Discrepancy) -> str:
        """Since when it is open, or was until it was closed, in the buckets that finance looks at."""
        return gettext(bucket_of(row.opened_at, row.closed_at or timezone.now()).label)

    @admin.display(description="Age", ordering="opened_at")
    def age_and_due(self, row: Discrepancy) -> SafeString | str:
        """The same, and until when it has to be dealt with, where that is known."""
        if row.due_at is None:
            return self.age(row)
        return format_html("<div>{}</div><div>{}</div>", self.age(row), tell("due {at}", at=row.due_at))

    def told(self, change: Any) -> dict[str, Any]:
        """Of the changes of a row only whose it was, and how it was closed: what it says stands above."""
        told = super().told(change)
        kept = {name: told["details"].get(name) for name in ("owner_id", "resolution")}
        return {**told, "details": kept}

    @admin.display(description="What was done")
    def what_was_done(self, row: Discrepancy) -> SafeString | str:
        """By whom, why, and what came of it."""
        return acts_of(row)
