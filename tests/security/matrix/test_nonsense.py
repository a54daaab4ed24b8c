"""Row 48 in the back office: nothing that somebody sends as a choice of rows or as a reason breaks a list."""

import pytest

from tests.security.matrix.actions import actions
from tests.security.matrix.nonsense import ENDLESS, HUGE, KINDS, ask, fault, told
from tests.security.matrix.pages import entering, first_of

pytestmark = pytest.mark.django_db


# What is chosen, how many were seen, and why: the first as everybody, all as an admin.
TRIES = (
    (["abc"], "1", "x"), ([], "1", "x"), (None, "-1", "x"), (None, "abc", "x" * 5000), (["0"], "1", "x"),
    ([HUGE], "1", "x"), ([ENDLESS], "1", "x"), ([""], "1", "x"), (["1\x00"], "1", ""), (None, HUGE, "x"),
    (None, "1", "\x00"), (None, "1", "٣\u202e🂡"),
)  # fmt: skip
FEW = 4


@pytest.mark.parametrize("kind", KINDS)
def test_row_48_no_action_breaks_whatever_is_confirmed(world, kind):
    """A number that was not shown is asked for again, and so is no reason; a reason that is none is refused."""
    wrong, tried = [], 0
    with entering(world, kind) as browser:
        for label, name, _ in actions():
            path = f"/admin/{label.lower().replace('.', '/')}/"
            row = first_of(label)
            for chosen, confirmed, reason in TRIES if kind == "admin" else TRIES[:FEW]:
                form = {
                    "action": name, "confirmed": confirmed, "reason": reason, "index": "x", "select_across": "0",
                    "_selected_action": [row.pk if row else 1] if chosen is None else chosen,
                }  # fmt: skip
                if found := fault(ask(browser, "POST", path, form)):
                    wrong.append(f"{path} {name} {str(chosen)[:40]} {confirmed[:9]} {reason[:9]!r}: {found}")
                tried += 1
    assert wrong == [], told(wrong)
    assert tried > 200
