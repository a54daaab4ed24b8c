"""Requests for a place, and for the way back in: players ask and withdraw, moderators decide, all staff may look."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from config.api.filters import lookups
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import JOIN, STAFF
from config.api.views import ApiView, ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code, Forbidden
from entries.api.serializers.requests import (
    ApproveManyBody,
    DecisionOut,
    RejectBody,
    RejectManyBody,
    RequestFilter,
    RequestOut,
    WithdrawBody,
    decided,
)
from entries.models import Request
from entries.models.request import RequestQuerySet
from entries.queries.requests import requests_in_full
from entries.queries.visible import visible_requests
from entries.services.approvals import approve_request, reject_request, waitlist_request
from entries.services.buy_backs import ask_to_buy_back
from entries.services.decisions import Decision, approve_requests, reject_requests
from entries.services.requests import ask_to_join, withdraw_request


class PoolRequestsView(ApiView):
    """Asking to join a pool."""

    family = "requests"
    limits = (JOIN,)

    @operation(
        body=None,
        answer=RequestOut,
        status=201, is_located=True,
        errors=(
            Code.EMAIL_NOT_VERIFIED, Code.NOT_ELIGIBLE, Code.EXCLUDED, Code.POOL_CLOSED, Code.REQUEST_LIMIT_REACHED,
            Code.SPENDING_LIMIT_REACHED,
        ),
        summary="Ask for a place",
    )  # fmt: skip
    def post(self, request: Call, pool_id: str) -> Response:
        """Ask for one place in the pool.

        The request gets the caller's next free number and waits for staff. A full pool takes requests, too: they can
        be put on its waiting list.
        """
        made = ask_to_join(pool_id=int(pool_id), user=caller(request), now=database_now())
        return shown(made, status=201, headers={"Location": f"/api/v1/requests/{made.pk}"})


class BuyBackView(ApiView):
    """The way back in for an entry that fell."""

    family = "requests"
    limits = (JOIN,)

    @operation(
        body=None,
        answer=RequestOut,
        status=201, is_located=True,
        errors=(
            Code.NOT_ELIGIBLE, Code.EXCLUDED, Code.POOL_CLOSED, Code.BUY_BACK_NOT_ALLOWED, Code.DEADLINE_PASSED,
            Code.ROUND_NOT_OPEN, Code.SPENDING_LIMIT_REACHED,
        ),
        summary="Buy back in",
    )  # fmt: skip
    def post(self, request: Call, entry_id: str) -> Response:
        """Ask for the return of an entry of the caller's own that fell in a round up to `buy_back_until`.

        The rules decide, so the request is approved at once, with its fee and the lock by which it must be paid; while
        it waits for its payment, asking again gives the same one. Once paid, or at once where it costs nothing, the
        entry plays again from the round that it names. `details.because` of BUY_BACK_NOT_ALLOWED says what is in
        the way.
        """
        made = ask_to_buy_back(entry_id=int(entry_id), user=caller(request), now=database_now())
        return shown(made, status=201, headers={"Location": f"/api/v1/requests/{made.pk}"})


class RequestViewSet(ReadOnlyViewSet):
    """The caller's own requests; for staff, everybody's."""

    family = "requests"
    queryset = Request.objects.all()
    serializer_class = RequestOut
    pagination_class = KeysetPagination

    def get_queryset(self) -> RequestQuerySet:
        """A stranger's request is not there."""
        return requests_in_full(visible_requests(caller(self.request)))

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered; most of its filters have the names of the fields."""
        if self.action != "list":
            return queryset
        return queryset.filter(**lookups(self.valid_query(), competition="pool__competition__code"))

    @operation(query=RequestFilter, summary="List requests")
    def list(self, request: Call) -> Response:
        """The caller's requests, newest first; for staff, everybody's."""
        return super().list(request)

    @operation(summary="Show a request")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One request."""
        return super().retrieve(request, pk)

    @action(detail=True, methods=["post"])
    @operation(
        body=WithdrawBody, answer=RequestOut, errors=(Code.INVALID_TRANSITION, Code.ALREADY_PAID),
        limits=(JOIN,), summary="Withdraw a request",
    )  # fmt: skip
    def withdraw(self, request: Call, pk: str) -> Response:
        """Give up a request that is not paid for; its number and place become free.

        Moderators may withdraw for a player, with a reason. That is how a mistaken approval is taken back.
        """
        row: Request = self.get_object()
        if row.user_id != caller(request).pk and not IsModerator().has_permission(request, self):
            raise Forbidden(Code.FORBIDDEN, "Only the player or a moderator can withdraw a request.")
        reason = self.valid_body().get("reason", "")
        return shown(withdraw_request(request=row, by=caller(request), now=database_now(), reason=reason))

    @action(detail=True, methods=["post"], permission_classes=[IsModerator])
    @operation(
        body=None, answer=RequestOut, limits=(STAFF,), summary="Approve a request", scope="requests:decide",
        errors=(Code.INVALID_TRANSITION, Code.POOL_FULL, Code.POOL_CLOSED, Code.NOT_ELIGIBLE, Code.EXCLUDED),
    )  # fmt: skip
    def approve(self, request: Call, pk: str) -> Response:
        """Hold a place and start the player's time to pay; in a free pool the entry is made at once.

        For moderators, who cannot approve requests of their own.
        """
        return shown(approve_request(request=self.get_object(), by=caller(request), now=database_now()))

    @action(detail=True, methods=["post"], permission_classes=[IsModerator])
    @operation(
        body=RejectBody, answer=RequestOut, limits=(STAFF,), summary="Reject a request", scope="requests:decide",
        errors=(Code.INVALID_TRANSITION,),
    )  # fmt: skip
    def reject(self, request: Call, pk: str) -> Response:
        """Turn a pending request down, with a reason that the player sees. For moderators."""
        reason = self.valid_body()["reason"]
        row = reject_request(request=self.get_object(), by=caller(request), now=database_now(), reason=reason)
        return shown(row)

    @action(detail=False, methods=["post"], url_path="approve", permission_classes=[IsModerator], pagination_class=None)
    @operation(
        body=ApproveManyBody, answer=DecisionOut(many=True), status=200, limits=(STAFF,), scope="requests:decide",
        summary="Approve several requests", name="approveRequests",
    )  # fmt: skip
    def approve_many(self, request: Call) -> Response:
        """Up to 100, each as by itself, with one answer each, in the order asked, in which places are given too.

        One that is refused stops none of the others. For moderators; requests of their own are refused with FORBIDDEN.
        """
        asked = self.valid_body()["requests"]
        return all_shown(approve_requests(request_ids=asked, by=caller(request), now=database_now()))

    @action(detail=False, methods=["post"], url_path="reject", permission_classes=[IsModerator], pagination_class=None)
    @operation(
        body=RejectManyBody, answer=DecisionOut(many=True), status=200, limits=(STAFF,), scope="requests:decide",
        summary="Reject several requests", name="rejectRequests",
    )  # fmt: skip
    def reject_many(self, request: Call) -> Response:
        """Up to 100, for one reason that all their players see, with one answer each, in the order asked."""
        body = self.valid_body()
        decisions = reject_requests(
            request_ids=body["requests"], by=caller(request), now=database_now(), reason=body["reason"]
        )
        return all_shown(decisions)

    @action(detail=True, methods=["post"], permission_classes=[IsModerator])
    @operation(
        body=None, answer=RequestOut, limits=(STAFF,), scope="requests:decide",
        summary="Put a request on the waiting list",
        errors=(Code.INVALID_TRANSITION, Code.POOL_CLOSED, Code.NOT_ELIGIBLE, Code.EXCLUDED),
    )  # fmt: skip
    def waitlist(self, request: Call, pk: str) -> Response:
        """Let a pending request of a full pool wait: the first in line is approved when a place falls free.

        For moderators.
        """
        return shown(waitlist_request(request=self.get_object(), by=caller(request), now=database_now()))


def shown(request: Request, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The request as it stands now, read again with its entry and its place in line."""
    return Response(RequestOut(requests_in_full().get(pk=request.pk)).data, status=status, headers=headers)


def all_shown(decisions: list[Decision]) -> Response:
    """What became of each, with the requests as they stand now, read again all at once."""
    found = requests_in_full(Request.objects.filter(pk__in=[one.request_id for one in decisions])).in_bulk()
    out = [decided(one, found.get(one.request_id)) for one in decisions]
    return Response(DecisionOut(out, many=True).data)
