"""What an amendment may not change, because it would act on rounds that have locked, or on money that was paid."""

from collections.abc import Iterator, Mapping
from typing import Any

from config.phrases import phrase
from pools.services.rules.contradictions import Contradiction


def frozen(before: Mapping[str, Any], after: Mapping[str, Any], effective: int) -> Iterator[Contradiction]:
    """Each refused change as its switch and the reason. `effective` is the first round that the change may govern."""
    if after["house_fee_bp"] != before["house_fee_bp"]:
        yield "house_fee_bp", "Fees were paid under it: it stays as it is once players can join."
    for key in ("late_entry_until", "buy_back_until", "reuse_reset_round"):
        if after[key] != before[key] and after[key] is not None and after[key] < effective:
            yield (
                key,
                phrase("Round {rounds} has locked: an amendment governs only rounds that have not.", rounds=after[key]),
            )
    reset = before["reuse_reset_round"]
    if after["reuse_reset_round"] != reset and reset is not None and reset < effective:
        yield (
            "reuse_reset_round",
            phrase("The count of used teams started again in round {round}, which has locked.", round=reset),
        )
    yield from _of_two_pick_rounds(before, after, effective)


def _of_two_pick_rounds(before: Mapping[str, Any], after: Mapping[str, Any], effective: int) -> Iterator[Contradiction]:
    # Two teams in every round from now on leaves no list, also not of rounds that are over.
    if after["picks_per_round"] > 1:
        return
    old, new = set(before["two_pick_rounds"]), set(after["two_pick_rounds"])
    if before["picks_per_round"] > 1:
        old = set()
    locked = sorted(number for number in old ^ new if number < effective)
    if locked:
        rounds = ", ".join(map(str, locked))
        yield (
            "two_pick_rounds",
            phrase("Round {rounds} has locked: an amendment governs only rounds that have not.", rounds=rounds),
        )
