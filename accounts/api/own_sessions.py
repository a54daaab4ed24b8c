"""Where the caller is signed in."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller, session_of
from accounts.models import Session
from accounts.services.sessions import end_other_sessions, end_own_session
from config.api.operations import operation
from config.api.views import ApiViewSet


class SessionOut(serializers.ModelSerializer[Session]):
    """One sign-in."""

    is_current = serializers.SerializerMethodField(help_text="Whether this call belongs to it.")

    class Meta:
        model = Session
        fields = ("id", "created_at", "refreshed_at", "address", "user_agent", "is_current")
        read_only_fields = fields

    def get_is_current(self, session: Session) -> bool:
        """Told by the view."""
        return bool(session.pk == self.context["view"].own_id())


class OwnSessionsViewSet(ListModelMixin, ApiViewSet):
    """Live sessions of the caller, the one used last first."""

    serializer_class = SessionOut
    queryset = Session.objects.none()

    def get_queryset(self) -> QuerySet[Session]:
        """Their own alone."""
        return Session.objects.live().filter(user=caller(self.request)).order_by("-refreshed_at", "pk")

    def own_id(self) -> UUID:
        """The session of this very call."""
        return session_of(self.request)

    @operation(summary="List the own sessions")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Where somebody is signed in, since when and from which address."""
        return super().list(request, *args, **kwargs)

    @operation(body=None, answer=None, summary="End one of the own sessions")
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Sign a device out, at once; also the one that calls."""
        end_own_session(user=caller(request), session_id=pk)
        return Response(status=204)

    @operation(name="deleteMyOtherSessions", body=None, answer=None, summary="End all other own sessions")
    def destroy_others(self, request: Request) -> Response:
        """Sign every device out but the one that calls."""
        end_other_sessions(user=caller(request), but=session_of(request))
        return Response(status=204)
