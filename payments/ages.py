"""How long something has waited, in the buckets that finance looks at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_noop

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """From so many days on, up to so many; None for ever."""

    name: str
    label: str
    from_days: int
    to_days: int | None

    def of_rows(self, now: datetime) -> Q:
        """Discrepancies that are in it; a closed one stays where it was when it was closed."""
        end = Coalesce(F("closed_at"), Value(now))
        not_younger = Q(opened_at__lte=end - self.from_days * DAY)
        return not_younger if self.to_days is None else not_younger & Q(opened_at__gt=end - self.to_days * DAY)


BUCKETS = (
    Bucket("under_1_day", gettext_noop("Under 1 day"), 0, 1),
    Bucket("1_to_3_days", gettext_noop("1 to 3 days"), 1, 3),
    Bucket("3_to_7_days", gettext_noop("3 to 7 days"), 3, 7),
    Bucket("over_7_days", gettext_noop("Over 7 days"), 7, None),
)
BY_NAME = {bucket.name: bucket for bucket in BUCKETS}


def bucket_of(since: datetime, until: datetime) -> Bucket:
    """Where that is which has waited from then until then."""
    return next(one for one in BUCKETS if one.to_days is None or until - since < one.to_days * DAY)


def place_of(since: str) -> str:
    """The same in SQL, of a column and until now: the bucket's place in `BUCKETS`."""
    limits = ", ".join(str(one.to_days) for one in BUCKETS if one.to_days is not None)
    return f"width_bucket(extract(epoch FROM clock_timestamp() - {since}) / 86400, ARRAY[{limits}]::numeric[])"
