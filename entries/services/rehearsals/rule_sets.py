"""Which rules are rehearsed: those of a template of the studio, or of a pool, with the sentences that players read."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import override

from config.errors import Malformed, invalid
from config.phrases import phrase
from pools.models import Competition, Pool, Rules
from pools.queries import current_rules
from pools.services.pools import draft_of
from pools.services.rules import switches_of
from pools.services.rules.templates import TEMPLATES

TEMPLATE, POOL = "template", "pool"


@dataclass(frozen=True)
class Stakes:
    """What a rehearsed pool has besides its rules. `fee_cents` is in minor units of the currency."""

    competition: Competition
    first: int | None = None
    last: int | None = None
    fee_cents: int = 0
    currency: str = "usd"


@dataclass(frozen=True)
class RuleSet:
    """Checked switches with the pool, not saved, that they are read with; `origin` is `template:<key>` or `pool:<id>`.

    Of a pool the newest version counts, for all rounds.
    """

    origin: str
    name: str
    rules: Rules
    pool: Pool

    def kept(self) -> dict[str, Any]:
        """As a rehearsal keeps it."""
        return {"origin": self.origin, "name": self.name, "switches": switches_of(self.rules)}


def rule_set(origin: str, stakes: Stakes, *, field: str) -> RuleSet:
    """The rules that `origin` names, checked against the stakes.

    Refuses what is neither a template nor a pool, and rules that such a pool cannot have, under the name of the field;
    a fault of the fee or the rounds is told under their own names.
    """
    kind, _, key = origin.partition(":")
    if kind == TEMPLATE and key in TEMPLATES:
        with override("en"):
            # Kept as it stands in the code; whoever reads it does so in their own language.
            name = str(TEMPLATES[key].name)
        return _checked(origin, name, TEMPLATES[key].switches(stakes.competition), stakes, field)
    source = Pool.objects.filter(pk=int(key)).first() if kind == POOL and key.isascii() and key.isdigit() else None
    if source is None:
        raise invalid(field, "Choose a template or a pool.")
    return _checked(origin, source.name, switches_of(current_rules(source)), stakes, field)


def _checked(origin: str, name: str, switches: dict[str, Any], stakes: Stakes, field: str) -> RuleSet:
    try:
        pool, rules = draft_of(
            competition=stakes.competition, rules=switches, name=name[:100], entry_fee_cents=stakes.fee_cents,
            currency=stakes.currency, first_round_number=stakes.first, last_round_number=stakes.last,
        )  # fmt: skip
    except Malformed as refusal:
        raise Malformed(refusal.code, refusal.message, _under(field, refusal.details)) from None
    return RuleSet(origin, name, rules, pool)


def as_kept(kept: dict[str, Any], stakes: Stakes) -> RuleSet:
    """What a rehearsal has kept, to be read: nothing is checked again."""
    pool = Pool(
        competition=stakes.competition, name=kept["name"], entry_fee_cents=stakes.fee_cents, currency=stakes.currency,
        first_round_number=stakes.first or 1, last_round_number=stakes.last or 1,
    )  # fmt: skip
    rules = Rules(pool=pool, version=1, effective_round_number=pool.first_round_number, **kept["switches"])
    return RuleSet(kept["origin"], kept["name"], rules, pool)


def _under(field: str, details: dict[str, Any]) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {}
    for name, messages in details.items():
        if name.startswith("rules."):
            key = name.removeprefix("rules.")
            said = [phrase("{switch}: {message}", switch=key, message=message) for message in messages]
            told.setdefault(field, []).extend(said)
        else:
            told[name] = list(messages)
    return told
