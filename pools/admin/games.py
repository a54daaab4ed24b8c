"""Games: staff enter results and decide about games that an import raised."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    RelatedDropdownFilter,
)
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import HouseAdmin, WithRowActions
from config.clock import database_now
from config.confirmations import Reason, confirmed
from config.errors import DomainError
from config.phrases import tell_of
from pools.models import Game, GameChange, GameStatus
from pools.queries.game_desk import LONGEST_GAME, TO_COME
from pools.services.results import check_result, close_review, record_result

MAY_DECIDE = "pools.change_game"
TYPED_TWICE = gettext_lazy(
    "A final score is typed twice, in the results of its round. Another one than stands takes a ruling."
)
TOLD = ("kickoff_at", "round_id", "external_id", "home_id", "away_id", "home_score", "away_score", "review")


if TYPE_CHECKING:
    GameForm = forms.ModelForm[Game]
else:
    GameForm = forms.ModelForm


class ReviewFilter(admin.SimpleListFilter):
    """Games that an import raised for a ruling, or that nobody has told the result of."""

    title = "review"
    parameter_name = "review"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", gettext("Waits for a ruling")), ("no_result", gettext("Should have ended, without a result"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Game]) -> QuerySet[Game]:
        if self.value() == "no_result":
            return queryset.filter(status__in=TO_COME, kickoff_at__lt=database_now() - LONGEST_GAME)
        return queryset.exclude(review="") if self.value() == "open" else queryset


class ResultForm(GameForm):
    """Status and score, and why."""

    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy(
            "Kept with the change. To correct a result that pools are settled on, propose a ruling."
        ),
    )

    class Meta:
        model = Game
        fields = ("status", "home_score", "away_score")

    def clean(self) -> dict[str, Any]:
        """Ask the service's own check; whether the round has locked is asked when it is saved."""
        values = super().clean() or self.cleaned_data
        if values.get("status") == GameStatus.FINAL and self.has_changed():
            self.add_error("status", TYPED_TWICE)
        if not self.errors:
            try:
                check_result(values["status"], values["home_score"], values["away_score"])
            except DomainError as refusal:
                for field, complaints in refusal.details.items():
                    self.add_error(field, complaints)
        return values


def what_cancelling_does(rows: QuerySet[Game]) -> list[str]:
    """The preview of `cancel`."""
    final = rows.filter(status=GameStatus.FINAL).count()
    return [
        tell_of(
            rows.count(),
            "{count} game counts as not played in its round; each pool's rule says what that is for its picks.",
            "{count} games count as not played in their round; each pool's rule says what that is for its picks.",
        ),
        tell_of(
            final,
            "{count} of them is final now and loses its result.",
            "{count} of them are final now and lose their result.",
        ),
        gettext(
            "Those with picks that are locked, or with a result that pools are settled on, "
            "need a ruling, and are refused."
        ),
    ]


def what_letting_stand_does(rows: QuerySet[Game]) -> list[str]:
    """The preview of `let_stand`."""
    return [
        tell_of(
            rows.exclude(review="").count(),
            "{count} of {total} waits for a ruling.",
            "{count} of {total} wait for a ruling.",
            total=rows.count(),
        ),
        gettext("Those with picks that are locked need a ruling, and are refused."),
        gettext("The others stay as they are here, and the same difference is not raised again."),
    ]


@admin.register(Game)
class GameAdmin(WithHistory, WithRowActions, HouseAdmin):
    """Everything about a game comes from the schedule, but status and score can be entered by hand."""

    handbook = "staff/rounds#games-and-results"
    form = ResultForm
    editable_fields = ("status", "home_score", "away_score")
    list_display = ("sides", "competition", "round", "kickoff_at", "status", "score", "review")
    list_select_related = ("competition", "round", "home", "away")
    list_filter: ClassVar = (
        ReviewFilter,
        ("status", ChoicesDropdownFilter),
        ("competition", RelatedDropdownFilter),
        ("round", AutocompleteSelectFilter),
    )
    search_fields = ("external_id", "home__name", "away__name")
    date_hierarchy = None
    ordering = ("-kickoff_at", "-id")
    fields = (
        "external_id", "competition", "round", "away", "home", "kickoff_at", "home_spread", "is_ruled", "review",
        "status", "home_score", "away_score", "reason", "history",
    )  # fmt: skip
    readonly_fields = ("history",)
    actions = ("cancel", "let_stand")

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """What can still come of it: no cancelled game is cancelled, and only a difference can be let stand."""
        game: Game | None = self.get_object(request, object_id)
        if game is None:
            return False
        return bool(game.review) if name == "let_stand" else game.status != GameStatus.CANCELLED

    @admin.display(description="Game", ordering="external_id")
    def sides(self, game: Game) -> str:
        """Who plays at whose place, by their codes."""
        return f"{game.away.code} @ {game.home.code}"

    def describe(self, row: Game) -> str:
        """Who plays whom, and where that stands."""
        return f"{row.external_id}, {row.away} at {row.home}, {row.round}: {row.status} {self.score(row)}"

    @admin.display(description="Score")
    def score(self, game: Game) -> str:
        """Home side first."""
        return "" if game.home_score is None else f"{game.home_score}-{game.away_score}"

    def changes_of(self, row: Game) -> QuerySet[GameChange]:
        """All changes of the game."""
        return GameChange.objects.filter(game_id=row.pk)

    def told(self, change: GameChange) -> dict[str, Any]:
        """The status before and after, and the new value of what else changed."""
        before, after = change.before or {}, change.after
        details = {name: after[name] for name in TOLD if before.get(name) != after[name]}
        return {"from": before.get("status"), "to": after["status"], "details": details}

    def save_model(self, request: HttpRequest, obj: Game, form: Any, change: bool) -> None:
        """Through the service, which locks the game and checks."""
        record_result(
            game_id=obj.pk,
            status=obj.status,
            home_score=obj.home_score,
            away_score=obj.away_score,
            by=staff(request),
            reason=form.cleaned_data["reason"],
        )

    @confirmed(
        "Cancel games", permission=MAY_DECIDE, preview=what_cancelling_does, reason=Reason.REQUIRED, done="cancelled"
    )
    def cancel(self, request: HttpRequest, row: Game, reason: str) -> None:
        """Not played in its round."""
        record_result(game_id=row.pk, status=GameStatus.CANCELLED, by=staff(request), reason=reason)

    @confirmed(
        "Let stand", permission=MAY_DECIDE, preview=what_letting_stand_does, reason=Reason.REQUIRED, done="let stand"
    )
    def let_stand(self, request: HttpRequest, row: Game, reason: str) -> None:
        """Close the review without changing the game."""
        close_review(game_id=row.pk, by=staff(request), reason=reason)
