"""What is counted about those who listen."""

from collections.abc import Sequence
from datetime import UTC, datetime

from config import metrics
from config.live.source import Event

CLIENTS = metrics.gauge("live_clients", "Clients that listen now.", ["transport"])
TURNED_AWAY = metrics.counter("live_turned_away", "Clients that were not let in.", ["code"])
TOLD = metrics.counter("live_events", "Events read from the database and handed on.", ["kind"])
SENT = metrics.counter("live_messages", "Messages for single clients: an event for a thousand counts a thousand times.")
DROPPED = metrics.counter("live_dropped", "Clients hung up on.", ["why"])
READS = metrics.counter("live_reads", "Times that the database was asked for what is new.", ["result"])
LAG = metrics.histogram(
    "live_lag_seconds",
    "From the commit of an event to its being handed on.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 30),
)


def tell(events: Sequence[Event], *, listeners: int) -> None:
    """Events of one topic were handed on."""
    now = datetime.now(UTC)
    for event in events:
        TOLD.labels(event.kind).inc()
        LAG.observe(max(0.0, (now - event.at).total_seconds()))
    SENT.inc(len(events) * listeners)
