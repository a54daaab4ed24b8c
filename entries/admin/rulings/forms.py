"""What is asked for each kind of ruling. The services judge; their complaints come back to the fields."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from config.errors import Code, DomainError
from entries.admin.rulings.finding import entry_field, game_field
from entries.models import RulingKind
from entries.services.rulings.proposing import LONGEST_REASON

VERDICTS = (
    ("", "---------"),
    ("not_played", _("Not played in its round: each pool's rule says what that is for its picks")),
    ("stands", _("Stands in its round: its picks count with its result, whenever that comes")),
    ("moved", _("Moved to another round")),
    ("score", _("Ended with this score, also over a final one")),
)
NOT_PLAYED = (("postponed", _("Postponed")), ("cancelled", _("Cancelled")))


def _number(label: str, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=0, max_value=999, help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget(),
    )  # fmt: skip


def _reason() -> forms.CharField:
    return forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Every player of the pool reads it."),
    )


class ProposalForm(forms.Form):
    """The subject, the fields of `details` that this kind has, and why."""

    kind: ClassVar[RulingKind]
    subject: ClassVar[str]
    title: ClassVar[str]
    explained: ClassVar[str]

    def details(self) -> dict[str, Any]:
        """What was filled in, under the service's names."""
        skipped = (self.subject, "reason")
        return {
            name: value for name, value in self.cleaned_data.items() if name not in skipped and value not in (None, "")
        }

    def proposal(self) -> dict[str, Any]:
        """What the services are asked for, but by whom and why."""
        about = {f"{self.subject}_id": self.cleaned_data[self.subject].pk}
        return {"kind": self.kind, "details": self.details(), **about}

    def tell(self, refusal: DomainError) -> None:
        """Put what the service refused beside its field, or above all of them."""
        by_field = refusal.details if refusal.code is Code.VALIDATION_ERROR else {}
        fields = {key: key.removeprefix("details.") for key in by_field}
        if not by_field or not set(fields.values()) <= set(self.fields):
            self.add_error(None, refusal.sentence)
            return
        for key, field in fields.items():
            self.add_error(field, by_field[key])


class GameForm(ProposalForm):
    """What becomes of a game."""

    kind = RulingKind.GAME
    subject = "game"
    title = gettext_noop("Rule on a game")
    explained = gettext_noop("For every pool that plays the game's round. Feeds do not change what is decided here.")

    game = game_field()
    verdict = forms.ChoiceField(choices=VERDICTS, widget=UnfoldAdminSelectWidget())
    status = forms.ChoiceField(
        label=_("Not played because it is"),
        required=False,
        choices=NOT_PLAYED,
        widget=UnfoldAdminSelectWidget(),
    )
    home_score = _number(gettext_noop("Home score"))
    away_score = _number(gettext_noop("Away score"))
    to_round = _number(gettext_noop("To round"), gettext_noop("One that has not locked."))
    kickoff_at = forms.DateTimeField(
        label="Kickoff (UTC)",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text=_("Where it is played at another time than the one that is known."),
    )
    reason = _reason()

    def details(self) -> dict[str, Any]:
        """The select always sends a status; it means something with one verdict alone."""
        found = super().details()
        if found.get("verdict") != "not_played":
            found.pop("status", None)
        return found


class PickForm(ProposalForm):
    """What an entry's picks of a round are."""

    kind = RulingKind.PICK
    subject = "entry"
    title = gettext_noop("Rule on a pick")
    explained = gettext_noop("A late pick, or another for a wrong one, in a round whose picks are public.")

    entry = entry_field()
    round = forms.IntegerField(min_value=1, max_value=999, widget=UnfoldAdminIntegerFieldWidget())
    teams = forms.CharField(
        required=False, max_length=60, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Codes, with a space between two. Empty takes the pick away."),
    )  # fmt: skip
    reason = _reason()

    def details(self) -> dict[str, Any]:
        """The codes as a list."""
        return {"round": self.cleaned_data["round"], "teams": self.cleaned_data["teams"].split()}


class DisqualifyForm(ProposalForm):
    """Out of the contest."""

    kind = RulingKind.DISQUALIFY
    subject = "entry"
    title = gettext_noop("Disqualify an entry")
    explained = gettext_noop(
        "It becomes void: it counts nowhere and wins nothing. Its picks stay, and its fee stays in the pot."
    )

    entry = entry_field()
    reason = _reason()


class ReinstateForm(ProposalForm):
    """Back in."""

    kind = RulingKind.REINSTATE
    subject = "entry"
    title = gettext_noop("Reinstate an entry")
    explained = gettext_noop(
        "What put it out does not count, and it plays again. A void entry returns by reversing its ruling."
    )

    entry = entry_field()
    resumes = _number(
        gettext_noop("Plays again from round"), gettext_noop("Empty: the next round that has not locked.")
    )
    reason = _reason()


class ReversalForm(forms.Form):
    """Why it was wrong."""

    reason = _reason()
