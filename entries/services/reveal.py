"""Revealing rounds on time, so that readers find it done."""

from entries.queries.reveal import due_rounds, reveal_round


def reveal_due_rounds() -> list[int]:
    """Reveal every round whose lock has passed and whose last picks have landed; returns their ids.

    A round with a pick still in flight is left for the next call.
    """
    return [round_id for round_id in due_rounds() if reveal_round(round_id)]
