"""Results feeds: sources that staff add and change, hurry and give another chance; what their pulls brought."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import HouseAdmin, ReadOnlyAdmin, WithRowActions
from config.clock import ClockTimestamp
from config.confirmations import confirmed
from config.errors import DomainError
from config.phrases import tell_of
from pools.models import FeedPull, FeedSource, FeedSourceChange, LetStand
from pools.services.feeds import add_source, ask_to_pull, change_source, close_breaker
from pools.services.feeds.sources import CHOICES, check_choices

MAY_CHANGE = "pools.change_feedsource"


if TYPE_CHECKING:
    SourceForm = forms.ModelForm[FeedSource]
else:
    SourceForm = forms.ModelForm


class FeedSourceForm(SourceForm):
    """Refuses exactly what the service refuses, beside the field that is meant."""

    class Meta:
        model = FeedSource
        fields = ("competition", *CHOICES)

    def clean(self) -> dict[str, Any]:
        """Ask the service's own check."""
        values = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_choices(self.choices())
            except DomainError as refusal:
                for field, complaints in refusal.details.items():
                    self.add_error(field, complaints)
        return values

    def choices(self) -> dict[str, Any]:
        """What was chosen; what a source keeps for ever comes from its row."""
        return {name: self.cleaned_data.get(name, getattr(self.instance, name)) for name in CHOICES}


def what_pulling_does(rows: QuerySet[FeedSource]) -> list[str]:
    """The preview of `pull_now`."""
    broken = rows.filter(broken_at__isnull=False).count()
    return [
        tell_of(
            rows.count(),
            "{count} source is due at once; a worker pulls it if it is enabled.",
            "{count} sources are due at once; a worker pulls those that are enabled.",
        ),
        tell_of(
            broken,
            "{count} of them failed too often: it gets one try, and stays closed off when it fails.",
            "{count} of them failed too often: they get one try, and stay closed off when it fails.",
        ),
    ]


def what_closing_does(rows: QuerySet[FeedSource]) -> list[str]:
    """The preview of `close_the_breaker`."""
    broken = rows.filter(broken_at__isnull=False).count()
    return [
        tell_of(
            broken,
            "{count} of {total} is left alone because it failed too often.",
            "{count} of {total} are left alone because they failed too often.",
            total=rows.count(),
        ),
        gettext("Their failures are forgotten, and they are pulled at once."),
    ]


@admin.register(FeedSource)
class FeedSourceAdmin(WithHistory, WithRowActions, HouseAdmin):
    """Where results come from by themselves, and how that goes."""

    handbook = "staff/rounds#results-feeds"
    form = FeedSourceForm
    may_add = True
    editable_fields = ("url", "season", "game_types", "every_seconds", "is_enabled")
    list_display = (
        "id", "competition", "kind", "is_enabled", "breaker", "failures", "last_pulled_at", "last_changed_at",
        "next_pull_at", "last_error",
    )  # fmt: skip
    list_display_links = ("id", "competition")
    list_select_related = ("competition",)
    list_filter: ClassVar = (("competition", RelatedDropdownFilter), ("kind", ChoicesDropdownFilter), "is_enabled")
    search_fields = ("competition__code",)
    ordering = ("-id",)
    readonly_fields = ("breaker", "history")
    actions = ("pull_now", "close_the_breaker")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeedSource]:
        """With the time it is."""
        found: QuerySet[FeedSource] = super().get_queryset(request)
        return found.annotate(clock=ClockTimestamp())

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The form alone for a new one."""
        if obj is None:
            return FeedSourceForm.Meta.fields
        return (
            *FeedSourceForm.Meta.fields, "breaker", "failures", "broken_at", "last_error", "last_pulled_at",
            "last_read_at", "last_changed_at", "next_pull_at", "claimed_until", "etag", "last_modified", "created_at",
            "history",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nothing of a new one."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def describe(self, row: FeedSource) -> str:
        """Without the address, whose query may hold a key."""
        return f"{row}, {row.kind} for {row.competition.code}: {row.last_error or gettext('no failure')}"

    @admin.display(description="Breaker")
    def breaker(self, source: Any) -> str:
        """Closed, open or half-open."""
        return str(source.breaker(source.clock))

    def changes_of(self, row: FeedSource) -> QuerySet[FeedSourceChange]:
        """What people chose."""
        return FeedSourceChange.objects.filter(source_id=row.pk)

    def told(self, change: FeedSourceChange) -> dict[str, Any]:
        """Everything that was chosen then."""
        return {"from": "", "to": "enabled" if change.details["is_enabled"] else "off", "details": change.details}

    def save_model(self, request: HttpRequest, obj: FeedSource, form: Any, change: bool) -> None:
        """Through the services."""
        choices = form.choices()
        if change:
            change_source(source_id=obj.pk, by=staff(request), **choices)
        else:
            made = add_source(competition=form.cleaned_data["competition"], by=staff(request), **choices)
            obj.pk = made.pk
        obj.refresh_from_db()

    @confirmed("Pull now", permission=MAY_CHANGE, preview=what_pulling_does, done="asked for")
    def pull_now(self, request: HttpRequest, row: FeedSource, reason: str) -> None:
        """Make it due."""
        ask_to_pull(source_id=row.pk)

    @confirmed("Close the breaker", permission=MAY_CHANGE, preview=what_closing_does, done="given another chance")
    def close_the_breaker(self, request: HttpRequest, row: FeedSource, reason: str) -> None:
        """Forget the failures."""
        close_breaker(source_id=row.pk)


@admin.register(FeedPull)
class FeedPullAdmin(ReadOnlyAdmin):
    """What came, and what of it was taken."""

    handbook = "staff/rounds#results-feeds"
    list_display = (
        "at", "source", "competition", "outcome", "size", "games", "changed", "results", "raised", "refusal",
    )  # fmt: skip
    list_select_related = ("source__competition",)
    list_filter: ClassVar = (("outcome", ChoicesDropdownFilter), ("source__competition", RelatedDropdownFilter))
    search_fields = ("source__competition__code", "digest")
    ordering = ("-id",)
    fields = (
        "source", "at", "outcome", "refusal", "digest", "size", "games", "changed", "results", "raised", "warnings",
    )  # fmt: skip

    @admin.display(description="Competition")
    def competition(self, pull: FeedPull) -> str:
        """Whose results."""
        return pull.source.competition.code


@admin.register(LetStand)
class LetStandAdmin(ReadOnlyAdmin):
    """Differences that staff let stand: nothing raises them again."""

    handbook = "staff/rounds#what-staff-let-stand"
    list_display = ("at", "game", "difference", "by", "reason")
    list_select_related = ("game", "by")
    search_fields = ("game__external_id", "difference")
    ordering = ("-id",)
    fields = ("game", "difference", "at", "by", "reason")
