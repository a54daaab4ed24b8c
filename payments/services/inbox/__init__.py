"""The inbox of provider news: stored as it came, answered at once, looked into afterwards.

`receiving` stores news in one statement. `working` takes what is due, all news of one object at a time, and sees to
retries; `following` finds out what the news is about and has the truth fetched from the provider: what an event itself
claims is never acted on, so its order, its age and its repetition do not matter. The rows are the queue: a worker that
dies, or a hint that is lost, only delays them until the next sweep.
"""

from payments.services.inbox.following import Ignored
from payments.services.inbox.receiving import note_refusal, receive_notice
from payments.services.inbox.working import process_event, retry_event, sweep_events

__all__ = [
    "Ignored",
    "note_refusal",
    "process_event",
    "receive_notice",
    "retry_event",
    "sweep_events",
]
