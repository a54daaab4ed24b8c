"""What `/metrics` would tell: of this process, and of what PostgreSQL is asked."""

import os
from contextlib import contextmanager

from django.db import connection
from prometheus_client.multiprocess import MultiProcessCollector

from config import metrics


def counted(name: str, **labels: str) -> float:
    """A counter, or the number of a histogram's measurements; 0 where nothing was counted yet.

    Of this process alone: the workers of a test run share a folder, and count meanwhile.
    """
    files = [str(file) for file in metrics.OWN_FOLDER.glob(f"*_{os.getpid()}.db")]
    return sum(
        sample.value
        for family in MultiProcessCollector.merge(files)
        for sample in family.samples
        if sample.name == f"outlast_{name}" and labels.items() <= sample.labels.items()
    )


def asked(name: str) -> dict[tuple[str, ...], float]:
    """What PostgreSQL answers, by its labels."""
    with connection.cursor() as cursor:
        cursor.execute(metrics.questions[name][2])
        return {tuple(labels): float(value) for *labels, value in cursor.fetchall()}


@contextmanager
def without_guards():
    """As somebody writes who has got past every trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")
