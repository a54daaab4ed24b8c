"""Who may play where they live: the law of the place, as `AgeLimit` has it.

A region's row stands in for its country's; without either, `DEFAULT_MINIMUM_AGE` holds. Where a country has rows of
regions, somebody who names none could be anywhere in it, and is asked first. A pool may be stricter, never milder.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from accounts.models import DEFAULT_MINIMUM_AGE, AgeLimit, User
from accounts.services import details
from config.audit import attribute
from config.errors import Code, Forbidden, invalid
from config.phrases import phrase


class NotEligible(Forbidden):
    """Too young, or at home where we may not offer this."""

    def __init__(self, message: str, details: dict[str, object]) -> None:
        super().__init__(Code.NOT_ELIGIBLE, message, details)


@dataclass(frozen=True)
class Law:
    """What holds at a place."""

    country: str
    region: str
    minimum_age: int = DEFAULT_MINIMUM_AGE
    is_barred: bool = False
    needs_region: bool = False


def law_of(*, country: str, region: str) -> Law:
    """The law where somebody lives, in one query."""
    return laws_of({(country, region)})[country, region]


def laws_of(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Law]:
    """The law of each place, a country and a region of it or none, in one query for all."""
    wanted = set(places)
    rows: dict[str, dict[str, AgeLimit]] = defaultdict(dict)
    for row in AgeLimit.objects.filter(country__in={country for country, _ in wanted}):
        rows[row.country][row.region] = row
    return {(country, region): _law(country, region, rows[country]) for country, region in wanted}


def _law(country: str, region: str, rows: Mapping[str, AgeLimit]) -> Law:
    row = rows.get(region) or rows.get("")
    needs_region = not region and bool(rows.keys() - {""})
    if row is None:
        return Law(country, region, needs_region=needs_region)
    return Law(country, region, row.minimum_age, row.is_barred, needs_region)


def check_place(
    *,
    country: str,
    region: str,
    date_of_birth: date | None,
    today: date,
    minimum_age: int = 0,
    what: str = "Outlast",
    law: Law | None = None,
) -> None:
    """Refuses with NOT_ELIGIBLE whom the law of the place, or a higher `minimum_age`, keeps out of `what`.

    An unknown date of birth is not of age. Where the region decides and is not known, VALIDATION_ERROR asks for it.
    Who asks for many people at once brings the `law` along.
    """
    law = law or law_of(country=country, region=region)
    if law.needs_region:
        raise invalid("region", "What holds in your country differs by region. Say in which one you live.")
    if law.is_barred:
        raise NotEligible(
            phrase("{what} is not offered where you live.", what=what), {"country": country, "region": region}
        )
    at_least = max(minimum_age, law.minimum_age)
    if date_of_birth is None or age_on(today, born=date_of_birth) < at_least:
        raise NotEligible(
            phrase("{what} is for players of {at_least} or older.", what=what, at_least=at_least),
            {"minimum_age": at_least},
        )


def age_on(today: date, *, born: date) -> int:
    """Full years; who is born on 29 February turns a year older on 1 March of other years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@transaction.atomic
def set_age_limit(
    *, country: str, region: str, minimum_age: int, is_barred: bool, by: User | None, reason: str
) -> AgeLimit:
    """Say what holds at a place from now on; places that were given stay. Refuses bad codes and no reason."""
    place = details.cleaned({"country": (details.clean_country, country), "region": (details.clean_region, region)})
    if not 1 <= minimum_age <= details.OLDEST_YEARS:
        raise invalid("minimum_age", phrase("An age from 1 to {oldest}.", oldest=details.OLDEST_YEARS))
    _attribute(by, reason)
    values = {"minimum_age": minimum_age, "is_barred": is_barred}
    limit, _ = AgeLimit.objects.update_or_create(**place, defaults=values)
    return limit


@transaction.atomic
def remove_age_limit(*, limit: AgeLimit, by: User | None, reason: str) -> None:
    """Let the place follow its country, or the default. Its history stays. Again changes nothing."""
    _attribute(by, reason)
    AgeLimit.objects.filter(pk=limit.pk).delete()


def _attribute(by: User | None, reason: str) -> None:
    if not reason.strip():
        raise invalid("reason", "Say why.")
    attribute(by=by, reason=reason.strip())
