"""What whoever decides about a request should look at first: facts that speak against it, each in a sentence.

Hints, not judgements: a family shares an address. What certainly keeps the player out is `is_grave`; approving is
refused then, or would break the rules of the place.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from accounts.models import Exclusion
from accounts.queries import Beside, accounts_beside
from accounts.services.eligibility import Law, age_on, laws_of
from accounts.services.exclusions import Excluded
from config.errors import DomainError
from config.phrases import phrase, phrase_of
from entries.models import Request
from entries.services.requests import check_eligible

# What apps above know of people.
Teller = Callable[[Collection[int]], Mapping[int, "list[Hint]"]]
_tellers: list[Teller] = []
NEW_ACCOUNT = timedelta(hours=24)
YOUNG = 21


class Hint(NamedTuple):
    """One fact, whose sentence is said in the language of whoever reads it."""

    text: str
    is_grave: bool = False


def tells_hints(teller: Teller) -> Teller:
    """Have the function asked as well, about all people at once. Again changes nothing."""
    if teller not in _tellers:
        _tellers.append(teller)
    return teller


def risks_of(requests: Collection[Request], now: datetime) -> dict[int, list[Hint]]:
    """The hints of each request, the grave ones first; user, pool and competition are loaded.

    In three queries, and those of apps above.
    """
    people = {request.user_id for request in requests}
    beside = accounts_beside(people)
    told = [teller(people) for teller in _tellers]
    excluded = _exclusions(people, now)
    laws = laws_of((request.user.country, request.user.region) for request in requests)
    found: dict[int, list[Hint]] = defaultdict(list)
    for request in requests:
        hints = [
            *_rights(request, excluded, laws[request.user.country, request.user.region], now),
            *_company(beside.get(request.user_id, Beside())),
            *(hint for found_there in told for hint in found_there.get(request.user_id, ())),
            *_youth(request, now),
        ]
        found[request.pk] = sorted(hints, key=lambda hint: not hint.is_grave)
    return found


def _exclusions(people: Collection[int], now: datetime) -> dict[int, Exclusion]:
    """Of each person the exclusion that ends last."""
    found: dict[int, Exclusion] = {}
    for exclusion in Exclusion.objects.filter(user__in=people).in_force(now).order_by("until"):
        # For good (NULL) comes last.
        found[exclusion.user_id] = exclusion
    return found


def _rights(request: Request, excluded: Mapping[int, Exclusion], law: Law, now: datetime) -> list[Hint]:
    hints = []
    if request.user_id in excluded:
        hints.append(Hint(Excluded(excluded[request.user_id]).message, is_grave=True))
    if not request.user.is_active:
        hints.append(Hint(phrase("The account is not active."), is_grave=True))
    try:
        check_eligible(request.pool, request.user, now, law=law)
    except DomainError as refusal:
        hints.append(Hint(refusal.message, is_grave=True))
    if request.user.date_of_birth is None:
        hints.append(Hint(phrase("No date of birth.")))
    return hints


def _company(beside: Beside) -> list[Hint]:
    hints = []
    if beside.by_device:
        hints.append(Hint(_same_browser(beside.by_device)))
    if beside.by_address > beside.by_device:
        hints.append(Hint(_same_address(beside.by_address - beside.by_device)))
    return hints


def _same_browser(count: int) -> str:
    return phrase_of(
        count,
        "{count} other account is used from the same browser at the same address.",
        "{count} other accounts are used from the same browser at the same address.",
    )


def _same_address(count: int) -> str:
    return phrase_of(
        count,
        "{count} other account is used from the same address.",
        "{count} other accounts are used from the same address.",
    )


def _youth(request: Request, now: datetime) -> list[Hint]:
    user, hints = request.user, []
    if now - user.created_at < NEW_ACCOUNT:
        hints.append(Hint(phrase("The account is younger than a day.")))
    if user.date_of_birth is not None and (age := age_on(now.date(), born=user.date_of_birth)) < YOUNG:
        hints.append(Hint(phrase_of(age, "{count} year old.", "{count} years old.")))
    return hints
