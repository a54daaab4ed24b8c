"""Where the links in our mails lead: small pages that hand the token to the API once a person presses the button.

Opening a page changes nothing, because mail scanners open every link before its reader does. The token stays in the
page: it is sent to nobody but the API, in a body.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView

from accounts.services.letters.unsubscribing import unsubscribe as turn_off
from config.errors import DomainError


class LinkPage(TemplateView):
    """A page for one purpose; everything it says and asks for is in its template."""

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Kept by no cache, named to no other site."""
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response


@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribePage(LinkPage):
    """Turns off the letters that its link is of. Mail programs post to it themselves (RFC 8058); people press a button.

    Neither has a session here: the signed token in the address is all there is, and all it can do.
    """

    http_method_names = ["get", "head", "post"]
    template_name = "accounts/unsubscribe.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turn it off; 400 for a link that is not ours."""
        try:
            stopped = turn_off(token=request.GET.get("token", ""))
        except DomainError as refusal:
            return self.render_to_response({"fault": refusal.sentence}, status=400)
        return self.render_to_response({"stopped": stopped})


verify_email = LinkPage.as_view(template_name="accounts/verify_email.html")
reset_password = LinkPage.as_view(template_name="accounts/reset_password.html")
confirm_email = LinkPage.as_view(template_name="accounts/confirm_email.html")
undo_email = LinkPage.as_view(template_name="accounts/undo_email.html")
unsubscribe = UnsubscribePage.as_view()
