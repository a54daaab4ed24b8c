"""The queue in the back office: what is listed, what a row shows, and which buttons it has for whom."""

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.urls import reverse

from config.clock import database_now
from config.money import format_amount
from payments.admin.ways import way_to
from payments.models import Discrepancy, DiscrepancyKind, ForeignObject, WriteOff
from payments.services.discrepancies import acknowledge, resolve
from payments.services.queue.write_offs import decline_write_off, request_write_off
from tests.factories.accounts import FinanceFactory
from tests.factories.payments import unapplied_money
from tests.support.charging import balances
from tests.support.queue import moved, raised
from tests.support.refunding import fresh

pytestmark = pytest.mark.django_db
LIST = "/admin/payments/discrepancy/"


@pytest.fixture
def page(client, finance):
    client.force_login(finance)
    return client


@pytest.fixture
def colleague():
    return FinanceFactory()


def text(page, address):
    answer = page.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def of(row):
    return f"{LIST}{row.pk}/change/"


def press(page, action, *rows, to=LIST, **fields):
    """Through the page that says what will happen; what was said afterwards."""
    data = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **fields}
    before = page.post(to, data).content.decode()
    answer = page.post(to, {**data, "confirmed": str(len(rows))})
    return before, [str(message) for message in get_messages(answer.wsgi_request)]


def buttons(page, row):
    return {button["name"] for button in page.get(of(row)).context["row_actions"]}


def test_the_urgent_stand_first_and_sums_stand_above(page):
    raised(key="refund:1", due_at=database_now() - timedelta(days=1), amount_cents=-700, currency="eur")
    Discrepancy.objects.create(
        kind=DiscrepancyKind.UNKNOWN_MOVEMENT, object_key="movement:stripe:x", sentence="Old.", suggestion="Look.",
        opened_at=database_now() - timedelta(days=9), amount_cents=1250, currency="usd",
    )  # fmt: skip
    raised(DiscrepancyKind.BOOKS_BROKEN, "books:pots", amount_cents=50, currency="usd")

    answer = page.get(LIST)
    shown, told = answer.content.decode(), answer.context["queue_sums"]

    assert [row.kind for row in answer.context["cl"].result_list] == [
        "books_broken", "external_refund", "unknown_movement",
    ]  # fmt: skip
    assert (told["urgent"]["count"], [bucket["count"] for bucket in told["buckets"]]) == (1, [2, 0, 0, 1])
    assert [("7.00" in told["money"][0]), ("13.00" in told["money"][1])] == [True, True]
    assert "Money in doubt" in shown
    assert "Old." in text(page, f"{LIST}?age=over_7_days")
    assert "Old." not in text(page, f"{LIST}?urgency=urgent")


def test_every_filter_opens_and_nonsense_in_one_is_no_error(page):
    raised()
    states = ("mine", "nobodys", "overdue", "second_name", "resolved", "written_off", "closed", "all", "zz")
    others = ("owner=1", "owner=zz", f"owner={'9' * 30}", "age=zz", "urgency=other", "kind__exact=held_money", "q=x")
    for query in (*(f"state={state}" for state in states), *others):
        assert page.get(f"{LIST}?{query}").status_code in (200, 302), query


def test_a_row_shows_both_sides_beside_each_other(page):
    row = raised(
        ours={"amount_cents": 5000, "status": "succeeded"}, theirs={"amount_cents": 4000, "status": "succeeded"},
        amount_cents=1000, currency="usd",
    )  # fmt: skip

    shown = text(page, of(row))

    assert '<th class="py-1 pr-4">Ours</th>' in shown
    assert "50.00" in shown
    assert "40.00" in shown
    assert shown.count("≠") == 1
    assert "A refund made past us, of money that we know." in shown


@pytest.mark.parametrize("key", ["refund:stripe:re_1", "dispute:stripe:dp_1", "movement:stripe:txn_1"])
def test_every_key_leads_somewhere_that_opens(page, key):
    """Also that of something which is not here: then to an empty list of its like."""
    kind, _, name = key.partition(":")

    assert page.get(way_to(kind, name)).status_code == 200


