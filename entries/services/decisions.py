"""Many requests decided in one go: each for itself, so that one who is refused stops nobody, and none of them twice.

All pools, then all requests, are locked before the first is decided, each in the order of their ids: two who decide
about the same requests in other orders wait for each other and never in a circle. Places go to the requests in the
order that was asked for, and there are never more than the pool has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.errors import Code, DomainError, NotFound, invalid
from config.phrases import phrase
from entries.models import Request
from entries.services.approvals import Admission, approve_locked, checked_reason, reject_request
from pools.models import Pool

MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Decision:
    """What became of one of them: it was decided, or refused for a reason."""

    request_id: int
    refusal: DomainError | None = None


def approve_requests(*, request_ids: Sequence[int], by: User, now: datetime) -> list[Decision]:
    """Hold a place for each, in the order asked; what is refused has the reason that `approve_request` gives.

    Refuses the whole with VALIDATION_ERROR where a request is named twice, or more than `MOST_AT_ONCE` are.
    """
    return decide_each(request_ids, approving(by=by, now=now))


def approving(*, by: User, now: datetime) -> Callable[[Request], object]:
    """For `decide_each`: approves each as `approve_request` does, and asks each of their pools once."""
    admissions: dict[int, Admission] = {}

    def approve(request: Request) -> object:
        admission = admissions.setdefault(request.pool_id, Admission(request.pool, now))
        return approve_locked(admission, request, by=by)

    return approve


def reject_requests(*, request_ids: Sequence[int], by: User, now: datetime, reason: str) -> list[Decision]:
    """Turn each down, for one reason that all the players read; refused as `reject_request` refuses, one by one.

    Refuses the whole with VALIDATION_ERROR for a reason that is none, and like `approve_requests`.
    """
    reason = checked_reason(reason)
    return decide_each(request_ids, lambda request: reject_request(request=request, by=by, now=now, reason=reason))


@transaction.atomic
def decide_each(request_ids: Sequence[int], decide: Callable[[Request], object]) -> list[Decision]:
    """Do the same to each, all of them locked before the first; a refusal takes back what was done to that one.

    Refuses the whole with VALIDATION_ERROR where a request is named twice, or more than `MOST_AT_ONCE` are.
    """
    if len(set(request_ids)) != len(request_ids) or len(request_ids) > MOST_AT_ONCE:
        raise invalid("requests", phrase("At most {most}, each of them once.", most=MOST_AT_ONCE))
    found = _locked(request_ids)
    return [_decided(request_id, found.get(request_id), decide) for request_id in request_ids]


def _locked(request_ids: Sequence[int]) -> dict[int, Request]:
    """The requests that there are, by id, all of them locked, their pools before them; each with pool and player."""
    wanted = Request.objects.filter(pk__in=request_ids)
    pools = {pool.pk: pool for pool in Pool.objects.filter(pk__in=wanted.values("pool_id")).order_by("pk").locked()}
    found = {request.pk: request for request in wanted.select_related("user").order_by("pk").locked()}
    for request in found.values():
        request.pool = pools[request.pool_id]
    return found


def _decided(request_id: int, request: Request | None, decide: Callable[[Request], object]) -> Decision:
    try:
        if request is None:
            raise NotFound(Code.NOT_FOUND, "There is no such request.")
        with transaction.atomic():
            decide(request)
    except DomainError as refusal:
        return Decision(request_id, refusal)
    return Decision(request_id)
