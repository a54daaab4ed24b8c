"""Slips: the receipt of a saved pick, signed, so that a player can prove what was saved and when.

The signature is HMAC-SHA256 with the house's key over the slip's other fields as JSON, keys sorted, no spaces. The
nonce is random per saved change; the slip can be made again from the pick at any time and reads the same.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

FIELDS = ("entry", "round", "team", "rules_version", "saved_at", "nonce")


def make_slip(
    *, entry_id: int, round_number: int, team_code: str, rules_version: int, saved_at: datetime, nonce: str
) -> dict[str, Any]:
    """The signed slip of one saved pick."""
    slip: dict[str, Any] = {
        "entry": entry_id,
        "round": round_number,
        "team": team_code,
        "rules_version": rules_version,
        "saved_at": saved_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "nonce": nonce,
    }
    return slip | {"signature": _signature(slip)}


def is_genuine(slip: Mapping[str, Any]) -> bool:
    """Whether the house signed exactly these fields."""
    if set(slip) != {*FIELDS, "signature"}:
        return False
    return hmac.compare_digest(_signature(slip), str(slip["signature"]))


def _signature(slip: Mapping[str, Any]) -> str:
    text = json.dumps({field: slip[field] for field in FIELDS}, sort_keys=True, separators=(",", ":"))
    return hmac.new(settings.SLIP_SIGNING_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