def test_markup_of_a_stranger_is_only_text(page):
    row = raised(sentence="<script>alert(1)</script>", ours={"name": "<b>x</b>"}, theirs={"name": "=1+1"})

    for address in (LIST, of(row)):
        shown = text(page, address)
        assert "<script>alert(1)" not in shown
        assert "<b>x</b>" not in shown


def test_each_row_has_the_buttons_of_its_kind_and_state(page, finance, colleague):
    always = {"look_after", "mark_resolved"}
    strange, simple = moved(), raised(DiscrepancyKind.SIGNATURES, "webhooks:stripe")
    waiting = raised(DiscrepancyKind.HELD_MONEY, f"receipt:{unapplied_money().pk}")

    assert buttons(page, simple) == always
    assert buttons(page, strange) == {*always, "ask_again", "mark_not_ours", "ask_write_off"}
    assert buttons(page, waiting) == {*always, "ask_again", "make_place", "give_back"}
    acknowledge(discrepancy_id=simple.pk, by=colleague)
    assert buttons(page, simple) == {"give_up", "mark_resolved"}
    request_write_off(discrepancy_id=strange.pk, by=finance, reason="x")
    assert "approve_write_off" not in buttons(page, strange)
    assert "decline_write_off" in buttons(page, strange)
    page.force_login(colleague)
    assert {"approve_write_off", "decline_write_off"} <= buttons(page, strange)
    assert "ask_write_off" not in buttons(page, strange)
    resolve(discrepancy_id=simple.pk, by=colleague, resolution="done")
    assert buttons(page, simple) == set()
    assert "Give to a colleague" not in text(page, of(simple))


def test_a_write_off_goes_through_two_people_by_the_buttons(page, finance, colleague):
    row = moved()

    before, said = press(page, "ask_write_off", row, reason="Nobody knows what it was.")
    assert "12.34" in before
    assert said == ["1 of 1 asked for."]
    assert "asks to write it off" in text(page, of(row))
    assert press(page, "approve_write_off", row)[1] == [
        "1 of 1 refused: Whoever asked for a write-off cannot approve it: somebody else has to.",
    ]  # fmt: skip
    page.force_login(colleague)
    wishes = "/admin/payments/writeoff/"
    wish = WriteOff.objects.get()
    assert "12.34" in text(page, wishes)
    before, said = press(page, "approve", wish, to=wishes)
    assert ("12.34" in before, "Nobody knows what it was." in before) == (True, True)
    assert said == ["1 of 1 written off."]
    assert balances() == {"clearing": -1234, "write_offs": 1234}
    assert fresh(row).status == "written_off"
    shown = text(page, of(row))
    assert "Approved the write-off" in shown
    assert "written off" in text(page, f"{wishes}{wish.pk}/change/")
    assert press(page, "decline", wish, to=wishes, reason="No.")[1][0].startswith("1 of 1 refused")
    assert row.sentence[:20] in text(page, f"{LIST}?state=written_off")


def test_a_write_off_that_was_asked_for_after_the_page_was_read_is_not_approved(page, finance, colleague):
    row = moved()
    first = request_write_off(discrepancy_id=row.pk, by=finance, reason="Nobody knows.")
    page.force_login(colleague)
    data = {"action": "approve_write_off", ACTION_CHECKBOX_NAME: [row.pk]}
    read = page.post(LIST, data).context["hidden"]
    decline_write_off(write_off_id=first.pk, by=finance, reason="I know it now.")
    second = request_write_off(discrepancy_id=row.pk, by=FinanceFactory(), reason="Another.")
    answer = page.post(LIST, {**data, **read, "confirmed": "1"})
    (said,) = [str(message) for message in get_messages(answer.wsgi_request)]
    assert said.startswith("1 of 1 refused: A write-off that is declined cannot become approved.")
    assert (fresh(second).status, fresh(row).status) == ("requested", "open")
    # What was read about another row is not about this one.
    page.cookies.pop("messages")
    read = {f"wish-{row.pk}": str(request_write_off(discrepancy_id=moved().pk, by=finance, reason="x").pk)}
    answer = page.post(LIST, {**data, **read, "confirmed": "1"})
    assert "There is no such write-off." in str(next(iter(get_messages(answer.wsgi_request))))


