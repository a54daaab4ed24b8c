"""Pools: public to read, made and ended by moderators. Drafts exist for staff alone."""

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from accounts.models import User
from config.api.editing import seen_by, versioned
from config.api.filters import lookups
from config.api.operations import operation
from config.api.pagination import KeysetPagination, PagePagination
from config.api.permissions import Public
from config.api.ratelimit import STAFF
from config.api.views import ApiViewSet
from config.clock import database_now
from config.errors import Code, invalid
from config.pages.views import kept_answer
from pools.api.serializers import CancelBody, PoolBody, PoolOut, PoolRoundOut, PoolsQuery
from pools.models import Competition, Pool
from pools.queries import pool_cards, pools_with_facts, round_cards, rounds_in_full, rounds_of
from pools.queries.visible import visible_pools
from pools.services.pools import cancel_pool, create_pool, publish_pool
from pools.services.unchanged import edited_rows


class PoolViewSet(ApiViewSet):
    """Contests on competitions."""

    family = "pools"
    serializer_class = PoolOut
    pagination_class = KeysetPagination

    def get_permissions(self) -> list[BasePermission]:
        staff_alone = ("create", "publish", "cancel")
        return [IsModerator() if getattr(self, "action", None) in staff_alone else Public()]

    def get_queryset(self) -> QuerySet[Pool]:
        """Drafts are not there for players."""
        return visible_pools(self.request.user)

    @operation(query=PoolsQuery, answer=PoolOut(many=True), summary="List pools")
    def list(self, request: Request) -> Response:
        """Pools, the newest first, by status, competition or a part of the name."""
        asked = self.valid_query()
        wanted = lookups(asked, competition="competition__code", search="name__icontains")
        pools = self.get_queryset().filter(**wanted)
        page = self.paginate_queryset(pools_with_facts(pools, database_now()))
        return self.get_paginated_response(PoolOut(pool_cards(page or []), many=True).data)

    @operation(answer=PoolOut, summary="Show a pool")
    def retrieve(self, request: Request, pk: str) -> Response:
        """One pool with its rules and numbers. For staff, `ETag` begins with the version that `If-Match` compares."""
        return self._kept() or self._answer(int(pk))

    @operation(body=PoolBody, answer=PoolOut, status=201, limits=(STAFF,), summary="Make a draft pool")
    def create(self, request: Request) -> Response:
        """Make a pool that players do not see yet.

        Rules that contradict each other are refused under `rules.<key>`, with the reason.
        """
        body = self.valid_body()
        competition = Competition.objects.filter(code=body.pop("competition")).first()
        if competition is None:
            raise invalid("competition", "There is no such competition.")
        rules = body.pop("rules", {})
        pool = create_pool(competition=competition, created_by=caller(request), rules=rules, **body)
        return self._answer(pool.pk, status=201)

    @action(detail=True, methods=["post"])
    @operation(
        body=None,
        answer=PoolOut,
        status=200,
        errors=(Code.INVALID_TRANSITION, Code.POOL_CLOSED),
        limits=(STAFF,),
        if_match=True,
        summary="Open a draft pool to players",
    )
    def publish(self, request: Request, pk: str) -> Response:
        """Open a draft. Refused when its first round has locked: nobody could join."""
        seen = seen_by(request)
        pool = publish_pool(pool=self.get_object(), by=caller(request), now=database_now(), seen=seen)
        return self._answer(pool.pk)

    @action(detail=True, methods=["post"])
    @operation(
        body=CancelBody,
        answer=PoolOut,
        status=200,
        errors=(Code.INVALID_TRANSITION,),
        limits=(STAFF,),
        if_match=True,
        summary="Cancel a pool that nobody has paid for",
        fresh=True,
    )
    def cancel(self, request: Request, pk: str) -> Response:
        """End a pool, and with it every request that waits. Refused while it has entries, and once it has ended."""
        reason, seen = self.valid_body()["reason"], seen_by(request)
        return self._answer(cancel_pool(pool=self.get_object(), by=caller(request), reason=reason, seen=seen).pk)

    @action(detail=True, pagination_class=PagePagination)
    @operation(answer=PoolRoundOut(many=True), summary="List the rounds of a pool")
    def rounds(self, request: Request, pk: str) -> Response:
        """The rounds that the pool plays, with its numbers once they have locked."""
        if (kept := self._kept()) is not None:
            return kept
        pool, now = self.get_object(), database_now()
        page = self.paginate_queryset(rounds_in_full(rounds_of(pool), now, pool=pool)) or []
        return self.get_paginated_response(PoolRoundOut(round_cards(pool, page, now), many=True).data)

    @action(detail=True, url_path="rounds/(?P<number>[0-9]{1,4})", url_name="round")
    @operation(answer=PoolRoundOut, summary="Show a round of a pool")
    def round(self, request: Request, pk: str, number: str) -> Response:
        """One round of the pool."""
        if (kept := self._kept()) is not None:
            return kept
        pool, now = self.get_object(), database_now()
        found = get_object_or_404(rounds_in_full(rounds_of(pool), now, pool=pool), number=int(number))
        return Response(PoolRoundOut(round_cards(pool, [found], now)[0]).data)

    def _kept(self) -> Response | None:
        """What everybody sees; staff see drafts and versions besides."""
        user = self.request.user
        return None if isinstance(user, User) and user.is_back_office else kept_answer(self)

    def _answer(self, pool_id: int, *, status: int = 200) -> Response:
        pool = get_object_or_404(pools_with_facts(self.get_queryset(), database_now()), pk=pool_id)
        answer = Response(PoolOut(pool_cards([pool])[0]).data, status=status)
        user = self.request.user
        # Players edit nothing: their page need not know.
        return versioned(answer, *edited_rows(pool)) if isinstance(user, User) and user.is_back_office else answer
