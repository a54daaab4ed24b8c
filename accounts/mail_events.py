"""Where a provider of mail posts its news. Which provider that is, `EMAIL_URL` says; there is one or none.

The adapters, and how each proves that news are its own (a signature, or a password that was agreed upon), are
django-anymail's. Without `EMAIL_WEBHOOK_SECRET` nothing is listened to.
"""

from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

VIEWS = {
    "postmark": ("anymail.webhooks.postmark", "PostmarkTrackingWebhookView"),
    "mailgun": ("anymail.webhooks.mailgun", "MailgunTrackingWebhookView"),
    "ses": ("anymail.webhooks.amazon_ses", "AmazonSESTrackingWebhookView"),
}


@csrf_exempt
def mail_events(request: HttpRequest) -> HttpResponseBase:
    """Take the news. 404 where no provider is named, 400 for what is not proved to be its own."""
    if settings.MAIL_PROVIDER not in VIEWS or not settings.EMAIL_WEBHOOK_SECRET:
        raise Http404
    module, name = VIEWS[settings.MAIL_PROVIDER]
    view: Any = getattr(import_module(module), name)
    try:
        answer: HttpResponseBase = view.as_view()(request)
    except AnymailError as fault:
        raise SuspiciousOperation("not the provider's") from fault
    return answer