def test_not_ours_and_ours_after_all_by_the_buttons(page):
    row = moved(900)

    before, said = press(page, "mark_not_ours", row, reason="The shop's.")
    assert ("9.00" in before, said) == (True, ["1 of 1 marked as not ours."])
    marks, mark = "/admin/payments/foreignobject/", ForeignObject.objects.get()
    assert "9.00" in text(page, marks)
    assert "suspense" in text(page, f"{marks}{mark.pk}/change/")
    before, said = press(page, "ours_after_all", mark, to=marks, reason="They deny it.")
    assert ("9.00" in before, said) == (True, ["1 of 1 found to be ours."])
    assert Discrepancy.objects.filter(status="open").count() == 1


def test_a_refusal_with_facts_is_told_in_the_language_of_the_page(page, settings):
    settings.WRITE_OFF_AT_MOST = 1
    row = moved()
    page.cookies["outlast_language"] = "de"
    (said,) = press(page, "ask_write_off", row, reason="Niemand weiß es.")[1]
    assert "0,01 USD" in said
    assert "At most" not in said


def test_several_rows_at_once_each_have_their_own_answer(page):
    rows = [moved(), moved(), raised()]

    _, said = press(page, "ask_write_off", *rows, reason="Nobody knows.")

    assert said[0] == "2 of 3 asked for."
    assert said[1].startswith("1 of 3 refused: External refund: there is no write off for it.")


def test_money_that_waits_is_dealt_with_by_the_buttons(page):
    first, second = unapplied_money(), unapplied_money()
    rows = [
        raised(DiscrepancyKind.HELD_MONEY, f"receipt:{one.pk}", details={"receipt": one.pk}) for one in (first, second)
    ]

    assert press(page, "make_place", rows[0], reason="back")[1] == ["1 of 1 made places."]
    before, said = press(page, "give_back", rows[1], reason="asked")
    assert said == ["1 of 1 given back, or waiting for a second name."]
    assert f"Goes back to where it came from: {format_amount(second.amount_cents, second.currency)};" in before
    assert "Goes back to where it came from: nothing;" in press(page, "give_back", *rows)[0]

    assert (fresh(first).status, fresh(second).status) == ("allocated", "returning")
    assert [fresh(row).status for row in rows] == ["resolved", "resolved"]


def test_it_is_given_to_a_colleague_with_a_word(page, colleague, moderator):
    row = raised()
    address = reverse("admin:payments_discrepancy_give", args=[row.pk])

    assert f'<option value="{colleague.pk}"' in text(page, address)
    assert f'<option value="{moderator.pk}"' not in text(page, address)
    assert page.post(address, {"owner": moderator.pk}).status_code == 200
    answer = page.post(address, {"owner": colleague.pk, "reason": "You know it."})
    assert answer.status_code == 302
    assert fresh(row).owner == colleague
    assert press(page, "give_up", row)[1] == ["1 of 1 put back."]
    assert page.get(reverse("admin:payments_discrepancy_give", args=[4711])).status_code == 404
    resolve(discrepancy_id=row.pk, by=colleague, resolution="done")
    assert "cannot become" in page.post(address, {"owner": colleague.pk}).content.decode()


def test_moderators_and_players_have_no_business_here(client, moderator, player):
    row = moved()
    for person in (moderator, player):
        client.force_login(person)
        for address in (LIST, of(row), reverse("admin:payments_discrepancy_give", args=[row.pk]),
                        "/admin/payments/writeoff/", "/admin/payments/foreignobject/"):  # fmt: skip
            assert client.get(address).status_code in (302, 403)
        assert client.post(LIST, {"action": "mark_resolved", ACTION_CHECKBOX_NAME: [row.pk], "confirmed": "1",
                                  "reason": "x"}).status_code in (302, 403)  # fmt: skip
    assert fresh(row).status == "open"
