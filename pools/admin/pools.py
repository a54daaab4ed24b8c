"""Pools: made on one page with their rules, opened and cancelled by confirmed actions, read-only otherwise."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from accounts.models import User
from config.clock import database_now
from config.confirmations import Reason, confirmed
from config.phrases import shown_amount
from pools.admin.logos import WithLogo
from pools.admin.made_by_service import MadeByService
from pools.admin.pool_form import FIELDS, PoolForm
from pools.admin.pool_previews import what_cancelling_does, what_closing_does, what_publishing_does
from pools.admin.rounds_in_zones import rounds_in_zones
from pools.admin.rules_in_words import rules_in_words
from pools.admin.studio import WithStudio
from pools.admin.switch_fields import RULE_FIELDS
from pools.models import Pool, PoolChange, PoolStatus
from pools.queries import current_rules, statistics
from pools.services.disputes import change_dispute_rules
from pools.services.pools import cancel_pool, create_pool, publish_pool
from pools.services.registration import close_registration

MAY_RUN = "pools.change_pool"
# What can be changed as long as the pool has not ended.
EDITABLE = ("suspended_may_pick", "chargeback_bearer")


@admin.register(Pool)
class PoolAdmin(WithHistory, WithLogo, WithStudio, MadeByService):
    """What a pool is, is said when it is made; of a draft the rules can still be revised.

    What happens in a dispute can be changed until the pool ends.
    """

    handbook = "staff/pools#pools"
    add_form = PoolForm
    editable_fields = EDITABLE
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
    readonly_fields = (
        "fee", "entries_total", "entries_active", "pot", "paid_count", "value_per_entry", "rules", "rules_change",
        "history",
    )  # fmt: skip
    fieldsets: ClassVar = (
        (None, {"fields": ("name", "description", "competition", "status", "created_by", "created_at")}),
        (_("Places and money"), {"fields": (
            "fee", "capacity", "max_entries_per_user", "entries_total", "entries_active", "pot", "paid_count",
            "value_per_entry", "pay_within_hours", "minimum_age", "countries",
        )}),
        (_("Disputed payments"), {"fields": EDITABLE}),
        (_("Play"), {"fields": (
            "first_round_number", "last_round_number", "registration_closes_at", "rules", "rules_change", "settled_at",
        )}),
        (_("History"), {"fields": ("history",)}),
    )  # fmt: skip
    add_fieldsets: ClassVar = (
        (None, {"fields": FIELDS}),
        (
            _("Rules"),
            {
                "fields": RULE_FIELDS,
                "description": _("Frozen when the first round locks. Empty is the default."),
            },
        ),
    )
    actions = ("publish", "close_registration", "cancel")
    actions_list = ("studio",)
    links = (*WithLogo.links, WithStudio.to_studio)
    change_form_outer_after_template = "pools/pool_page.html"

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it as it is."""
        pool = self.get_object(request, object_id)
        status = pool.status if pool is not None else PoolStatus.CANCELLED
        return {
            "publish": status == PoolStatus.DRAFT,
            "close_registration": status in (PoolStatus.OPEN, PoolStatus.RUNNING),
            "cancel": status in (PoolStatus.DRAFT, PoolStatus.OPEN, PoolStatus.RUNNING),
        }.get(name, True)

    def make(self, form: Any, by: User) -> Pool:
        """A draft with version 1 of its rules."""
        return create_pool(
            competition=form.cleaned_data["competition"], created_by=by, rules=form.rules(), **form.pool_fields()
        )

    def change(self, row: Pool, form: Any, by: User) -> None:
        """What happens in a dispute."""
        change_dispute_rules(pool=row, by=by, **{name: form.cleaned_data[name] for name in EDITABLE})

    def has_change_permission(self, request: HttpRequest, obj: Pool | None = None) -> bool:
        """Nothing of a pool that has ended."""
        has_ended = obj is not None and obj.status in (PoolStatus.FINISHED, PoolStatus.CANCELLED)
        return not has_ended and super().has_change_permission(request, obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Pool | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Django's; below it, the rounds and their locks."""
        told = {} if obj is None else rounds_in_zones(request, obj, current_rules(obj))
        page: HttpResponse = super().render_change_form(request, context | told, *args, obj=obj, **kwargs)
        return page

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
        return shown_amount(pool.entry_fee_cents, pool.currency)

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
        return shown_amount(pool.numbers.pot_cents, pool.currency)

    @admin.display(description="Fees in the pot")
    def paid_count(self, pool: Any) -> int:
        """As the ledger has it."""
        return int(pool.numbers.paid_count)

    @admin.display(description="Pot for each still in")
    def value_per_entry(self, pool: Any) -> str:
        """In whole units, rounded down."""
        return shown_amount(pool.numbers.value_per_entry_cents, pool.currency)

    @admin.display(description="Rules")
    def rules(self, pool: Pool) -> str:
        """The newest version, in words; for a draft with what somebody may not have meant."""
        return rules_in_words(current_rules(pool), pool, with_cautions=pool.status == PoolStatus.DRAFT)

    @admin.display(description="Change the rules")
    def rules_change(self, pool: Pool) -> str:
        """Where that is done: a draft is revised, a pool in play amended."""
        if pool.status == PoolStatus.DRAFT:
            return format_html('<a href="{}?pool={}">Revise</a>', reverse("admin:pools_rules_add"), pool.pk)
        if pool.status in (PoolStatus.OPEN, PoolStatus.RUNNING):
            return format_html(
                '<a href="{}?pool={}">Propose an amendment</a>', reverse("admin:pools_amendment_add"), pool.pk
            )
        return "–"

    @confirmed("Publish", permission=MAY_RUN, preview=what_publishing_does, done="published")
    def publish(self, request: HttpRequest, row: Pool, reason: str) -> None:
        """Open to players."""
        publish_pool(pool=row, by=staff(request), now=database_now())

    @confirmed("Close registration now", permission=MAY_RUN, preview=what_closing_does, done="closed to new players")
    def close_registration(self, request: HttpRequest, row: Pool, reason: str) -> None:
        """Take nobody in any more."""
        close_registration(pool=row, by=staff(request))

    @confirmed(
        "Cancel", permission=MAY_RUN, preview=what_cancelling_does, reason=Reason.REQUIRED, done="cancelled", fresh=True
    )
    def cancel(self, request: HttpRequest, row: Pool, reason: str) -> None:
        """End it."""
        cancel_pool(pool=row, by=staff(request), reason=reason)


def _with_numbers(pools: list[Any]) -> None:
    numbers = statistics.pool_numbers([pool.pk for pool in pools])
    for pool in pools:
        pool.numbers = numbers[pool.pk]
