"""Webhook endpoints: everybody's own, with the log of what was sent to them."""

from typing import Any

from django.db.models import F, Prefetch, QuerySet, Window
from django.db.models.functions import RowNumber
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.webhook_serializers import (
    ChangedWebhookEndpointBody,
    DeliveryFilter,
    NewWebhookEndpointBody,
    ReplayBody,
    ReplayedOut,
    WebhookDeliveryOut,
    WebhookEndpointOut,
    WebhookEndpointWithSecretOut,
)
from accounts.models.webhook_types import DeliveryStatus
from accounts.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.services.webhooks.endpoints import (
    change_endpoint,
    make_endpoint,
    own_endpoint,
    remove_endpoint,
    rotate_secret,
    send_test,
)
from accounts.services.webhooks.replaying import replay, replay_since
from config.api.editing import seen_by, versioned
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import By, Policy
from config.api.views import ApiViewSet
from config.clock import database_now
from config.errors import Code

MAKE = Policy("make_webhook_endpoint", 30, 60 * 60, By.USER, survives_redis=True)
# Each sends something to somebody else's server.
SEND = Policy("send_webhooks", 60, 60 * 60, By.USER, survives_redis=True)
# More than all retries of an event; replays add to them.
ATTEMPTS_SHOWN = 20


class WebhookEndpointsViewSet(ListModelMixin, ApiViewSet):
    """The caller's own endpoints, the newest first."""

    family = "webhooks"
    serializer_class = WebhookEndpointOut
    queryset = WebhookEndpoint.objects.none()

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        """Those that were not removed."""
        own = WebhookEndpoint.objects.standing().filter(user=caller(self.request))
        return own.select_related("health").order_by("-id")

    @operation(summary="List the own webhook endpoints")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Where events are sent, and how each fares."""
        return super().list(request, *args, **kwargs)

    @operation(
        errors=(Code.ENDPOINT_LIMIT_REACHED, Code.EMAIL_NOT_VERIFIED), body=NewWebhookEndpointBody,
        answer=WebhookEndpointWithSecretOut, status=201, limits=(MAKE,), idempotency=Mode.OFF, fresh=True, sparse=False,
        summary="Make a webhook endpoint",
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Have events sent to an address of yours. The answer holds the secret that they are signed with, this once.

        What is told, and how to verify it, says docs/webhooks-out.md. At most ten endpoints.
        """
        made = make_endpoint(user=caller(request), **self.valid_body())
        return Response(WebhookEndpointWithSecretOut(_in_full(made)).data, status=201)

    @operation(answer=WebhookEndpointOut, errors=(Code.NOT_FOUND,), summary="Show a webhook endpoint")
    def retrieve(self, request: Request, pk: str) -> Response:
        """One endpoint. Its `ETag` begins with the version that `If-Match` compares when it is changed."""
        return _shown(own_endpoint(user=caller(request), endpoint_id=int(pk)))

    @operation(
        body=ChangedWebhookEndpointBody, answer=WebhookEndpointOut, errors=(Code.NOT_FOUND,), limits=(MAKE,),
        fresh=True, if_match=True, summary="Change a webhook endpoint",
    )  # fmt: skip
    def partial_update(self, request: Request, pk: str) -> Response:
        """Set what is given. What waits goes to the address that then stands. `enabled` switches it off and on."""
        changed = change_endpoint(user=caller(request), endpoint_id=int(pk), seen=seen_by(request), **self.valid_body())
        return _shown(_in_full(changed))

    @operation(body=None, answer=None, errors=(Code.NOT_FOUND,), scope=None, summary="Remove a webhook endpoint")
    def destroy(self, request: Request, pk: str) -> Response:
        """Send nothing more there. Address and secret are forgotten at once."""
        remove_endpoint(user=caller(request), endpoint_id=int(pk))
        return Response(status=204)

    @operation(
        body=None, answer=WebhookEndpointWithSecretOut, errors=(Code.NOT_FOUND,), limits=(MAKE,), idempotency=Mode.OFF,
        fresh=True, sparse=False, summary="Give a webhook endpoint another secret",
    )  # fmt: skip
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Another secret, shown this once. For 24 hours everything is signed with the one before, too."""
        changed = rotate_secret(user=caller(request), endpoint_id=int(pk), now=database_now())
        return Response(WebhookEndpointWithSecretOut(_in_full(changed)).data)

    @operation(
        body=None, answer=WebhookDeliveryOut, status=201, errors=(Code.NOT_FOUND, Code.INVALID_TRANSITION),
        limits=(SEND,), summary="Try a webhook endpoint out",
    )  # fmt: skip
    def test(self, request: Request, pk: str) -> Response:
        """Send an event `webhook.test` there. What came of it stands in the list of deliveries a moment later."""
        delivery = send_test(user=caller(request), endpoint_id=int(pk))
        return Response(WebhookDeliveryOut(delivery).data, status=201)

    @operation(
        body=ReplayBody, answer=ReplayedOut, errors=(Code.NOT_FOUND, Code.INVALID_TRANSITION), limits=(SEND,),
        summary="Send events since an instant again",
    )  # fmt: skip
    def replay(self, request: Request, pk: str) -> Response:
        """The same events with the same ids: a receiver that knows them already answers 2xx and does nothing."""
        body = self.valid_body()
        count = replay_since(
            user=caller(request), endpoint_id=int(pk), since=body["since"], now=database_now(),
            statuses=body.get("status", [DeliveryStatus.FAILED]),
        )  # fmt: skip
        return Response({"replayed": count})


class WebhookDeliveriesViewSet(ApiViewSet):
    """The log of one endpoint, kept for 30 days."""

    family = "webhooks"
    serializer_class = WebhookDeliveryOut
    pagination_class = KeysetPagination
    queryset = WebhookDelivery.objects.none()
    has_path_parameters = True

    @operation(
        answer=WebhookDeliveryOut(many=True), query=DeliveryFilter, errors=(Code.NOT_FOUND,),
        summary="List what was sent to a webhook endpoint",
    )  # fmt: skip
    def list(self, request: Request, endpoint: str) -> Response:
        """Each event with every attempt: when, how long, what was answered, the beginning of the answer."""
        found = WebhookDelivery.objects.filter(endpoint=self._endpoint(request, endpoint), **self.valid_query())
        newest = Window(RowNumber(), partition_by=F("delivery_id"), order_by=F("id").desc())
        shown = WebhookAttempt.objects.annotate(nth=newest).filter(nth__lte=ATTEMPTS_SHOWN).order_by("-id")
        page = self.paginate_queryset(found.prefetch_related(Prefetch("attempts", shown)).order_by("-id"))
        return self.get_paginated_response(WebhookDeliveryOut(page, many=True).data)

    @operation(
        body=None, answer=WebhookDeliveryOut, errors=(Code.NOT_FOUND, Code.INVALID_TRANSITION), limits=(SEND,),
        summary="Send one event again",
    )  # fmt: skip
    def replay(self, request: Request, endpoint: str, pk: str) -> Response:
        """One delivery that has ended, once more, under the same id."""
        found = self._endpoint(request, endpoint)
        return Response(WebhookDeliveryOut(replay(delivery_id=int(pk), endpoint=found, by=caller(request))).data)

    def _endpoint(self, request: Request, endpoint: str) -> WebhookEndpoint:
        return own_endpoint(user=caller(request), endpoint_id=int(endpoint))


def _in_full(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_related("health").get(pk=endpoint.pk)


def _shown(endpoint: WebhookEndpoint) -> Response:
    return versioned(Response(WebhookEndpointOut(endpoint).data), endpoint)
