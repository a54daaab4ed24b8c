"""How old a row of the queue is, in the buckets that finance looks at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from payments.models import Discrepancy


@dataclass(frozen=True, slots=True)
class Bucket:
    """From so many days on, up to so many; None for ever."""

    name: str
    label: str
    from_days: int
    to_days: int | None

    def at(self, now: datetime) -> Q:
        """Rows that are in it at this instant."""
        not_younger = Q(opened_at__lte=now - timedelta(days=self.from_days))
        if self.to_days is None:
            return not_younger
        return not_younger & Q(opened_at__gt=now - timedelta(days=self.to_days))


BUCKETS = (
    Bucket("under_1_day", "Under 1 day", 0, 1),
    Bucket("1_to_3_days", "1 to 3 days", 1, 3),
    Bucket("3_to_7_days", "3 to 7 days", 3, 7),
    Bucket("over_7_days", "Over 7 days", 7, None),
)
BY_NAME = {bucket.name: bucket for bucket in BUCKETS}


def aged(rows: QuerySet[Discrepancy], name: str, now: datetime) -> QuerySet[Discrepancy]:
    """Those of one bucket."""
    return rows.filter(BY_NAME[name].at(now))


def bucket_of(row: Discrepancy, now: datetime) -> Bucket:
    """Where it is; a closed row stays where it was when it was closed."""
    days = ((row.closed_at or now) - row.opened_at) / timedelta(days=1)
    return next(bucket for bucket in BUCKETS if bucket.to_days is None or days < bucket.to_days)
