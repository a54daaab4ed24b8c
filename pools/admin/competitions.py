"""Competitions and rounds. They come from schedules: `manage.py import_schedule`; staff may fix a round's lock."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import (
    RelatedDropdownFilter,
)
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.staff import staff
from config.admin import HouseAdmin, ReadOnlyAdmin, WithRowActions
from config.clock import database_now
from config.names import named
from pools.admin.links import link_to_list
from pools.models import Competition, Game, Pool, Round, RoundChange
from pools.queries import rounds_with_status
from pools.services.locks import fix_lock

if TYPE_CHECKING:
    RoundForm = forms.ModelForm[Round]
else:
    RoundForm = forms.ModelForm


def _at(instant: datetime | None) -> str:
    return "none" if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"


def _number_of(model: type[Any], field: str) -> Coalesce:
    """How many rows of the model refer to the row, without joining several of them into one another."""
    rows = model._default_manager.filter(**{field: OuterRef("pk")}).order_by().values(field)
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


@admin.register(Competition)
class CompetitionAdmin(WithRowActions, ReadOnlyAdmin):
    """A league in a season, with the ways to its rounds, games and pools."""

    handbook = "staff/rounds#competitions"
    list_display = ("code", "name", "season", "rounds", "games", "pools")
    search_fields = ("code", "name")
    fields = ("code", "name", "season", "time_zone", "rounds_are_drawn", "created_at", "rounds", "games", "pools")
    readonly_fields = ("rounds_are_drawn", "rounds", "games", "pools")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Competition]:
        """With how many there are of each."""
        found: QuerySet[Competition] = super().get_queryset(request)
        return found.annotate(
            round_count=_number_of(Round, "competition"),
            game_count=_number_of(Game, "competition"),
            pool_count=_number_of(Pool, "competition"),
        )

    @admin.display(description="Rounds", ordering="round_count")
    def rounds(self, competition: Any) -> SafeString:
        """How many, linked to their list."""
        return link_to_list("round", competition.round_count, competition__id__exact=competition.pk)

    @admin.display(description="Games", ordering="game_count")
    def games(self, competition: Any) -> SafeString:
        """How many, linked to their list."""
        return link_to_list("game", competition.game_count, competition__id__exact=competition.pk)

    @admin.display(description="Pools", ordering="pool_count")
    def pools(self, competition: Any) -> SafeString:
        """How many, linked to their list."""
        return link_to_list("pool", competition.pool_count, competition__id__exact=competition.pk)


class LockForm(RoundForm):
    """When the round locks, where that is before its first kickoff, and why."""

    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("Kept with the change."),
    )

    class Meta:
        model = Round
        fields = ("fixed_locks_at",)


@admin.register(Round)
class RoundAdmin(HouseAdmin):
    """Rounds with their locks. A fixed lock can be set as long as the round has not locked."""

    handbook = "staff/rounds#rounds"
    form = LockForm
    editable_fields = ("fixed_locks_at",)
    list_display = ("competition", "number", "name", "locks_at", "status", "games", "revealed_at")
    list_display_links = ("name",)
    list_select_related = ("competition",)
    list_filter: ClassVar = (("competition", RelatedDropdownFilter),)
    search_fields = ("name", "competition__code")
    ordering = ("-competition", "number")
    fields = (
        "competition", "number", "name", "opens_at", "fixed_locks_at", "first_kickoff_at", "locks_at", "status",
        "revealed_at", "games", "reason", "changes",
    )  # fmt: skip
    readonly_fields = ("first_kickoff_at", "locks_at", "revealed_at", "status", "games", "changes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Round]:
        """With where each round stands, and how many games it has."""
        found: QuerySet[Round] = super().get_queryset(request)
        return rounds_with_status(found, database_now()).annotate(game_count=_number_of(Game, "round"))

    def save_model(self, request: HttpRequest, obj: Round, form: Any, change: bool) -> None:
        """Through the service, which locks the round and checks."""
        fix_lock(
            round_id=obj.pk,
            locks_at=obj.fixed_locks_at,
            by=staff(request),
            now=database_now(),
            reason=form.cleaned_data["reason"],
        )

    @admin.display(description="Changes of the fixed lock")
    def changes(self, round_: Round) -> str:
        """From, to, when and why; the latest last."""
        found = RoundChange.objects.filter(round_id=round_.pk)
        return "; ".join(f"{_at(c.before)} → {_at(c.after)} on {_at(c.at)}: {c.reason}" for c in found) or "none"

    @admin.display(description="Status")
    def status(self, round_: Any) -> str:
        """Upcoming, open, locked or final."""
        return named(round_.status)

    @admin.display(description="Games", ordering="game_count")
    def games(self, round_: Any) -> SafeString:
        """How many, linked to their list."""
        return link_to_list("game", round_.game_count, round__id__exact=round_.pk)
