"""Revealing rounds and games on time, so that readers find it done."""

from entries.queries.reveal import due_rounds, reveal_rounds


def reveal_due_rounds() -> list[int]:
    """Reveal every round and game whose lock has passed and whose last picks have landed; ids of the rounds revealed.

    What has a pick still in flight is left for the next call.
    """
    due = due_rounds()
    return sorted(reveal_rounds(due)) if due else []
