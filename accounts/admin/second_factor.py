"""The page on which staff look after their own second factor: set up, replace the device, make new recovery codes."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin.entering import CodeForm
from accounts.admin.staff import staff
from accounts.models import User
from accounts.services import browsers
from accounts.services.second_factor import (
    begin_setup,
    confirm_setup,
    pending_setup,
    renew_recovery_codes,
    state_of,
    turn_off,
)
from config.clock import database_now
from config.errors import DomainError
from config.fresh_pages import ask_unless_fresh
from config.handbook import helped_by


@sensitive_post_parameters()
@never_cache
@helped_by("staff/signing-in#the-second-factor")
def own_second_factor(request: HttpRequest) -> HttpResponseBase:
    """The page, for staff alone."""
    page: HttpResponseBase = admin.site.admin_view(_page)(request)
    return page


def _page(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _shown(request)
    question = ask_unless_fresh(request, admin.site.each_context(request))
    if question is not None:
        return question
    user = staff(request)
    try:
        match request.POST.get("what"):
            case "begin":
                return _shown(request, setup=begin_setup(user=user), form=CodeForm())
            case "confirm":
                return _confirmed(request, user)
            case "codes":
                return _shown(request, codes=renew_recovery_codes(user=user))
            case "off":
                turn_off(user=user)
                _keep_signed_in(request, user, has_second_factor=False)
                messages.success(request, gettext("Your password alone signs you in now."))
    except DomainError as refusal:
        messages.error(request, refusal.sentence)
    return HttpResponseRedirect(request.path)


def _confirmed(request: HttpRequest, user: User) -> HttpResponse:
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            codes = confirm_setup(user=user, code=form.cleaned_data["code"], now=database_now())
        except DomainError as refusal:
            form.add_error("code", refusal.sentence)
        else:
            _keep_signed_in(request, user, has_second_factor=True)
            return _shown(request, codes=codes)
    return _shown(request, setup=pending_setup(user=user), form=form)


def _keep_signed_in(request: HttpRequest, user: User, *, has_second_factor: bool) -> None:
    """Every other browser and token has just ended."""
    user.refresh_from_db()
    update_session_auth_hash(request, user)
    request.session[browsers.HAS_SECOND_FACTOR] = has_second_factor


def _shown(request: HttpRequest, **told: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": gettext("Second factor"),
        "state": state_of(staff(request)),
        "address": request.path,
        **told,
    }
    return TemplateResponse(request, "admin/second_factor.html", context)
