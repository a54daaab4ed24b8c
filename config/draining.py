"""Whether this web server was told to end. Its workers learn it from a file that its main process makes."""

import os

# Names the file; set by `config.web.serving` for its workers.
DRAIN_MARK = "OUTLAST_DRAIN_MARK"


def is_draining() -> bool:
    """Whether the server that this process works for is about to end; it still serves."""
    mark = os.environ.get(DRAIN_MARK)
    return bool(mark) and os.path.exists(str(mark))
