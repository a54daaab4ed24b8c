"""Telling that results have arrived, so that whoever settles starts at once instead of at the next sweep.

The message is `results.arrived` with `{"competition": id}`; the app that settles handles it.
"""

import uuid

from config import outbox


def tell_results_arrived(competition_id: int) -> None:
    """Post the message with the transaction that writes the results; each time a message of its own."""
    outbox.post(
        kind="results.arrived",
        key=f"results-arrived-{competition_id}-{uuid.uuid4()}",
        payload={"competition": competition_id},
    )
