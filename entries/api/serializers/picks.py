"""Picks as callers see and send them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from config.errors import DomainError
from entries.api.serializers.bulk import BulkErrorOut, told
from entries.models import PickSource
from entries.queries.grades import PickResult
from entries.queries.picks import ShownPick
from entries.services.picks import SavedPick
from entries.services.slips import make_slip

LARGEST_ID = 2**63 - 1
LARGEST_ROUND = 9999
TEAM_LENGTH = 20
MOST_PICKS = 100


class SlipOut(serializers.Serializer[Any]):
    """The signed receipt of a saved pick."""

    entry = serializers.IntegerField(read_only=True)
    round = serializers.IntegerField(read_only=True)
    team = serializers.CharField(read_only=True)
    rules_version = serializers.IntegerField(read_only=True)
    saved_at = serializers.DateTimeField(read_only=True)
    nonce = serializers.CharField(read_only=True)
    signature = serializers.CharField(read_only=True)

    def to_representation(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        """As it was signed, to the last microsecond."""
        return dict(instance)


class PickOut(serializers.Serializer[Any]):
    """A pick, or one that was missed: then there is no team, game, source or slip."""

    round = serializers.IntegerField(read_only=True)
    team = serializers.CharField(read_only=True, allow_null=True, help_text="The team's code.")
    game = serializers.IntegerField(read_only=True, allow_null=True, help_text="The game's id.")
    result = serializers.ChoiceField(PickResult.choices, read_only=True)
    source = serializers.ChoiceField(PickSource.choices, read_only=True, allow_null=True)  # type: ignore[assignment]  # a field here, not DRF's attribute
    locked = serializers.BooleanField(read_only=True)
    picked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    slip = SlipOut(read_only=True, allow_null=True, help_text="For the owner alone.")


class SavedPickOut(PickOut):
    """The pick of the first team asked for, and where the round asks for two, all of them."""

    picks = PickOut(many=True, required=False, help_text="Every pick of a two-pick round, in the order asked.")


class BulkAnswerOut(serializers.Serializer[Any]):
    """What became of one of several picks: either `pick` or `error` is there."""

    entry = serializers.IntegerField(read_only=True)
    round = serializers.IntegerField(read_only=True)
    saved = serializers.BooleanField(read_only=True)
    changed = serializers.BooleanField(read_only=True, help_text="False also when it stood so before.")
    pick = SavedPickOut(read_only=True, allow_null=True)
    error = BulkErrorOut(read_only=True, allow_null=True)


class StepOut(serializers.Serializer[Any]):
    """One change of a pick."""

    vars()["from"] = serializers.CharField(source="from_team", read_only=True, allow_null=True)
    to = serializers.CharField(source="to_team", read_only=True, allow_null=True)
    by = serializers.CharField(read_only=True, allow_null=True, help_text="Display name; null for the system.")
    source = serializers.ChoiceField(PickSource.choices, read_only=True)  # type: ignore[assignment]  # a field here, not DRF's attribute
    at = serializers.DateTimeField(read_only=True)


class PickBody(serializers.Serializer[Any]):
    """`team`, or `teams` where the round takes more than one."""

    team = serializers.CharField(max_length=TEAM_LENGTH, required=False, help_text="The team's code.")
    teams = serializers.ListField(
        child=serializers.CharField(max_length=TEAM_LENGTH), min_length=1, max_length=2, required=False
    )

    shape = {"oneOf": [{"required": ["team"]}, {"required": ["teams"]}]}
    examples = {"team": "KC"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the two; answers `teams` for both."""
        if ("team" in attrs) == ("teams" in attrs):
            raise serializers.ValidationError({"team": ["Give either team or teams."]})
        team = attrs.pop("team", None)
        return attrs | {"teams": attrs.get("teams") or [team]}


class BulkItem(PickBody):
    """The picks of one entry for one round."""

    entry = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    round = serializers.IntegerField(min_value=1, max_value=LARGEST_ROUND)


class BulkBody(serializers.Serializer[Any]):
    """Picks of the caller's own entries."""

    picks = serializers.ListField(child=BulkItem(), min_length=1, max_length=MOST_PICKS)


class BulkQuery(serializers.Serializer[Any]):
    """How to treat a refusal."""

    atomic = serializers.BooleanField(default=False, help_text="All or nothing: the first refusal undoes the others.")


def shown(pick: ShownPick, *, entry_id: int, with_slip: bool) -> dict[str, Any]:
    """A pick as `PickOut` takes it; the slip is made again from what was saved."""
    slip = None
    if with_slip and pick.team and pick.picked_at and pick.rules_version and pick.nonce:
        slip = make_slip(
            entry_id=entry_id,
            round_number=pick.round,
            team_code=pick.team,
            rules_version=pick.rules_version,
            saved_at=pick.picked_at,
            nonce=pick.nonce,
        )
    return {**pick._asdict(), "slip": slip}


def just_saved(saved: SavedPick) -> dict[str, Any]:
    """The same of what was saved this moment, as `SavedPickOut` takes it."""
    first, *others = [
        {
            "round": pick.round_number,
            "team": pick.team_code,
            "game": pick.game_id,
            "result": pick.result,
            "source": pick.source,
            "locked": pick.locked,
            "picked_at": pick.picked_at,
            "slip": pick.slip,
        }
        for pick in saved.picks
    ]
    return first | {"picks": [first, *others]} if others else first


def answered(item: Mapping[str, Any], answer: SavedPick | DomainError) -> dict[str, Any]:
    """One answer of several, as `BulkAnswerOut` takes it."""
    about = {"entry": item["entry"], "round": item["round"]}
    if isinstance(answer, DomainError):
        return about | {"saved": False, "changed": False, "pick": None, "error": told(answer)}
    changed = any(pick.changed for pick in answer.picks)
    return about | {"saved": True, "changed": changed, "pick": just_saved(answer), "error": None}
