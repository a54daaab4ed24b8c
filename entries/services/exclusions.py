"""What becomes of a player's wishes when an exclusion begins: what is not paid is taken back, what is paid stays."""

import logging
from typing import Any

from accounts.models import Exclusion
from accounts.services.exclusions import BEGAN
from config import outbox
from config.clock import database_now
from config.errors import Conflict
from entries.models import Request, RequestStatus
from entries.services.requests import withdraw_request

logger = logging.getLogger(__name__)

TOLD = "You are excluded from new places and payments."


@outbox.handler(BEGAN)
def withdraw_unpaid(payload: dict[str, Any]) -> None:
    """Withdraw what waits, is on a waiting list or is approved and unpaid; held places go to the next in line.

    An open payment page is ended by what follows a withdrawal. Twice is as good as once.
    """
    exclusion = Exclusion.objects.select_related("user", "by").get(pk=payload["exclusion"])
    live = Request.objects.of(exclusion.user_id).filter(status__in=(RequestStatus.PENDING, RequestStatus.APPROVED))
    by = exclusion.by or exclusion.user
    for request in live.not_given_back().filter(entry=None).order_by("id"):
        try:
            withdraw_request(request=request, by=by, now=database_now(), reason=TOLD)
        except Conflict:
            # Paid, or over, since we looked.
            logger.info("request %s stays as it is", request.pk)
