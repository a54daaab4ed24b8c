"""Rulings as staff and players see them, and what may be proposed."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from entries.models import EntryStatus, Ruling, RulingKind, RulingStatus
from entries.queries.rulings import sentence_of
from entries.services.rulings import Preview
from entries.services.rulings.games import TAKES
from entries.services.rulings.proposing import LONGEST_REASON
from pools.models import GameStatus
from pools.services.results import HIGHEST_SCORE, NOT_PLAYED

LARGEST_ID = 2**63 - 1
NOT_PLAYED_STATUSES = [choice for choice in GameStatus.choices if choice[0] in NOT_PLAYED]
PROPOSED_KINDS = [kind for kind in RulingKind.choices if kind[0] != RulingKind.REVERSAL]


class RulingDetails(serializers.Serializer[Any]):
    """What is decided. Which of these a ruling has depends on its kind and verdict; the others are left out."""

    verdict = serializers.ChoiceField(list(TAKES), required=False, help_text="Of a game.")
    status = serializers.ChoiceField(NOT_PLAYED_STATUSES, required=False, help_text="With `not_played`.")
    home_score = serializers.IntegerField(min_value=0, max_value=HIGHEST_SCORE, required=False)
    away_score = serializers.IntegerField(min_value=0, max_value=HIGHEST_SCORE, required=False)
    to_round = serializers.IntegerField(min_value=1, max_value=999, required=False, help_text="With `moved`.")
    kickoff_at = serializers.DateTimeField(required=False, help_text="With `moved`, or with `stands` on another day.")
    round = serializers.IntegerField(min_value=1, max_value=999, required=False, help_text="Of a pick or a game.")
    teams = serializers.ListField(
        child=serializers.CharField(max_length=20), required=False, max_length=2, help_text="Codes; none for no pick."
    )
    resumes = serializers.IntegerField(
        min_value=1, max_value=999, required=False, help_text="The round in which a reinstated entry plays again."
    )


class RulingDetailsOut(RulingDetails):
    """The same, and for a reinstatement the round in which the entry fell."""

    fell_in = serializers.IntegerField(required=False, help_text="The round that put a reinstated entry out.")

    def to_representation(self, instance: Any) -> Any:
        """As it is kept, but for a name that Python reserves."""
        shown = {name: value for name, value in instance.items() if name != "from"}
        if "from" in instance:
            shown["fell_in"] = instance["from"]
        return shown


class ProposeBody(serializers.Serializer[Any]):
    """What is proposed, about a game or an entry, and why. Every player of the pool reads the reason."""

    kind = serializers.ChoiceField(PROPOSED_KINDS)
    game = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False, help_text="With `game`.")
    entry = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="With `pick`, `disqualify` and `reinstate`."
    )
    details = RulingDetails(required=False)
    reason = serializers.CharField(max_length=LONGEST_REASON)
    examples = {"kind": "disqualify", "entry": 1}


class ReversalBody(serializers.Serializer[Any]):
    """Why it was wrong."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class ConfirmBody(serializers.Serializer[Any]):
    """What the caller has seen; without it, confirming does what it comes to by then."""

    fingerprint = serializers.RegexField(
        r"^[0-9a-f]{64}$", required=False,
        help_text="Of the preview: where confirming would change anything else, nothing is done.",
    )  # fmt: skip


class ChangesOut(serializers.Serializer[Any]):
    """How many entries changed, and how much prize money moved, in minor units."""

    eliminated = serializers.IntegerField(default=0, read_only=True)
    revived = serializers.IntegerField(default=0, read_only=True)
    winners = serializers.IntegerField(default=0, read_only=True, help_text="Titles won.")
    unseated = serializers.IntegerField(default=0, read_only=True, help_text="Titles lost.")
    voided = serializers.IntegerField(default=0, read_only=True, help_text="Disqualified.")
    returned = serializers.IntegerField(default=0, read_only=True, help_text="No longer disqualified.")
    adjusted = serializers.IntegerField(
        default=0, read_only=True, help_text="Neither in nor out by it: another round, reason, strike or prize."
    )
    gained_cents = serializers.IntegerField(default=0, read_only=True, help_text="Prizes that came or grew.")
    lost_cents = serializers.IntegerField(default=0, read_only=True, help_text="Prizes that went or shrank.")

    def to_representation(self, instance: Any) -> dict[str, int]:
        """What is not kept is 0."""
        return {str(name): instance.get(name, 0) for name in self.fields}


class PoolChangesOut(ChangesOut):
    """The same, of one pool."""

    pool = serializers.IntegerField(read_only=True)
    currency = serializers.CharField(read_only=True)


