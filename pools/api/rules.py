"""The rules of a pool in all their versions: public to read; a draft's are revised by moderators."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsModerator
from config.api.editing import seen_by, versioned
from config.api.operations import operation
from config.api.permissions import Public
from config.api.ratelimit import STAFF
from config.api.views import ApiViewSet
from config.errors import Code
from pools.api.pool_scope import visible_pool
from pools.api.rule_serializers import RevisionBody, VersionOut
from pools.services.rules import revise_rules, versions_of
from pools.services.unchanged import edited_rows


class RulesViewSet(ApiViewSet):
    """The versions of one pool's rules."""

    family = "pools"
    serializer_class = VersionOut

    def get_permissions(self) -> list[BasePermission]:
        return [IsModerator() if getattr(self, "action", None) == "create" else Public()]

    @operation(answer=VersionOut(many=True), summary="List the versions of a pool's rules")
    def list(self, request: Request, pool_id: str) -> Response:
        """The first one first, each in words, with the first round that it governs and what it changed."""
        page = self.paginate_queryset(versions_of(visible_pool(request, pool_id)))
        return self.get_paginated_response(VersionOut(page or [], many=True).data)

    @operation(
        name="updatePoolRules",
        body=RevisionBody,
        answer=VersionOut,
        status=200,
        errors=(Code.INVALID_TRANSITION,),
        limits=(STAFF,),
        if_match=True,
        summary="Revise the rules of a draft pool",
    )
    def create(self, request: Request, pool_id: str) -> Response:
        """Change some switches of a draft. Refused once the pool is open: then its rules are amended.

        The same again makes no new version; contradictions are refused under `rules.<key>`. `If-Match` takes the `ETag`
        of the pool.
        """
        pool = visible_pool(request, pool_id)
        revise_rules(pool=pool, changes=self.valid_body(), by=caller(request), seen=seen_by(request))
        return versioned(Response(VersionOut(versions_of(pool)[-1]).data), *edited_rows(pool))
