"""By what the queue is narrowed: state, owner, urgency, age."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.staff import staff
from accounts.queries import who_may
from config.clock import database_now
from payments.ages import BUCKETS, BY_NAME
from payments.models import Discrepancy, WriteOffState
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.services.discrepancies import PERMISSION


class Waiting(admin.SimpleListFilter):
    """Open ones, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The lists."""
        return (
            ("mine", "Mine"),
            ("nobodys", "Nobody's"),
            ("overdue", "Overdue"),
            ("second_name", "Wait for a second name"),
            ("resolved", "Resolved"),
            ("written_off", "Written off"),
            ("closed", "Closed"),
            ("all", "All"),
        )

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
        return (("urgent", "Urgent"), ("other", "Not urgent"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
        """By kind."""
        if self.value() == "urgent":
            return queryset.filter(kind__in=URGENT)
        return queryset.exclude(kind__in=URGENT) if self.value() == "other" else queryset


class Age(admin.SimpleListFilter):
    """Since when it is open, or was until it was closed."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The buckets."""
        return [(bucket.name, bucket.label) for bucket in BUCKETS]

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
        number = self.value() or ""
        return queryset.filter(owner_id=int(number)) if number.isdecimal() and len(number) <= 18 else queryset
