"""What nobody should send to the back office, and what may come of it: a page, the way back to one, or a refusal."""

import traceback
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import caches
from django.test import Client

from tests.security.matrix.knocking import taken_back
from tests.security.matrix.pages import VISITORS, admins

# Nobody, a player, the staff; somebody of the staff who may look at everything and do nothing, and one who may nothing.
KINDS = (*VISITORS, "looker", "newcomer")
STAFF = KINDS[2:]
SWITCH = "/admin/language/"
SHUT = {400, 403, 404, 405}
APPS = ("accounts", "config", "entries", "payments", "pools")
HUGE = "9" * 30
# Of so many digits Python makes no number.
ENDLESS = "9" * 5000
A_UUID = "6f2a1d7e-3c1b-4f0a-9b55-0d3f8e6c7a11"
NONSENSE = (
    "abc", "-1", HUGE, ENDLESS, A_UUID, "\x00", "'\"%_\\", "٣🂡é\u202e", "2026-99-99", "0001-01-01T00:00:00+23:59",
)  # fmt: skip


def fault(answer: Any) -> str:
    """What is wrong with an answer, or nothing."""
    if answer.status_code == 302:
        place = urlsplit(answer["Location"])
        # The switch of languages leads to the front page whoever came from elsewhere.
        is_ours = not place.netloc and (place.path.startswith("/admin/") or answer.wsgi_request.path == SWITCH)
        return "" if is_ours else f"leads to {answer['Location']}"
    if answer.status_code in SHUT | {200}:
        return ""
    return f"{answer.status_code} {_why(answer)}"


def _why(answer: Any) -> str:
    """The line of ours that broke, for whoever mends it."""
    said = getattr(answer, "exc_info", None)
    if not said:
        return ""
    ours = [frame for frame in traceback.extract_tb(said[2]) if "site-packages" not in frame.filename]
    place = f" in {ours[-1].filename.rpartition('/')[2]}:{ours[-1].lineno}" if ours else ""
    return f"{said[0].__name__} {said[1]}"[:200] + place


def ask(browser: Client, verb: str, path: str, form: dict[str, Any] | None = None) -> Any:
    """The answer; nothing comes of it."""
    caches["limits"].clear()
    with taken_back():
        return browser.get(path) if verb == "GET" else browser.post(path, form or {})


def lists_of(browser: Client, app: str) -> Iterator[tuple[str, Any]]:
    """Every list of the app that this person may see, and what it is made of."""
    for site_admin in admins():
        if site_admin.opts.app_label == app:
            path = f"/admin/{app}/{site_admin.opts.model_name}/"
            answer = ask(browser, "GET", path)
            assert answer.status_code in (200, 403), path
            if answer.status_code == 200:
                yield path, answer.context["cl"]


def told(wrong: Iterable[str]) -> str:
    """Each on a line of its own."""
    return "\n".join(wrong)
