"""Staff sign in through the same limiter as the API, and on the same counter: two doors are not twice the tries."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from accounts.services import entrance
from accounts.services.passwords import change_password
from accounts.services.sessions import InvalidCredentials, Proven
from config.api import ratelimit
from config.api.addresses import client_address, network_of
from config.api.ratelimit import OWN_PASSWORD, SIGN_IN, SIGN_IN_ADDRESS
from config.errors import DomainError
from config.handbook import helped_by

# Django's form calls the passwords otherwise.
FIELDS = {"current_password": "old_password", "new_password": "new_password2"}


class StaffSignInForm(AuthenticationForm):  # type: ignore[misc]  # unfold ships no types
    """The password, the first step. Counts each try before it is looked at; only failures stay counted."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _("The e-mail address or the password is wrong, or not that of a staff account."),
    }
    proven: Proven

    def clean(self) -> dict[str, Any]:
        """Refuse once the limit is reached, also the right password."""
        given: dict[str, Any] = self.cleaned_data
        # As the form has read it: it takes letters of other widths for the plain ones, and each spelling of an address
        # would have five tries.
        email = given.get("username", "").strip().lower()
        network = network_of(client_address(self.request))
        try:
            ratelimit.enforce_on([(SIGN_IN, f"{email} {network}"), (SIGN_IN_ADDRESS, network)], self.request)
            self.proven = entrance.prove_password(self.request, email=email, password=given.get("password", ""))
        except InvalidCredentials as refusal:
            raise self.get_invalid_login_error() from refusal
        except DomainError as refusal:
            raise ValidationError(refusal.sentence) from refusal
        if not self.proven.user.is_staff:
            raise self.get_invalid_login_error()
        return given


class StaffPasswordChange(PasswordChangeView):
    """The admin's own page, through the service: it ends all other sessions, and every token of the API."""

    form_class = AdminOwnPasswordChangeForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With what every page of the admin shows."""
        return {**super().get_context_data(**kwargs), **admin.site.each_context(self.request)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count the try before the password is looked at."""
        try:
            ratelimit.enforce_on([(OWN_PASSWORD, f"user {request.user.pk}")], request)
        except ratelimit.RateLimited as refusal:
            headers = {"Retry-After": str(refusal.details["retry_after"])}
            return HttpResponse(refusal.sentence, status=429, content_type="text/plain", headers=headers)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Tell the audit of a wrong present password."""
        if "old_password" in form.errors:
            entrance.note_failure(email=form.user.email, why="proof")
        return super().form_invalid(form)

    def form_valid(self, form: Any) -> HttpResponse:
        """Change it, and keep this browser signed in."""
        new = form.cleaned_data["new_password1"]
        try:
            change_password(user=form.user, current=form.cleaned_data["old_password"], new=new)
        except DomainError as refusal:
            for field, texts in refusal.details.items():
                form.add_error(FIELDS.get(field), texts)
            return self.form_invalid(form)
        ratelimit.forgive_on(self.request)
        form.user.refresh_from_db()
        update_session_auth_hash(self.request, form.user)
        return HttpResponseRedirect(self.get_success_url())


@helped_by("staff/signing-in#your-password")
def change_own_password(request: HttpRequest) -> HttpResponseBase:
    """The page, for staff alone."""
    page: HttpResponseBase = admin.site.admin_view(StaffPasswordChange.as_view())(request)
    return page
