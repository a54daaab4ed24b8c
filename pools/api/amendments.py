"""Amendments: proposed by one moderator, confirmed or withdrawn by another; players read those that were confirmed."""

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from config.api.editing import seen_by
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ApiViewSet
from config.errors import Code
from pools.api.pool_scope import visible_pool
from pools.api.rule_serializers import AmendmentBody, AmendmentOut
from pools.models import Amendment, AmendmentStatus
from pools.queries import audience
from pools.services.rules import confirm_amendment, propose_amendment, withdraw_amendment

REFUSALS = (Code.INVALID_TRANSITION, Code.POOL_CLOSED, Code.DEADLINE_PASSED)


class PoolAmendmentsViewSet(ApiViewSet):
    """The amendments of one pool."""

    family = "pools"
    serializer_class = AmendmentOut
    pagination_class = KeysetPagination

    def get_permissions(self) -> list[BasePermission]:
        return [IsModerator() if getattr(self, "action", None) == "create" else IsAuthenticated()]

    @operation(answer=AmendmentOut(many=True), summary="List the amendments of a pool")
    def list(self, request: Request, pool_id: str) -> Response:
        """Newest first: all of them for staff, the confirmed ones for the pool's players, nothing for others."""
        pool, user = visible_pool(request, pool_id), caller(request)
        found = Amendment.objects.filter(pool=pool).select_related("rules")
        if not user.is_back_office:
            if not audience.is_player(pool.pk, user.pk):
                raise Http404
            found = found.filter(status=AmendmentStatus.CONFIRMED)
        page = self.paginate_queryset(found) or []
        context = {"for_staff": user.is_back_office}
        return self.get_paginated_response(AmendmentOut(page, many=True, context=context).data)

    @operation(
        body=AmendmentBody,
        answer=AmendmentOut,
        status=201,
        errors=REFUSALS,
        limits=(STAFF,),
        if_match=True,
        summary="Propose an amendment of a pool's rules",
        scope=None,
    )
    def create(self, request: Request, pool_id: str) -> Response:
        """Nothing changes until another moderator confirms.

        Refused for drafts and ended pools, and while another amendment of the pool waits. What contradicts, and what
        would act on rounds that have locked, is refused under `rules.<key>`. `If-Match` takes the `ETag` of the pool.
        """
        body = self.valid_body()
        made = propose_amendment(pool=visible_pool(request, pool_id), by=caller(request), seen=seen_by(request), **body)
        return Response(AmendmentOut(made, context={"for_staff": True}).data, status=201)


class AmendmentViewSet(ApiViewSet):
    """Deciding about an amendment."""

    family = "pools"
    serializer_class = AmendmentOut
    permission_classes = [IsModerator]

    def get_queryset(self) -> QuerySet[Amendment]:
        return Amendment.objects.all()

    @action(detail=True, methods=["post"])
    @operation(
        body=None,
        answer=AmendmentOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Confirm an amendment",
        fresh=True,
    )
    def confirm(self, request: Request, pk: str) -> Response:
        """Make it the rules of the rounds that have not locked, and tell every player. Never by who proposed it."""
        decided = confirm_amendment(amendment=self.get_object(), by=caller(request))
        return Response(AmendmentOut(decided, context={"for_staff": True}).data)

    @action(detail=True, methods=["post"])
    @operation(
        body=None,
        answer=AmendmentOut,
        status=200,
        errors=(Code.INVALID_TRANSITION,),
        limits=(STAFF,),
        summary="Withdraw an amendment",
        scope=None,
    )
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take a proposal back."""
        decided = withdraw_amendment(amendment=self.get_object(), by=caller(request))
        return Response(AmendmentOut(decided, context={"for_staff": True}).data)
