"""Whatever the back office offers to do, read off its pages: with chosen rows, and by buttons of lists, rows, pages."""

from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.test import Client, RequestFactory

from accounts.models import User
from tests.security import roles
from tests.security.matrix.pages import admins, first_of

# Kinds of buttons that have an address of their own, as Unfold calls them.
WITH_ADDRESS = ("actions_list", "actions_row", "actions_detail")


def actions() -> list[tuple[str, str, tuple[str, ...]]]:
    """Of chosen rows: page, name and what it asks for. Also what the site has for every list, or a page makes up."""
    request = RequestFactory().get("/")
    request.user = User(pk=0, is_staff=True, is_superuser=True, is_active=True)
    found = []
    for site_admin in admins():
        offered = {name: function for name, (function, *_) in site_admin.get_actions(request).items()}
        declared = {name: getattr(site_admin, name) for name in site_admin.actions or ()}
        found += [
            (site_admin.opts.label, name, roles.permission_of(site_admin, function))
            for name, function in (offered | declared).items()
        ]
    return found


def buttons() -> list[tuple[str, str, str]]:
    """Above a list, beside a row, above a page: page, name and what its address is called."""
    return [
        (site_admin.opts.label, name, f"{site_admin.opts.app_label}_{site_admin.opts.model_name}_{name}")
        for site_admin in admins()
        for kind in WITH_ADDRESS
        for name in site_admin._extract_action_names(getattr(site_admin, kind))
    ]


def refusal(browser: Client, label: str, name: str, **more: str) -> tuple[bool, Any]:
    """Whether somebody who chooses the action for the first row there is, is not led on; and the answer."""
    app, model = label.lower().split(".")
    row = first_of(label)
    form = {"action": name, ACTION_CHECKBOX_NAME: [row.pk if row else 1], "index": "0", **more}
    browser.cookies.pop("messages", None)
    answer: Any = browser.post(f"/admin/{app}/{model}/", form)
    said = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    is_shown = answer.status_code == 200 and f'value="{name}"' in answer.content.decode()
    is_told = answer.status_code == 302 and "No action selected." not in said
    return not (is_shown or is_told), answer
