"""Pools: made on one page with their rules, opened and cancelled by confirmed actions, read-only otherwise."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from accounts.admin.history import WithHistory
from accounts.models import User
from config.admin import HouseAdmin, ReadOnlyAdmin, Reason, WithRowActions, confirmed
from config.clock import database_now
from config.money import format_amount
from pools.admin.pool_form import FIELDS, RULE_FIELDS, PoolForm
from pools.models import Pool, PoolChange, PoolStatus, Rules
from pools.queries import current_rules, statistics
from pools.services.pools import cancel_pool, create_pool, publish_pool

MAY_RUN = "pools.change_pool"


def what_publishing_does(rows: QuerySet[Pool]) -> list[str]:
    """The preview of `publish`."""
    drafts = rows.filter(status=PoolStatus.DRAFT).count()
    return [
        f"{drafts} of {rows.count()} are drafts; the others are refused.",
        "Players see them at once and can ask to join. Fee, rounds and rules cannot be changed any more.",
    ]


def what_cancelling_does(rows: QuerySet[Pool]) -> list[str]:
    """The preview of `cancel`."""
    ending = rows.filter(status__in=(PoolStatus.DRAFT, PoolStatus.OPEN)).count()
    return [
        f"{ending} of {rows.count()} are drafts or open; those end for good.",
        "A pool with entries is refused: their money would have to be given back first.",
    ]


@admin.register(Pool)
class PoolAdmin(WithHistory, WithRowActions, HouseAdmin):
    """What a pool is, is said when it is made; a wrong draft is cancelled and made again."""

    may_add = True
    change_model = PoolChange
    list_display = (
        "id", "name", "competition", "status", "fee", "capacity", "entries_total", "entries_active", "pot",
        "created_at",
    )  # fmt: skip
    list_display_links = ("id", "name")
    list_select_related = ("competition",)
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), ("competition", RelatedDropdownFilter))
    search_fields = ("name", "competition__code")
    ordering = ("-id",)
    readonly_fields = ("fee", "entries_total", "entries_active", "pot", "rules", "history")
    fieldsets: ClassVar = (
        (None, {"fields": ("name", "description", "competition", "status", "created_by", "created_at")}),
        ("Places and money", {"fields": (
            "fee", "capacity", "max_entries_per_user", "entries_total", "entries_active", "pot", "pay_within_hours",
            "minimum_age", "countries",
        )}),
        ("Play", {"fields": (
            "first_round_number", "last_round_number", "registration_closes_at", "rules", "settled_at",
        )}),
        ("History", {"fields": ("history",)}),
    )  # fmt: skip
    add_fieldsets: ClassVar = (
        (None, {"fields": FIELDS}),
        ("Rules", {"fields": RULE_FIELDS, "description": "Frozen when the first round locks. Empty is the default."}),
    )
    actions = ("publish", "cancel")

    def get_form(self, request: HttpRequest, obj: Pool | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The big form for a new pool; an existing one has nothing to fill in."""
        kwargs["form"] = PoolForm if obj is None else forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Pool | None = None) -> Any:
        """Those of a new pool, or of one that is there."""
        return self.add_fieldsets if obj is None else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything, once the pool is there."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Pool, form: Any, change: bool) -> None:
        """Through the service; the form's row becomes the one that the service made."""
        made = create_pool(
            competition=form.cleaned_data["competition"],
            created_by=_staff(request),
            rules=form.rules(),
            **form.pool_fields(),
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the numbers of the whole page, asked for at once."""
        changelist = super().get_changelist_instance(request)
        _with_numbers(list(changelist.result_list))
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Pool | None:
        """With its numbers."""
        pool: Pool | None = super().get_object(request, object_id, from_field)
        _with_numbers([] if pool is None else [pool])
        return pool

    @admin.display(description="Fee", ordering="entry_fee_cents")
    def fee(self, pool: Pool) -> str:
        """In whole units."""
        return format_amount(pool.entry_fee_cents, pool.currency)

    @admin.display(description="Entries")
    def entries_total(self, pool: Any) -> int:
        """Paid places."""
        return int(pool.numbers.entries_total)

    @admin.display(description="Still in")
    def entries_active(self, pool: Any) -> int:
        """Those that live."""
        return int(pool.numbers.entries_active)

    @admin.display(description="Pot")
    def pot(self, pool: Any) -> str:
        """In whole units."""
        return format_amount(pool.numbers.pot_cents, pool.currency)

    @admin.display(description="Rules")
    def rules(self, pool: Pool) -> str:
        """Every switch of the newest version."""
        rules = current_rules(pool)
        return f"Version {rules.version}: " + ", ".join(f"{key} = {getattr(rules, key)}" for key in Rules.KEYS)

    @confirmed("Publish", permission=MAY_RUN, preview=what_publishing_does, done="published")
    def publish(self, request: HttpRequest, row: Pool, reason: str) -> None:
        """Open to players."""
        publish_pool(pool=row, by=_staff(request), now=database_now())

    @confirmed("Cancel", permission=MAY_RUN, preview=what_cancelling_does, reason=Reason.REQUIRED, done="cancelled")
    def cancel(self, request: HttpRequest, row: Pool, reason: str) -> None:
        """End it."""
        cancel_pool(pool=row, by=_staff(request), reason=reason)


@admin.register(Rules)
class RulesAdmin(ReadOnlyAdmin):
    """Versions of rules; written once."""

    list_display = (
        "pool",
        "version",
        "effective_round_number",
        "strikes",
        "tie",
        "missed_pick",
        "cancelled_game",
        "all_out",
    )
    list_select_related = ("pool",)
    search_fields = ("pool__name",)
    ordering = ("-pool", "-version")
    fields = ("pool", "version", "effective_round_number", *Rules.KEYS, "created_by", "created_at")


def _with_numbers(pools: list[Any]) -> None:
    numbers = statistics.pool_numbers([pool.pk for pool in pools])
    for pool in pools:
        pool.numbers = numbers[pool.pk]


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
