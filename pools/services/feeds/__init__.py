"""Results that come by themselves: sources, their claims and breakers, and what a pull does.

A pull claims its source, fetches outside any transaction, and writes everything that follows in one: killed anywhere
in between, it has done nothing, and the next one begins anew when the claim has run out.
"""

from pools.services.feeds.pulling import Pulled, pull_due_sources, pull_source
from pools.services.feeds.sources import add_source, ask_to_pull, change_source, close_breaker

__all__ = [
    "Pulled",
    "add_source",
    "ask_to_pull",
    "change_source",
    "close_breaker",
    "pull_due_sources",
    "pull_source",
]
