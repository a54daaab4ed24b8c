"""Row 48 in the back office: nothing that somebody sends as a choice of rows or as a reason breaks a list."""

from urllib.parse import urlsplit

import pytest
from django.core.cache import caches

from tests.security.matrix.knocking import taken_back
from tests.security.matrix.pages import admins, entering

pytestmark = pytest.mark.django_db
SHUT = {400, 403, 404, 405}


def fault(answer) -> str:
    """What is wrong with an answer, or nothing."""
    if answer.status_code == 302:
        place = urlsplit(answer["Location"])
        return "" if not place.netloc and place.path.startswith("/admin/") else f"leads to {answer['Location']}"
    if answer.status_code in SHUT | {200}:
        return ""
    said = getattr(answer, "exc_info", None)
    return f"{answer.status_code} {said[1]!r}"[:300] if said else str(answer.status_code)


def ask(browser, verb: str, path: str, form: dict[str, str] | None = None):
    """The answer; nothing comes of it."""
    caches["limits"].clear()
    with taken_back():
        return browser.get(path) if verb == "GET" else browser.post(path, form or {})


def test_row_48_no_action_breaks_whatever_is_confirmed(world):
    """A number that was not shown is asked for again, and so is no reason; a reason that is none is refused."""
    wrong, tried = [], 0
    with entering(world, "admin") as browser:
        for site_admin in admins():
            path = f"/admin/{site_admin.opts.app_label}/{site_admin.opts.model_name}/"
            row = site_admin.model._base_manager.order_by("pk").values_list("pk", flat=True).first() or 1
            for name in site_admin.actions or ():
                for chosen, confirmed, reason in (
                    (["abc"], "1", "x"), (["0"], "1", "x"), (["9" * 30], "1", "x"), ([], "1", "x"),
                    (["1\x00"], "1", ""), ([row], "-1", "x"), ([row], "9" * 30, "x"),
                    ([row], "abc", "x" * 5000), ([row], "1", "\x00"),
                ):  # fmt: skip
                    form = {
                        "action": name, "_selected_action": chosen, "confirmed": confirmed, "reason": reason,
                        "index": "x", "select_across": "0",
                    }  # fmt: skip
                    if found := fault(ask(browser, "POST", path, form)):
                        wrong.append(f"{path} {name} {chosen} {confirmed[:9]} {reason[:9]!r}: {found}")
                    tried += 1
    assert wrong == [], "\n".join(wrong)
    assert tried > 500
