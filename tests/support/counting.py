"""What `/metrics` would tell: of the processes, and of what PostgreSQL is asked."""

from contextlib import contextmanager

from django.db import connection

from config import metrics
from config.scraping import Counted


def counted(name: str, **labels: str) -> float:
    """A counter, or the number of a histogram's measurements; 0 where nothing was counted yet."""
    return sum(
        sample.value
        for family in Counted().collect()
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
