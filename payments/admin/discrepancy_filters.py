"""By what the queue is narrowed: state, owner, urgency, age."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.admin.staff import staff
from accounts.queries import who_may
from config.clock import database_now
from config.row_numbers import row_number
from payments.ages import BUCKETS, BY_NAME
from payments.models import Discrepancy, DiscrepancyKind, WriteOffState
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.services.discrepancies import PERMISSION

_Kind = DiscrepancyKind
# What finance works through in one go. What is in none of them is about money and places.
AREAS = {
    "bank": (_("Lines of the bank"), (_Kind.BANK_UNMATCHED, _Kind.STATEMENT_GAP, _Kind.PAYOUT_NOT_IN_BANK)),
    "provider": (
        _("Records of the provider"),
        (
            _Kind.MISSING_LOCALLY, _Kind.MISSING_AT_PROVIDER, _Kind.STATUS_MISMATCH, _Kind.AMOUNT_MISMATCH,
            _Kind.CURRENCY_MISMATCH, _Kind.UNKNOWN_MOVEMENT, _Kind.FEE_MISSING, _Kind.FEE_CHANGED,
            _Kind.PAYOUT_SUM_MISMATCH, _Kind.LIVEMODE_LEAK, _Kind.FOREIGN_ACCOUNT,
        ),
    ),
    "refunds": (
        _("Refunds and disputes"),
        (
            _Kind.EXTERNAL_REFUND, _Kind.ORPHAN_REFUND, _Kind.REFUND_FAILED, _Kind.REFUND_STUCK,
            _Kind.REFUND_UNFUNDED, _Kind.REFUND_AND_DISPUTE, _Kind.DISPUTE_UNKNOWN, _Kind.DISPUTE_DEADLINE,
            _Kind.DISPUTE_LOST,
        ),
    ),
    "books": (
        _("Pots, prizes and books"),
        (
            _Kind.POT_SHORT, _Kind.PRIZE_OVERPAID, _Kind.PAYOUT_FAILED, _Kind.NOT_BOOKED, _Kind.BOOKS_BROKEN,
            _Kind.CLEARING_TIEOUT_DIFF, _Kind.MASS_HEALING, _Kind.ROWS_DISAGREE,
        ),
    ),
}  # fmt: skip


class Waiting(admin.SimpleListFilter):
    """Open ones, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The lists."""
        return (
            ("mine", gettext("Mine")),
            ("nobodys", gettext("Nobody's")),
            ("overdue", gettext("Overdue")),
            ("second_name", gettext("Wait for a second name")),
            ("resolved", gettext("Resolved")),
            ("written_off", gettext("Written off")),
            ("closed", gettext("Closed")),
            ("all", gettext("All")),
        )

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's, with "Open" where it says "All"."""
        first, *others = super().choices(changelist)
        yield {**first, "display": gettext("Open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        """Narrowed by state, owner and due date."""
        still_open = queryset.filter(status__in=OPEN_STATES)
        return {
            "mine": still_open.filter(owner=staff(request)),
            "nobodys": still_open.filter(owner=None),
            "overdue": still_open.filter(due_at__lt=database_now()),
            "second_name": still_open.filter(write_offs__status=WriteOffState.REQUESTED),
            "resolved": queryset.filter(status="resolved"),
            "written_off": queryset.filter(status="written_off"),
            "closed": queryset.exclude(status__in=OPEN_STATES),
            "all": queryset,
        }.get(self.value() or "", still_open)


class Urgency(admin.SimpleListFilter):
    """What finance was told at once."""

    title = "urgency"
    parameter_name = "urgency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The urgent, and the others."""
        return (("urgent", gettext("Urgent")), ("other", gettext("Not urgent")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        """By kind."""
        if self.value() == "urgent":
            return queryset.filter(kind__in=URGENT)
        return queryset.exclude(kind__in=URGENT) if self.value() == "other" else queryset


class Area(admin.SimpleListFilter):
    """Whose side the doubt came up on."""

    title = "area"
    parameter_name = "area"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The areas."""
        return [(name, gettext(label)) for name, (label, _kinds) in AREAS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        """By kind."""
        area = AREAS.get(self.value() or "")
        return queryset if area is None else queryset.filter(kind__in=area[1])


class Age(admin.SimpleListFilter):
    """Since when it is open, or was until it was closed."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The buckets."""
        return [(bucket.name, gettext(bucket.label)) for bucket in BUCKETS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        """By bucket."""
        bucket = BY_NAME.get(self.value() or "")
        return queryset if bucket is None else queryset.filter(bucket.of_rows(database_now()))


class Owner(admin.SimpleListFilter):
    """Whose it is."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Everybody who may look after one."""
        return [(str(user.pk), str(user)) for user in who_may(PERMISSION).order_by("display_name", "email")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        """By the number of the person."""
        number = row_number(self.value())
        return queryset if number is None else queryset.filter(owner_id=number)
