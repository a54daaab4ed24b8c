"""How competitions, rounds, games, pools and rules look to callers."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from config.api.components import among
from config.api.filters import CreatedFilter
from config.money import CURRENCIES
from pools.models import (
    AllOut,
    CancelledGame,
    ChargebackBearer,
    GameStatus,
    LastRound,
    LockPolicy,
    MissedPick,
    MissedPickThen,
    Payout,
    Pool,
    PoolStatus,
    Rules,
    TieRule,
)
from pools.queries import PoolCard, RoundStatus
from pools.services.pool_fields import BOUNDS
from pools.services.results import HIGHEST_SCORE, WITH_SCORES
from pools.services.rules import SWITCHES, sentences
from pools.services.rules.switches import LONGEST_LIST, ROUNDS


class CompetitionOut(serializers.Serializer[Any]):
    code = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    season = serializers.CharField(read_only=True)
    time_zone = serializers.CharField(read_only=True, help_text="IANA name of the zone players think in.")


class TeamOut(serializers.Serializer[Any]):
    code = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)


class GameOut(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    home = serializers.CharField(source="home.code", read_only=True)
    away = serializers.CharField(source="away.code", read_only=True)
    kickoff = serializers.DateTimeField(source="kickoff_at", read_only=True)
    status = serializers.ChoiceField(GameStatus.choices, read_only=True)
    home_score = serializers.IntegerField(read_only=True, allow_null=True)
    away_score = serializers.IntegerField(read_only=True, allow_null=True)


class RoundOut(serializers.Serializer[Any]):
    number = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True)
    opens_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="Null: it opens when the round before it locks."
    )
    locks_at = serializers.DateTimeField(read_only=True, allow_null=True)
    status = serializers.ChoiceField(RoundStatus.choices, read_only=True)
    games = GameOut(many=True, read_only=True)


class PoolRoundOut(serializers.Serializer[Any]):
    """A round of a pool. The numbers are null until the round has locked and its picks are public."""

    number = serializers.IntegerField(source="round.number", read_only=True)
    name = serializers.CharField(source="round.name", read_only=True)
    opens_at = serializers.DateTimeField(source="round.opens_at", read_only=True, allow_null=True)
    locks_at = serializers.DateTimeField(source="round.locks_at", read_only=True, allow_null=True)
    status = serializers.ChoiceField(RoundStatus.choices, source="round.status", read_only=True)
    games = GameOut(source="round.games", many=True, read_only=True)
    picks_total = serializers.IntegerField(source="numbers.picks_total", read_only=True, allow_null=True)
    missed = serializers.IntegerField(source="numbers.missed", read_only=True, allow_null=True)
    eliminated = serializers.IntegerField(source="numbers.eliminated", read_only=True, allow_null=True)
    alive_after = serializers.IntegerField(source="numbers.alive_after", read_only=True, allow_null=True)
    merkle_root = serializers.CharField(source="numbers.merkle_root", read_only=True, allow_null=True)


class SwitchesOut(serializers.Serializer[Any]):
    """Every switch with its value."""

    lock = serializers.ChoiceField(LockPolicy.choices, read_only=True)
    strikes = serializers.IntegerField(read_only=True)
    tie = serializers.ChoiceField(TieRule.choices, read_only=True)
    missed_pick = serializers.ChoiceField(MissedPick.choices, read_only=True)
    missed_pick_then = serializers.ChoiceField(MissedPickThen.choices, read_only=True)
    cancelled_game = serializers.ChoiceField(CancelledGame.choices, read_only=True)
    picks_per_round = serializers.IntegerField(read_only=True)
    two_pick_rounds = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    reuse_limit = serializers.IntegerField(read_only=True)
    reuse_reset_round = serializers.IntegerField(read_only=True, allow_null=True)
    all_out = serializers.ChoiceField(AllOut.choices, read_only=True)
    last_round = serializers.ChoiceField(LastRound.choices, read_only=True)
    late_entry_until = serializers.IntegerField(read_only=True, allow_null=True)
    late_entry_strikes = serializers.BooleanField(read_only=True)
    buy_back_until = serializers.IntegerField(read_only=True, allow_null=True)
    buy_back_limit = serializers.IntegerField(read_only=True)
    buy_back_fee_cents = serializers.IntegerField(read_only=True)
    payout = serializers.ChoiceField(Payout.choices, read_only=True)
    payout_table = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    house_fee_bp = serializers.IntegerField(read_only=True)


class RulesOut(SwitchesOut):
    version = serializers.IntegerField(read_only=True)
    effective_round = serializers.IntegerField(
        source="effective_round_number", read_only=True, help_text="The first round that this version governs."
    )
    text = serializers.SerializerMethodField(help_text="The rules as sentences, in the order of play.")

    def get_text(self, rules: Rules) -> list[str]:
        """What a player reads."""
        return sentences(rules, rules.pool)


class JoiningOut(serializers.Serializer[Any]):
    """What an entry begins with that is paid now."""

    first_round = serializers.IntegerField(read_only=True, help_text="The round that it plays from.")
    strikes = serializers.IntegerField(
        read_only=True, help_text="Strikes that it has from the start, for rounds that it has missed."
    )


def logo_url(pool: Pool) -> str | None:
    """Where the picture is; null where there is none."""
    if not pool.logo_key:
        return None
    return f"/api/v1/pools/{pool.pk}/logo?v={pool.logo_key.rpartition('/')[2][:12]}"


class PoolOut(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pool.id", read_only=True)
    name = serializers.CharField(source="pool.name", read_only=True)
    description = serializers.CharField(source="pool.description", read_only=True)
    competition = serializers.CharField(source="pool.competition.code", read_only=True)
    status = serializers.ChoiceField(PoolStatus.choices, source="pool.status", read_only=True)
    entry_fee_cents = serializers.IntegerField(source="pool.entry_fee_cents", read_only=True)
    currency = serializers.CharField(source="pool.currency", read_only=True)
    capacity = serializers.IntegerField(source="pool.capacity", read_only=True, allow_null=True)
    max_entries_per_user = serializers.IntegerField(source="pool.max_entries_per_user", read_only=True)
    registration_closes_at = serializers.DateTimeField(read_only=True, allow_null=True)
    joining = JoiningOut(read_only=True, allow_null=True, help_text="Null once nobody can join any more.")
    first_round = serializers.IntegerField(source="pool.first_round_number", read_only=True)
    last_round = serializers.IntegerField(source="pool.last_round_number", read_only=True)
    current_round = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="The first round that can still be picked; the last once none can."
    )
    pay_within_hours = serializers.IntegerField(source="pool.pay_within_hours", read_only=True)
    minimum_age = serializers.IntegerField(source="pool.minimum_age", read_only=True)
    countries = serializers.ListField(source="pool.countries", child=serializers.CharField(), read_only=True)
    suspended_may_pick = serializers.BooleanField(
        source="pool.suspended_may_pick",
        read_only=True,
        help_text="Whether an entry whose payment is disputed may go on picking.",
    )
    chargeback_bearer = serializers.ChoiceField(
        ChargebackBearer.choices,
        source="pool.chargeback_bearer",
        read_only=True,
        help_text="Who bears a payment that a dispute has lost; `pot` counts until the first lock.",
    )
    entries_total = serializers.IntegerField(source="numbers.entries_total", read_only=True)
    entries_active = serializers.IntegerField(source="numbers.entries_active", read_only=True)
    pot_cents = serializers.IntegerField(
        source="numbers.pot_cents", read_only=True, help_text="What was collected for prizes, as the ledger has it."
    )
    paid_count = serializers.IntegerField(
        source="numbers.paid_count", read_only=True, help_text="How many fees are in the pot."
    )
    value_per_entry_cents = serializers.IntegerField(
        source="numbers.value_per_entry_cents",
        read_only=True,
        help_text="The pot divided by the entries still in, rounded down; 0 when none is.",
    )
    logo_url = serializers.SerializerMethodField(help_text="Where its picture is; it changes with the picture.")
    rules = RulesOut(read_only=True)
    created_at = serializers.DateTimeField(source="pool.created_at", read_only=True)

    def get_logo_url(self, card: PoolCard) -> str | None:
        """Null where there is none."""
        return logo_url(card.pool)


class PoolsQuery(CreatedFilter):
    status = serializers.ChoiceField(PoolStatus.choices, required=False)
    competition = serializers.SlugField(max_length=40, required=False, help_text="A competition's code.")
    search = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="A part of the name.")


def values_of_switches() -> dict[str, dict[str, Any]]:
    """What the schema says of those that are numbers, and of those that are lists of them."""
    bounds = {name: switch.bounds for name, switch in SWITCHES.items() if switch.bounds is not None}
    items = {name: {"minimum": low, "maximum": high} for name, (low, high) in bounds.items()}
    return {
        name: {"items": {"type": "integer", **said}, "maxItems": LONGEST_LIST} if SWITCHES[name].default == [] else said
        for name, said in items.items()
    }


LISTED, COUNTED = "Must be a list of whole numbers.", "Must be a whole number."
OF_LISTS = frozenset(name for name, switch in SWITCHES.items() if switch.default == [])
OF_NUMBERS = frozenset(name for name, switch in SWITCHES.items() if switch.bounds is not None) - OF_LISTS


def _is_guessed(name: str, value: Any) -> bool:
    """Whether the service, for which nothing on a command line means none, would make nothing a list or a number."""
    is_blank = isinstance(value, str) and not value.strip()
    return (name in OF_LISTS and (value is None or is_blank)) or (name in OF_NUMBERS and is_blank)


class RulesBody(serializers.Serializer[Any]):
    """Any of the switches; the others have their default. The service reads and refuses them, unknown ones too."""

    lock = serializers.ChoiceField(LockPolicy.choices, required=False)
    strikes = serializers.IntegerField(required=False)
    tie = serializers.ChoiceField(TieRule.choices, required=False)
    missed_pick = serializers.ChoiceField(MissedPick.choices, required=False)
    missed_pick_then = serializers.ChoiceField(MissedPickThen.choices, required=False)
    cancelled_game = serializers.ChoiceField(CancelledGame.choices, required=False)
    picks_per_round = serializers.IntegerField(required=False)
    two_pick_rounds = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=200)
    reuse_limit = serializers.IntegerField(required=False)
    reuse_reset_round = serializers.IntegerField(required=False, allow_null=True)
    all_out = serializers.ChoiceField(AllOut.choices, required=False)
    last_round = serializers.ChoiceField(LastRound.choices, required=False)
    late_entry_until = serializers.IntegerField(required=False, allow_null=True)
    late_entry_strikes = serializers.BooleanField(required=False)
    buy_back_until = serializers.IntegerField(required=False, allow_null=True)
    buy_back_limit = serializers.IntegerField(required=False)
    buy_back_fee_cents = serializers.IntegerField(required=False)
    payout = serializers.ChoiceField(Payout.choices, required=False)
    payout_table = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=200)
    house_fee_bp = serializers.IntegerField(required=False)

    refuses_unknown_itself = True
    values = values_of_switches()
    examples = {"tie": "win"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(["Must be an object of switches."])
        faults = {name: [LISTED if name in OF_LISTS else COUNTED] for name in data if _is_guessed(name, data[name])}
        if faults:
            raise serializers.ValidationError(faults)
        return dict(data)


class PoolBody(serializers.Serializer[Any]):
    competition = serializers.SlugField(max_length=40, help_text="A competition's code.")
    name = serializers.CharField(max_length=100)
    description = serializers.CharField(required=False, allow_blank=True, max_length=5000)
    entry_fee_cents = serializers.IntegerField(required=False)
    currency = serializers.CharField(required=False, max_length=3)
    capacity = serializers.IntegerField(required=False, allow_null=True)
    max_entries_per_user = serializers.IntegerField(required=False)
    registration_closes_at = serializers.DateTimeField(required=False, allow_null=True)
    first_round = serializers.IntegerField(source="first_round_number", required=False)
    last_round = serializers.IntegerField(source="last_round_number", required=False)
    pay_within_hours = serializers.IntegerField(required=False)
    minimum_age = serializers.IntegerField(required=False)
    countries = serializers.ListField(child=serializers.CharField(max_length=6), required=False, max_length=300)
    suspended_may_pick = serializers.BooleanField(required=False)
    chargeback_bearer = serializers.ChoiceField(ChargebackBearer.choices, required=False)
    rules = RulesBody(required=False)

    values = {
        **{name: {"minimum": low, "maximum": high} for name, (low, high) in BOUNDS.items()},
        "currency": {"enum": sorted(CURRENCIES)},
        "first_round": {"minimum": 1, "maximum": ROUNDS[1]},
        "last_round": {"minimum": 1, "maximum": ROUNDS[1]},
    }


class CancelBody(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


def _scores(kind: str) -> dict[str, Any]:
    return {"home_score": {"type": kind}, "away_score": {"type": kind}}


class ResultBody(serializers.Serializer[Any]):
    status = serializers.ChoiceField(GameStatus.choices)
    home_score = serializers.IntegerField(min_value=0, max_value=HIGHEST_SCORE, required=False, allow_null=True)
    away_score = serializers.IntegerField(min_value=0, max_value=HIGHEST_SCORE, required=False, allow_null=True)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)

    examples = {"status": "cancelled"}
    shape = {
        "oneOf": [
            {"properties": {"status": among(WITH_SCORES), **_scores("integer")}, "required": [*_scores("integer")]},
            {"properties": {"status": among(sorted({*GameStatus} - {GameStatus.FINAL})), **_scores("null")}},
        ]
    }
