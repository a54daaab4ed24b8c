"""Staff sign in: the password first, then the one-time code of their device. Between the two there is no session.

Staff who need a second factor and have none yet set it up on the way in. Who it is travels from page to page in a
signed note that is good for a quarter of an hour and opens nothing by itself.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.login import StaffSignInForm
from accounts.models import User
from accounts.services import browsers, entrance
from accounts.services.one_time_codes import has_device, is_required
from accounts.services.second_factor import begin_setup, confirm_at_sign_in, pending_setup
from accounts.services.sessions import Proven, admit
from config import audit
from config.clock import database_now
from config.errors import DomainError

NOTE = "half_way"
ENDED = gettext_noop("That took too long, or it was begun anew elsewhere. Sign in again.")
BACKEND = "django.contrib.auth.backends.ModelBackend"


class CodeForm(forms.Form):
    """The second step."""

    code = forms.CharField(
        max_length=20,
        label=_("One-time code"),
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
        ),
    )


@sensitive_post_parameters("password", "code", NOTE)
@never_cache
@csrf_protect
def enter(request: HttpRequest) -> HttpResponse:
    """The page that every other page of the admin sends to while nobody is signed in."""
    if request.method == "POST":
        return _second_step(request) if NOTE in request.POST else _first_step(request)
    if admin.site.has_permission(request):
        return HttpResponseRedirect(_target(request))
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and _target(request) != reverse("admin:index"):
        # A link in a mail: the browser keeps a strict cookie back until a page of ours leads on.
        return _page(request, "admin/login_hop.html", title=gettext("One moment"), target=_target(request))
    return _password_page(request, StaffSignInForm(request))


def _first_step(request: HttpRequest) -> HttpResponse:
    form = StaffSignInForm(request, data=request.POST)
    if not form.is_valid():
        return _password_page(request, form)
    if has_device(form.proven.user):
        return _code_page(request, form.proven, CodeForm())
    if is_required(form.proven.user):
        # Drawn anew for whoever gives the password: what was shown before may have been shown to somebody else.
        begin_setup(user=form.proven.user)
        return _setup_page(request, form.proven, CodeForm())
    return _admitted(request, form.proven, "")


def _second_step(request: HttpRequest) -> HttpResponse:
    proven = browsers.read_half_way(request.POST[NOTE])
    if proven is None:
        return _password_page(request, StaffSignInForm(request), fault=gettext(ENDED))
    form = CodeForm(request.POST)
    if has_device(proven.user):
        given = form.is_valid()
        return _admitted(request, proven, form.cleaned_data["code"]) if given else _code_page(request, proven, form)
    if not is_required(proven.user):
        return _password_page(request, StaffSignInForm(request))
    return _set_up(request, proven, form)


def _admitted(request: HttpRequest, proven: Proven, code: str) -> HttpResponse:
    """Signed in, or the page of the code again with what was wrong."""
    try:
        with entrance.trying_code(request, user=proven.user, otp=code):
            user, has_second_factor = admit(proven=proven, otp=code, now=database_now())
    except DomainError as refusal:
        form = CodeForm({"code": code})
        form.add_error("code" if code else None, refusal.sentence)
        return _code_page(request, proven, form)
    _sign_in(request, user, has_second_factor=has_second_factor)
    response = HttpResponseRedirect(_target(request))
    entrance.remember_device(request, response, user=user)
    return response


def _set_up(request: HttpRequest, proven: Proven, form: CodeForm) -> HttpResponse:
    """Signed in with a new device, and its recovery codes on the page; or the same page with what was wrong."""
    if form.is_valid():
        try:
            user, codes = confirm_at_sign_in(proven=proven, code=form.cleaned_data["code"], now=database_now())
        except DomainError as refusal:
            form.add_error("code", refusal.sentence)
        else:
            _sign_in(request, user, has_second_factor=True)
            response = _page(
                request,
                "admin/recovery_codes.html",
                title=gettext("Recovery codes"),
                codes=codes,
                target=_target(request),
            )
            entrance.remember_device(request, response, user=user)
            return response
    return _setup_page(request, proven, form)


def _sign_in(request: HttpRequest, user: User, *, has_second_factor: bool) -> None:
    login(request, user, backend=BACKEND)
    request.session[browsers.HAS_SECOND_FACTOR] = has_second_factor
    audit.record(action="browser.signed_in", subject=user, person=user, by=user)


def _password_page(request: HttpRequest, form: StaffSignInForm, fault: str = "") -> HttpResponse:
    return _page(
        request, "admin/login_password.html", title=gettext("Log in"), form=form, fault=fault,
        app_path=request.get_full_path(),
        **{REDIRECT_FIELD_NAME: _target(request)},
    )  # fmt: skip


def _code_page(request: HttpRequest, proven: Proven, form: CodeForm) -> HttpResponse:
    return _page(
        request, "admin/login_code.html", title=gettext('One-time code'), form=form, note=browsers.half_way(proven),
        app_path=request.get_full_path(),
    )  # fmt: skip


def _setup_page(request: HttpRequest, proven: Proven, form: CodeForm) -> HttpResponse:
    setup = pending_setup(user=proven.user)
    return _page(
        request, "admin/login_setup.html", title=gettext('Second factor'), form=form, note=browsers.half_way(proven),
        setup=setup, app_path=request.get_full_path(),
    )  # fmt: skip


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    known = {**admin.site.each_context(request), "subtitle": None, "next_page": _target(request)}
    return TemplateResponse(request, template, {**known, **context})


def _target(request: HttpRequest) -> str:
    """Where it goes afterwards: a page of ours, whatever somebody put into the address."""
    index = reverse("admin:index")
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or index
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else index
