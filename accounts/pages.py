"""Where the links in our mails lead: small pages that hand the token to the API once a person presses the button.

Opening a page changes nothing, because mail scanners open every link before its reader does. The token stays in the
page: it is sent to nobody but the API, in a body.
"""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.generic import TemplateView


class LinkPage(TemplateView):
    """A page for one purpose; everything it says and asks for is in its template."""

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Kept by no cache, named to no other site."""
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        return response


verify_email = LinkPage.as_view(template_name="accounts/verify_email.html")
reset_password = LinkPage.as_view(template_name="accounts/reset_password.html")
confirm_email = LinkPage.as_view(template_name="accounts/confirm_email.html")
undo_email = LinkPage.as_view(template_name="accounts/undo_email.html")
