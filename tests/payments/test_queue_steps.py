"""From a row of the queue to its next step: one for each kind, that the kind allows and that opens."""

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.admin.discrepancy_acts import ACTIONS
from payments.admin.discrepancy_filters import AREAS
from payments.admin.discrepancy_steps import _THERE, act_of
from payments.models import Discrepancy, DiscrepancyKind
from payments.reconciliation.dispositions import disposition
from tests.support.queue import moved, raised

pytestmark = pytest.mark.django_db
LIST = "/admin/payments/discrepancy/"


@pytest.fixture
def page(client, finance):
    client.force_login(finance)
    return client


def do(row, name):
    return f"{LIST}{row.pk}/do/{name}/"


def told(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_every_kind_has_a_next_step_that_it_allows_and_that_opens(page):
    for kind in DiscrepancyKind:
        raised(kind, f"receipt:{len(kind)}", sentence=f"{kind}.")
        assert kind in _THERE or ACTIONS[act_of(kind)] in disposition(kind).actions, kind
    shown = page.get(LIST).content.decode()
    steps = set(re.findall(r'href="([^"]+)" class="text-primary-700 font-medium', shown))
    # Of each row also the way to take it on.
    assert shown.count("Assign to me") == len(DiscrepancyKind)
    elsewhere = {address for address in steps if "/do/" not in address}
    for address in sorted(elsewhere)[:12]:
        assert page.get(address, follow=True).status_code in (200, 404), address
    assert page.get(do(Discrepancy.objects.filter(kind="fee_missing").get(), "ask_again")).status_code == 200


def test_a_step_says_what_it_does_first_and_then_does_it(page, finance):
    row = raised(DiscrepancyKind.SIGNATURES, "webhooks:stripe")
    asked = page.get(do(row, "look_after"))
    assert asked.context["count"] == 1
    assert f'<a href="{LIST}"' in asked.content.decode()
    row.refresh_from_db()
    assert row.owner is None
    answer = page.post(do(row, "look_after"), {"confirmed": "1"})
    assert (answer.headers["Location"], told(answer)) == (LIST, ["1 of 1 looked after."])
    row.refresh_from_db()
    assert row.owner == finance
    assert "Assign to me" not in page.get(LIST).content.decode()


def test_what_a_row_does_not_offer_is_refused(page, client, moderator):
    row = raised(DiscrepancyKind.SIGNATURES, "webhooks:stripe")
    answer = page.get(do(row, "make_place"))
    assert answer.headers["Location"] == f"{LIST}{row.pk}/change/"
    assert "This cannot be done to it as it is." in told(answer)[0]
    assert page.get(do(row, "nothing")).status_code == 404
    assert page.get(f"{LIST}999999/do/look_after/").status_code == 404
    client.force_login(moderator)
    assert client.post(do(row, "look_after"), {"confirmed": "1"}).status_code == 403
    row.refresh_from_db()
    assert row.owner is None


def test_what_is_expected_stands_against_what_is_found(page):
    raised(
        DiscrepancyKind.AMOUNT_MISMATCH, "receipt:7", ours={"amount_cents": 5000}, theirs={"amount_cents": 4000},
        amount_cents=1000, currency="usd", details={"receipt": 7, "refund": 3},
    )  # fmt: skip
    raised(
        DiscrepancyKind.BANK_UNMATCHED, "bank_line:3", theirs={"amount_cents": 900}, amount_cents=900, currency="usd"
    )
    shown = page.get(LIST).content.decode()
    assert "50.00 USD → <strong>40.00 USD</strong>" in shown
    assert "nothing → <strong>9.00 USD</strong>" in shown
    for one in ("receipt/7", "refund/3", "bankline/3"):
        assert f"/admin/payments/{one}/change/" in shown


def test_a_name_that_leads_nowhere_is_shown_where_nothing_else_is(page):
    raised(DiscrepancyKind.PRIZE_OVERPAID, "prize:5:70", details={"pool": 5, "payout": 7})
    raised(DiscrepancyKind.POT_SHORT, "prizes:6")
    shown = page.get(LIST).content.decode()
    assert all(f"/admin/{one}/change/" in shown for one in ("pools/pool/5", "payments/payout/7"))
    assert ("prize:5:70" in shown, "prizes 6" in shown) == (False, True)


def test_areas_share_no_kind_and_each_opens(page):
    kinds = [kind for _, of in AREAS.values() for kind in of]
    assert len(kinds) == len(set(kinds))
    raised(DiscrepancyKind.BANK_UNMATCHED, "bank_line:3", sentence="Unknown line.")
    assert "Unknown line." in page.get(f"{LIST}?area=bank").content.decode()
    assert "Unknown line." not in page.get(f"{LIST}?area=books").content.decode()
    assert page.get(f"{LIST}?area=zz").status_code == 200


def test_a_long_queue_is_gone_through_by_place_and_nothing_is_counted(page, monkeypatch):
    monkeypatch.setattr("config.lists.COUNTED", 3)
    monkeypatch.setattr("payments.admin.discrepancies.DiscrepancyAdmin.list_per_page", 2)
    for number in range(4):
        raised(key=f"refund:{number}", sentence=f"Row {number}.")
    raised(DiscrepancyKind.BOOKS_BROKEN, "books:pots", sentence="Urgent.")
    seen, address = [], LIST
    while address and len(seen) < 9:
        answer = page.get(address)
        found = answer.context["cl"]
        assert "queue_sums" not in answer.context
        seen += [row.sentence for row in found.result_list]
        address = LIST + found.paginator.after if found.paginator.after else ""
    assert seen == ["Urgent.", "Row 0.", "Row 1.", "Row 2.", "Row 3."]


def test_the_queue_costs_the_same_at_one_row_and_at_three(page):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            page.get(LIST)
        return len(asked)

    moved()
    queries()
    few = queries()
    moved(), moved()
    assert queries() == few <= 15
