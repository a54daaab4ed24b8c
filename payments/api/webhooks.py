"""Where providers bring their news: proved, stored, answered; looked into by a worker afterwards."""

from django.core.exceptions import RequestDataTooBig
from rest_framework.request import Request as Call
from rest_framework.response import Response

from config import outbox
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.permissions import Public
from config.api.views import ApiView
from config.errors import Code, NotFound
from payments.api.serializers import TakenOut
from payments.providers import provider_named
from payments.providers.faults import SignatureInvalid
from payments.providers.port import PaymentProvider
from payments.services.inbox import note_refusal, receive_notice

# Events are a few kilobytes.
LARGEST_BODY = 256 * 1024
PROCESS = "payments.tasks.process_webhook"


class WebhookView(ApiView):
    """Signed by the provider, so open to everybody; its answer says only that the news was stored."""

    authentication_classes = ()
    permission_classes = [Public]
    # A provider repeats what it could not deliver: refusing it for coming often would only bring more of it.
    limits = ()

    @operation(
        body=None,
        answer=TakenOut,
        status=200,
        errors=(Code.SIGNATURE_INVALID, Code.NOT_FOUND),
        idempotency=Mode.OFF,
        summary="Take a provider's webhook",
    )
    def post(self, request: Call, provider: str) -> Response:
        """Store an event for looking into. The signature is that of the raw bytes, and not older than five minutes.

        Sending an event again changes nothing. Nothing in it is acted on: what is true is asked for. INTERNAL_ERROR
        means that it was not stored, and has to be sent again.
        """
        adapter = _bringer_of_news(provider)
        body: bytes = request._request.body
        if len(body) > LARGEST_BODY:
            raise RequestDataTooBig
        try:
            notice = adapter.read_notice(body, request.headers.get(adapter.signature_header, ""))
        except SignatureInvalid:
            note_refusal(provider=adapter.name, body=body)
            raise
        event_id = receive_notice(notice=notice, provider=adapter.name)
        # Only after the row is there, and without waiting for the broker.
        outbox.hurry(PROCESS, event_id)
        return Response({"received": True})


def _bringer_of_news(name: str) -> PaymentProvider:
    """The provider's adapter. Refuses (NOT_FOUND) a name that nobody answers to, and one that brings no news."""
    try:
        adapter = provider_named(name)
    except LookupError:
        adapter = None
    if adapter is None or not adapter.signature_header:
        raise NotFound(Code.NOT_FOUND, "No provider brings news to this address.")
    return adapter
