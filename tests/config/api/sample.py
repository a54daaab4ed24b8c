"""A small API that exists only in tests: one view for each way a call can end."""

import os
import signal
import time
from datetime import date

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import connection, transaction
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import include, path
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import User
from config import urls
from config.api.deprecation import Deprecation, ending
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.permissions import Public, requires
from config.api.ratelimit import By, Policy
from config.api.views import ApiView, ApiViewSet, ReadOnlyViewSet
from config.errors import (
    Code,
    Conflict,
    Forbidden,
    InvalidTransition,
    Malformed,
    NotFound,
    ProviderFailed,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from config.models import OutboxMessage

RAISED = {
    "malformed": Malformed(Code.VALIDATION_ERROR, "Bad.", {"team": ["Bad."]}),
    "unauthenticated": Unauthenticated(Code.INVALID_CREDENTIALS, "Wrong."),
    "forbidden": Forbidden(Code.NOT_ELIGIBLE, "Not you."),
    "missing": NotFound(Code.NOT_FOUND, "Not there."),
    "conflict": Conflict(Code.POOL_FULL, "Full.", {"capacity": 1}),
    "transition": InvalidTransition("request", "rejected", "approved"),
    "refused": Refused(Code.DEADLINE_PASSED, "Too late."),
    "too_many": TooMany(Code.RATE_LIMITED, "Slow down.", {"retry_after": 7}),
    "provider": ProviderFailed(Code.PROVIDER_ERROR, "They failed."),
    "unavailable": Unavailable(Code.SERVICE_UNAVAILABLE, "Later."),
    "http404": Http404(),
    "object_missing": User.DoesNotExist(),
    "denied": PermissionDenied(),
    "suspicious": SuspiciousOperation(),
    "model_invalid": ModelValidationError({"name": ["Too short."]}),
    "model_constraint": ModelValidationError("Full.", code=Code.POOL_FULL),
    "crash": RuntimeError("the word is swordfish"),
}
EVERY_CODE = tuple(Code)
TIGHT = Policy("tight", 2, 60, By.USER)
GUARDED = Policy("guarded", 2, 60, By.TARGET_FROM_ADDRESS, "email", survives_redis=True)


class Raising(ApiView):
    """Raises what it is asked to, whatever else stands in the address."""

    permission_classes = [Public]
    ignores_unknown = True
    errors = EVERY_CODE

    @operation(answer=None)
    def get(self, request, what):
        raise RAISED[what]


class Sql(ApiView):
    """Runs a statement that PostgreSQL refuses."""

    permission_classes = [Public]
    errors = EVERY_CODE

    @operation(body=None, answer=None)
    def post(self, request):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(request.data["sql"])
        return Response({})


class EchoBody(serializers.Serializer):
    text = serializers.CharField(max_length=20)
    number = serializers.IntegerField(min_value=1, required=False)


class WhoOut(serializers.Serializer):
    user = serializers.IntegerField()


class Nested(serializers.Serializer):
    picks = EchoBody(many=True)


class Echo(ApiView):
    """Validates and gives back."""

    permission_classes = [Public]

    @operation(answer=EchoBody)
    def get(self, request):
        return Response({"text": "hello"})

    @operation(body=EchoBody, answer=EchoBody, status=201, summary="Say it again")
    def post(self, request):
        return Response(self.valid_body(), status=201)

    @operation(body=Nested, answer=EchoBody)
    def put(self, request):
        return Response(self.valid_body())

    @operation(answer=None)
    def delete(self, request):
        return Response(status=204)


class RulesLike(serializers.Serializer):
    version = serializers.IntegerField()
    text = serializers.ListField(child=serializers.CharField())


class CardLike(serializers.Serializer):
    id = serializers.IntegerField()
    name = ending(serializers.CharField(), Deprecation(date(2027, 3, 1), date(2028, 3, 1)))
    rules = RulesLike(allow_null=True)
    rounds = RulesLike(many=True)


class Card(ApiView):
    """An object with objects in it."""

    permission_classes = [Public]

    @operation(answer=CardLike)
    def get(self, request):
        rounds = [{"version": 1, "text": ["a"]}, {"version": 2, "text": []}]
        return Response({"id": 7, "name": "Card", "rules": {"version": 3, "text": ["x"]}, "rounds": rounds})


class Big(ApiView):
    """Long enough to be compressed, and going to end."""

    permission_classes = [Public]
    going = Deprecation(date(2027, 3, 1), date(2028, 3, 1), successor="/api/v2/big")

    @operation(answer=EchoBody, sparse=False, deprecated=going)
    def get(self, request):
        return Response({"text": "hello " * 1000})

    @operation(body=None, answer=EchoBody, status=200)
    def post(self, request):
        return Response({"text": "hello " * 1000})


class BigSecret(Big):
    tells_secrets = True


class BigFile(ApiView):
    permission_classes = [Public]

    @operation(answer=None, media_types={"text/csv": str})
    def get(self, request):
        return StreamingHttpResponse([b"a,b" * 1000], content_type="text/csv")


class Private(ApiView):
    @operation(answer=WhoOut)
    def get(self, request):
        return Response({"user": request.user.pk})


class Staff(ApiView):
    permission_classes = [requires("config.change_outboxmessage")]

    @operation(answer=None, status=200)
    def get(self, request):
        return Response({})


class Undeclared(ApiView):
    permission_classes = [Public]

    @operation(answer=None, errors=(Code.POOL_FULL,))
    def get(self, request):
        raise Conflict(Code.ALREADY_PAID, "Paid.")


class Limited(ApiView):
    limits = (TIGHT,)

    @operation(answer=None, status=200)
    def get(self, request):
        return Response({})


class SignInLike(ApiView):
    permission_classes = [Public]
    authentication_classes = ()
    limits = (GUARDED,)

    @operation(body=EchoBody, answer=None, status=200)
    def post(self, request):
        return Response({})


class MessageOut(serializers.ModelSerializer):
    class Meta:
        model = OutboxMessage
        fields = ["id", "kind", "key", "created_at"]


class ByTime(KeysetPagination):
    ordering = ("-created_at", "id")


class KindFilter(serializers.Serializer):
    kind = serializers.CharField(required=False)


class Messages(ReadOnlyViewSet):
    """A list and its items."""

    permission_classes = [Public]
    serializer_class = MessageOut
    queryset = OutboxMessage.objects.order_by("id")

    def get_queryset(self):
        kind = self.request.query_params.get("kind")
        return self.queryset.filter(kind=kind) if kind else self.queryset.all()

    @operation(query=KindFilter, answer=MessageOut(many=True))
    def list(self, request):
        return super().list(request)


class MessagesByTime(Messages):
    pagination_class = ByTime


class NewestMessages(Messages):
    pagination_class = KeysetPagination


class Works(ApiViewSet):
    """POSTs with an effect that can be counted: a message in the outbox."""

    serializer_class = MessageOut
    queryset = OutboxMessage.objects.all()

    @operation(body=EchoBody, answer=MessageOut, status=201, errors=(Code.POOL_FULL,))
    def create(self, request):
        text = self.valid_body()["text"]
        message = self._effect(text)
        if text == "full":
            raise Conflict(Code.POOL_FULL, "Full.")
        if text == "crash":
            raise RuntimeError("in the middle")
        if text == "die" and "SAMPLE_DIES" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "busy":
            raise Unavailable(Code.SERVICE_UNAVAILABLE, "Later.")
        if text == "denied":
            raise Forbidden(Code.FORBIDDEN, "Not you.")
        return Response(MessageOut(message).data, status=201, headers={"Location": f"/works/{message.pk}"})

    @action(detail=True, methods=["post"])
    @operation(
        body=EchoBody,
        answer=MessageOut,
        errors=(Code.PROVIDER_ERROR,),
        key_required=True,
        moves_money=True,
        idempotency=Mode.TWO_PHASE,
    )
    def pay(self, request, pk):
        with transaction.atomic():
            message = self._effect(request.data["text"])
        text = request.data["text"]
        if text == "provider":
            raise ProviderFailed(Code.PROVIDER_ERROR, "They failed.")
        if text == "crash":
            raise RuntimeError("in the middle")
        if text == "die" and "SAMPLE_DIES" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        if text == "slow":
            time.sleep(0.5)
        return Response(MessageOut(message).data)

    @action(detail=False, methods=["post"])
    @operation(body=EchoBody, answer=None, idempotency=Mode.OFF)
    def secret(self, request):
        self._effect(request.data["text"])
        return Response(status=204)

    def _effect(self, text):
        count = OutboxMessage.objects.count()
        return OutboxMessage.objects.create(kind="work", key=f"{text} {count}")


class Throttled(SimpleRateThrottle):
    rate = "1/min"

    def get_cache_key(self, request, view):
        return "sample"


def plain_crash(request):
    raise RuntimeError("the word is swordfish")


def plain_text(request):
    return HttpResponse("hello")


def plain_json(request):
    return JsonResponse({"hello": "world"})


router = SimpleRouter(trailing_slash=False)
router.register("messages", Messages)
router.register("messages-by-time", MessagesByTime, basename="by-time")
router.register("newest-messages", NewestMessages, basename="newest")
router.register("works", Works, basename="work")

handler400 = urls.handler400
urlpatterns = [
    path(
        "api/v1/sample/",
        include(
            [
                path("raise/<slug:what>", Raising.as_view()),
                path("sql", Sql.as_view()),
                path("echo", Echo.as_view()),
                path("card", Card.as_view()),
                path("big", Big.as_view()),
                path("big-secret", BigSecret.as_view()),
                path("big-file", BigFile.as_view()),
                path("private", Private.as_view()),
                path("staff", Staff.as_view()),
                path("undeclared", Undeclared.as_view()),
                path("limited", Limited.as_view()),
                path("sign-in", SignInLike.as_view()),
                path("plain-crash", plain_crash),
                path("plain-json", plain_json),
                path("", include(router.urls)),
            ]
        ),
    ),
    path("plain-crash", plain_crash),
    path("admin/crash", plain_crash),
    *urls.urlpatterns,
]
