"""Where the provider brings its news: proved, stored, answered; looked into by a worker afterwards."""

from django.core.exceptions import RequestDataTooBig
from rest_framework.request import Request as Call
from rest_framework.response import Response

from config import outbox
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.permissions import Public
from config.api.views import ApiView
from config.errors import Code
from payments.api.serializers import TakenOut
from payments.models import Provider
from payments.providers import provider_named
from payments.services.inbox import receive_notice

# Stripe's events are a few kilobytes.
LARGEST_BODY = 256 * 1024
PROCESS = "payments.tasks.process_webhook"


class StripeWebhookView(ApiView):
    """Signed by Stripe, so open to everybody; its answer says only that the news was stored."""

    authentication_classes = ()
    permission_classes = [Public]
    # Stripe repeats what it could not deliver: refusing it for coming often would only bring more of it.
    limits = ()

    @operation(
        body=None,
        answer=TakenOut,
        status=200,
        errors=(Code.SIGNATURE_INVALID,),
        idempotency=Mode.OFF,
        summary="Take Stripe's webhook",
    )
    def post(self, request: Call) -> Response:
        """Store an event for looking into. The signature is that of the raw bytes, and not older than five minutes.

        Sending an event again changes nothing. Nothing in it is acted on: what is true is asked for.
        """
        body: bytes = request._request.body
        if len(body) > LARGEST_BODY:
            raise RequestDataTooBig
        provider = provider_named(Provider.STRIPE)
        notice = provider.read_notice(body, request.headers.get("Stripe-Signature", ""))
        event_id = receive_notice(notice=notice, provider=provider.name)
        # Only after the row is there, and without waiting for the broker.
        outbox.hurry(PROCESS, event_id)
        return Response({"received": True})
