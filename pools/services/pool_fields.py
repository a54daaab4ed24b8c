"""Reading and checking the fields of a new pool, so that API, admin and command line refuse the same things."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max, Min

from config.errors import Code, Malformed, invalid
from config.money import CURRENCIES, charge_fault
from config.phrases import Faults, phrase
from pools.models import Competition, Pool

FIELDS = (
    "name", "description", "entry_fee_cents", "currency", "capacity", "max_entries_per_user",
    "registration_closes_at", "first_round_number", "last_round_number", "pay_within_hours", "minimum_age", "countries",
    "suspended_may_pick", "chargeback_bearer",
)  # fmt: skip
# ISO 3166: a country, or one of its regions.
PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", re.ASCII)
LARGEST_FEE = 100_000_000
MOST_ENTRIES_PER_USER = 1000
# The lowest and the highest that a contest can mean.
BOUNDS = {
    "entry_fee_cents": (0, LARGEST_FEE),
    "capacity": (1, 10_000_000),
    "max_entries_per_user": (1, MOST_ENTRIES_PER_USER),
    "pay_within_hours": (1, 24 * 60),
    "minimum_age": (0, 120),
}


def check_fields(competition: Competition, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, with the competition's rounds as the default range. Raises VALIDATION_ERROR: field → messages."""
    faults: dict[str, list[str]] = {key: ["Unknown."] for key in values.keys() - set(FIELDS)}
    given = {key: value for key, value in values.items() if key in FIELDS and value is not None}
    given["name"] = str(given.get("name", "")).strip()
    given["currency"] = str(given.get("currency", "usd")).lower()
    given["countries"] = [str(code).upper() for code in given.get("countries", ())]
    faults |= _check_rounds(competition, given)
    faults = {**_check_model(competition, given), **_check_limits(given), **faults}
    if faults:
        raise Malformed(
            Code.VALIDATION_ERROR, phrase("The pool is not possible. {faults}", faults=Faults(faults)), faults
        )
    return given


def _check_rounds(competition: Competition, given: dict[str, Any]) -> dict[str, list[str]]:
    """Fill in the range of rounds and say what is wrong with it."""
    known = competition.rounds.aggregate(first=Min("number"), last=Max("number"))
    if known["first"] is None:
        raise invalid(
            "competition",
            phrase("{competition} has no rounds yet. Import its schedule first.", competition=competition.code),
        )
    given.setdefault("first_round_number", known["first"])
    given.setdefault("last_round_number", known["last"])
    played = set(competition.rounds.values_list("number", flat=True))
    faults: dict[str, list[str]] = {
        key: [
            phrase(
                "{competition} has no round {round}; it has {first} to {last}.",
                competition=competition.code,
                round=given[key],
                **known,
            )
        ]
        for key in ("first_round_number", "last_round_number")
        if given[key] not in played
    }
    if not faults and given["first_round_number"] > given["last_round_number"]:
        faults["last_round_number"] = ["Comes before the first round."]
    return faults


def _check_model(competition: Competition, given: dict[str, Any]) -> dict[str, list[str]]:
    """What the model's own fields say."""
    try:
        Pool(competition=competition, **given).clean_fields()
    except ValidationError as error:
        return {key: list(messages) for key, messages in error.message_dict.items()}
    return {}


def _check_limits(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the columns would hold but a contest could not mean."""
    faults: dict[str, list[str]] = {
        key: [phrase("Must be from {low} to {high}.", low=low, high=high)]
        for key, (low, high) in BOUNDS.items()
        if isinstance(given.get(key), int) and not low <= given[key] <= high
    }
    return _check_fee(given) | faults | _check_texts(given)


def _check_fee(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """A fee that no card can pay."""
    fee = given.get("entry_fee_cents")
    fault = charge_fault(fee, given["currency"]) if isinstance(fee, int) else ""
    return {"entry_fee_cents": [fault]} if fault else {}


def _check_texts(given: Mapping[str, Any]) -> dict[str, list[str]]:
    faults = {}
    currency = given["currency"]
    if currency not in CURRENCIES:
        faults["currency"] = ["Must be a currency of ISO 4217, such as usd."]
    if not all(PLACE.fullmatch(code) for code in given["countries"]):
        faults["countries"] = ["Must be codes of countries or of their regions, such as US or US-NV."]
    return faults
