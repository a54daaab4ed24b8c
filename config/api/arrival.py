"""When a request came to the server, as the gate noted it: what happens to it counts from there, the queue included."""

import time
from collections.abc import Mapping
from typing import Any

# In the environment of a request, by the clock of `time.monotonic()`. No header can have this name.
CAME_AT = "outlast.came_at"


def seconds_since_arrival(environ: Mapping[str, Any]) -> float | None:
    """None for what did not come through the gate."""
    came_at = environ.get(CAME_AT)
    return None if came_at is None else time.monotonic() - came_at
