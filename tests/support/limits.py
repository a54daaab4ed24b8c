"""Windows of rate limits that do not end while a test counts."""

import time
from types import SimpleNamespace


def stop_windows(monkeypatch) -> None:
    """No window ends until the end of the test, as far as Redis counts."""
    stopped = time.time()
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: stopped))
