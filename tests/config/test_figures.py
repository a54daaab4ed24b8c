"""The list of all figures is true: written from what the processes of a system count."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import PROJECT

PAGE = PROJECT / "docs" / "metrics.md"
WRITE = "OUTLAST_WRITE_METRICS"
HEAD = """# Figures

Everything that `/metrics` tells; `docs/observability.md` says how, `docs/observability/alerts.yml` which of it wakes
somebody. *Asked* is a gauge that PostgreSQL is asked for at each scrape, the other kinds are counted by the processes.
A histogram has `_bucket`, `_sum` and `_count`. `OUTLAST_WRITE_METRICS=1 manage.py test tests/config/test_figures.py`
writes this page.

| Figure | Kind | Labels | Meaning |
| --- | --- | --- | --- |
"""
EVERYTHING = """
import json
import config.wsgi, config.celery, config.live.figures
from config import metrics
config.celery.app.loader.import_default_modules()
print(json.dumps({name: list(figure) for name, figure in metrics.made.items()}))
"""
BY_HAND = {
    "outlast_database_up": ["asked", "Whether PostgreSQL answered this scrape.", []],
    "outlast_questions_unanswered": ["asked", "Figures that PostgreSQL did not give in time.", []],
    "outlast_draining": ["gauge", "Whether this server is about to end.", []],
}
PERSONAL = {"user", "user_id", "email", "entry", "entry_id", "pool_id", "path", "address", "ip"}


def figures():
    """Of a fresh process, in which no test has made any."""
    environment = {**os.environ, "OUTLAST_PROCESS": "web", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) | BY_HAND


def page(found):
    return HEAD + "".join(
        f"| `{name}` | {kind} | {', '.join(labels)} | {meaning} |\n"
        for name, (kind, meaning, labels) in sorted(found.items())
    )


@pytest.mark.slow
def test_the_page_lists_them_all():
    found = figures()
    assert [name for name, (_, meaning, _) in found.items() if not meaning.endswith((".", ": 0.", "none."))] == []
    assert [name for name, (_, _, labels) in found.items() if PERSONAL & set(labels)] == []
    if os.environ.get(WRITE):
        Path(PAGE).write_text(page(found))
    assert PAGE.read_text() == page(found)