class LineOut(serializers.Serializer[Any]):
    """One entry that would change."""

    entry = serializers.IntegerField(source="entry_id", read_only=True)
    pool = serializers.IntegerField(source="pool_id", read_only=True)
    display_name = serializers.CharField(source="player", read_only=True)
    number = serializers.IntegerField(read_only=True)
    from_status = serializers.ChoiceField(EntryStatus.choices, read_only=True)
    to_status = serializers.ChoiceField(EntryStatus.choices, read_only=True)
    from_round = serializers.IntegerField(read_only=True, allow_null=True)
    to_round = serializers.IntegerField(read_only=True, allow_null=True)
    reason = serializers.CharField(source="code", read_only=True, help_text="Why it would be out; empty otherwise.")
    from_prize_cents = serializers.IntegerField(read_only=True, allow_null=True)
    to_prize_cents = serializers.IntegerField(read_only=True, allow_null=True)
    currency = serializers.CharField(read_only=True)


class PreviewOut(serializers.Serializer[Any]):
    """What confirming would change as things stand now: exact numbers, and the first lines of each sort."""

    fingerprint = serializers.CharField(
        read_only=True, help_text="Of everything that would change, also of what is not listed here. To confirm with."
    )
    has_conflict = serializers.BooleanField(read_only=True, help_text="If the caller confirmed it.")
    changes = ChangesOut(source="tally.total.numbers", read_only=True)
    pools = serializers.SerializerMethodField()
    pools_finished = serializers.IntegerField(source="difference.pools_finished", read_only=True)
    pools_reopened = serializers.IntegerField(source="difference.pools_reopened", read_only=True)
    titles = LineOut(source="tally.titles", many=True, read_only=True)
    eliminated = LineOut(source="tally.fallen", many=True, read_only=True)
    revived = LineOut(source="tally.revived", many=True, read_only=True)
    others = LineOut(source="tally.others", many=True, read_only=True)

    @extend_schema_field(PoolChangesOut(many=True))
    def get_pools(self, preview: Preview) -> Any:
        """Those in which something would change."""
        found = [
            {"pool": pool_id, "currency": one.currency, **one.numbers()} for pool_id, one in preview.tally.pools.items()
        ]
        return PoolChangesOut(found, many=True).data


class _Told(serializers.ModelSerializer[Ruling]):
    """What staff and players see alike."""

    game = serializers.IntegerField(source="game_id", read_only=True, allow_null=True)
    entry = serializers.IntegerField(source="entry_id", read_only=True, allow_null=True)
    details = RulingDetailsOut(read_only=True)
    sentence = serializers.SerializerMethodField()
    proposed_by = serializers.CharField(source="proposed_by.display_name", read_only=True)
    decided_by = serializers.CharField(source="decided_by.display_name", read_only=True, allow_null=True, default=None)
    reverses = serializers.IntegerField(source="reverses_id", read_only=True, allow_null=True)
    reversed_by = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The ruling that undid this one; null while it holds."
    )

    def get_sentence(self, ruling: Ruling) -> str:
        """What was decided, to read."""
        return sentence_of(ruling)


class PoolRulingOut(_Told):
    """A confirmed ruling, as every player of the pool may read it."""

    changes = serializers.SerializerMethodField()

    class Meta:
        model = Ruling
        fields = [
            "id", "kind", "game", "entry", "details", "sentence", "reason", "proposed_by", "proposed_at", "decided_by",
            "decided_at", "has_conflict", "reverses", "reversed_by", "changes",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ChangesOut)
    def get_changes(self, ruling: Any) -> Any:
        """In this pool."""
        return ChangesOut(ruling.here or {}).data


class RulingOut(_Told):
    """A ruling, as staff see it."""

    competition = serializers.CharField(source="competition.code", read_only=True)
    pool = serializers.IntegerField(
        source="pool_id", read_only=True, allow_null=True, help_text="Null: every pool that plays the game's round."
    )
    changes = ChangesOut(source="difference", read_only=True, help_text="In all pools; prizes are told pool by pool.")

    class Meta:
        model = Ruling
        fields = [
            "id", "kind", "status", "competition", "pool", "game", "entry", "details", "sentence", "reason",
            "proposed_by", "proposed_at", "decided_by", "decided_at", "has_conflict", "reverses", "reversed_by",
            "changes",
        ]  # fmt: skip
        read_only_fields = fields


class RulingFilter(serializers.Serializer[Any]):
    """Which rulings to list."""

    status = serializers.ChoiceField(RulingStatus.choices, required=False)
    kind = serializers.ChoiceField(RulingKind.choices, required=False)
    competition = serializers.SlugField(max_length=40, required=False, help_text="A competition's code.")
    pool = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    game = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    entry = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
