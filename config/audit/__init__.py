"""Who did what to whom, from where, under which request: change tables, and the audit that is fed by them.

A service says who acts and why with `attribute()`. Triggers read it and write a row of a change table for each change,
and for each row of such a table an entry of the audit (`feeds`), so that nothing can be forgotten. What changes no
row of ours, a failed sign-in or a look at personal data, is told with `record()`. Entries are chained, day by day,
by `sealing`; `verifying` recomputes the chain.
"""

from config.audit.changes import (
    ACTOR_SETTING,
    ACTOR_SQL,
    REASON_SETTING,
    REASON_SQL,
    Change,
    StatusChange,
    append_only,
    attribute,
    immutable,
    never_deleted,
    record_status,
)
from config.audit.feeds import feeds, feeds_each, feeds_status
from config.audit.origin import came_with_key
from config.audit.recording import record

__all__ = [
    "ACTOR_SETTING",
    "ACTOR_SQL",
    "REASON_SETTING",
    "REASON_SQL",
    "Change",
    "StatusChange",
    "append_only",
    "attribute",
    "came_with_key",
    "feeds",
    "feeds_each",
    "feeds_status",
    "immutable",
    "never_deleted",
    "record",
    "record_status",
]
