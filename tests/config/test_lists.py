"""Lists of the back office: short ones as Django has them, long ones gone through without counting."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from config.clock import database_now
from config.lists import _can_go_on, found_rows
from config.models import OutboxMessage
from entries.admin import EntryAdmin, RequestAdmin
from entries.models import Entry, Request
from payments.admin import PaymentAdmin
from payments.models import Payment
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry

pytestmark = pytest.mark.django_db

LIST = "/admin/config/outboxmessage/"
# What there are some dozens of, sorted by what people call it; and what waits for finance, the urgent first.
NEVER_LONG = {
    "accounts.AgeLimit", "entries.ReasonTemplate", "payments.Discrepancy", "payments.AccountMapping",
    "payments.BankAccount", "payments.TaxYear", "pools.Competition", "pools.Round", "pools.Rules",
}  # fmt: skip


@pytest.fixture
def browser(client, admin_user):
    client.force_login(admin_user)
    return client


@pytest.fixture
def long(monkeypatch):
    """Seven messages, where a list is long from five on and a page has two."""
    monkeypatch.setattr("config.lists.COUNTED", 4)
    monkeypatch.setattr("config.admin.HouseAdmin.list_per_page", 2)
    return [OutboxMessage.objects.create(kind="a" if n % 2 else "b", key=f"key {n}") for n in range(7)]


def page(browser, address=LIST):
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return answer.context["cl"]


def ids(cl):
    return [row.pk for row in cl.result_list]


def there_and_back(browser):
    """The pages of the list to its end, and those on the way back."""
    there, back, cl = [], [], page(browser)
    while True:
        there.append(ids(cl))
        if not cl.paginator.after:
            break
        cl = page(browser, LIST + cl.paginator.after)
    while True:
        back.insert(0, ids(cl))
        if not cl.paginator.before:
            break
        cl = page(browser, LIST + cl.paginator.before)
    return there, back


class TestLongLists:
    def test_one_goes_through_all_of_it_and_back(self, browser, long):
        there, back = there_and_back(browser)
        newest_first = [row.pk for row in reversed(long)]
        assert there == [newest_first[n : n + 2] for n in (0, 2, 4, 6)]
        assert [pk for rows in back for pk in rows] == newest_first

    @pytest.mark.parametrize("ordering", [("done_at", "id"), ("done_at", "-id"), ("-done_at", "-id")])
    def test_rows_without_what_it_is_sorted_by_are_a_part_of_it(self, browser, long, monkeypatch, ordering):
        monkeypatch.setattr("config.admin.OutboxMessageAdmin.ordering", ordering)
        now = database_now()
        for row, minutes in zip(long, (3, None, 1, None, 1, None, 2), strict=True):
            if minutes is not None:
                OutboxMessage.objects.filter(pk=row.pk).update(done_at=now + timedelta(minutes=minutes))

        there, back = there_and_back(browser)

        wanted = list(OutboxMessage.objects.order_by(*ordering).values_list("pk", flat=True))
        assert [pk for rows in there for pk in rows] == [pk for rows in back for pk in rows] == wanted
        assert len(there) == 4

    def test_every_list_goes_on_from_the_last_row_seen(self, rf, admin_user):
        request = rf.get("/admin/")
        request.user = admin_user
        by_number = {
            one.opts.label
            for one in admin.site._registry.values()
            if not _can_go_on(one.opts, one.get_ordering(request) or one.opts.ordering)
        }
        assert by_number == NEVER_LONG

    def test_rows_that_come_meanwhile_push_none_onto_the_next_page(self, browser, long):
        first = page(browser)
        OutboxMessage.objects.create(kind="a", key="new")
        assert not set(ids(first)) & set(ids(page(browser, LIST + first.paginator.after)))

    def test_it_is_neither_counted_nor_sorted_by_a_column(self, browser, long):
        with CaptureQueriesContext(connection) as queries:
            cl = page(browser, f"{LIST}?o=1")
        assert cl.is_long
        assert ids(cl) == [long[6].pk, long[5].pk]
        assert cl.sortable_by == ()
        counts = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
        assert all(re.search(r"LIMIT 5\)", sql) for sql in counts), counts

    def test_a_filter_keeps_the_way_on_and_begins_anew(self, browser, long, monkeypatch):
        monkeypatch.setattr("config.lists.COUNTED", 2)
        cl = page(browser, f"{LIST}?kind=b")
        assert "kind=b" in cl.paginator.after
        assert ids(page(browser, LIST + cl.paginator.after)) == [long[2].pk, long[0].pk]
        assert "after" not in page(browser, LIST + cl.paginator.after).get_query_string({"kind": "a"})

    @pytest.mark.parametrize("place", ["after=1", "before=x", "after=WyJ4Il0:abc"])
    def test_a_place_that_we_did_not_write_begins_at_the_top(self, browser, long, place):
        answer = browser.get(f"{LIST}?{place}")
        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")

    @pytest.mark.parametrize("instant", ["0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"])
    def test_an_instant_outside_of_time_leads_back(self, browser, instant):
        with transaction.atomic():
            answer = browser.get(f"/admin/accounts/exclusion/?begins_at__gte={instant}")
            transaction.set_rollback(True)
        assert (answer.status_code, answer["Location"]) == (302, "/admin/accounts/exclusion/?e=1")

    @pytest.mark.parametrize("chosen", ["abc", "1,2", ""])
    def test_what_no_row_can_be_called_cannot_be_chosen(self, browser, chosen):
        form = {"action": "try_again", "_selected_action": [chosen], "index": "0", "confirmed": "1"}
        assert browser.post(LIST, form).status_code == 400

    def test_what_cannot_be_seen_cannot_be_chosen_as_a_whole(self, browser, long):
        text = browser.get(LIST).content.decode()
        assert "Too many to count" in text
        assert re.search(r"Select all \d", text) is None

    def test_a_short_one_is_counted_and_sorted(self, browser, long):
        cl = page(browser, f"{LIST}?kind=a&o=2")
        assert not cl.is_long
        assert cl.result_count == 3
        assert ids(cl) == [long[1].pk, long[3].pk]
        assert ids(page(browser, f"{LIST}?kind=a&o=2&p=2")) == [long[5].pk]


class TestSearch:
    def search(self, page, model, term):
        return list(found_rows(model._default_manager.order_by("pk"), page.search_fields, term))

    def test_a_player_is_found_by_any_part_of_name_or_address(self):
        ada, _ = RequestFactory(user=UserFactory(display_name="Ada Lovelace")), RequestFactory()
        assert self.search(RequestAdmin, Request, "velace") == [ada]
        assert self.search(RequestAdmin, Request, "Ada lovel") == [ada]
        assert self.search(RequestAdmin, Request, ada.user.email) == [ada]
        assert self.search(RequestAdmin, Request, "ada nobody") == []

    def test_fewer_than_three_letters_begin_a_word(self):
        ada = RequestFactory(user=UserFactory(display_name="Xy Lovelace"))
        assert self.search(RequestAdmin, Request, "xy") == [ada]
        assert self.search(RequestAdmin, Request, "lovelace x") == [ada]
        assert self.search(RequestAdmin, Request, "xy lo") == [ada]
        assert ada not in self.search(RequestAdmin, Request, "ce")

    def test_what_is_one_s_own_is_found_besides(self):
        named, other = EntryFactory(reference="Q-17"), EntryFactory(owner=UserFactory(display_name="Q-17"))
        assert self.search(EntryAdmin, Entry, "Q-17") == [named, other]

    def test_a_row_with_many_of_the_others_comes_once(self):
        entry = paid_entry()
        payment = Payment.objects.get()
        charge = payment.receipts.get().charge_id
        assert self.search(PaymentAdmin, Payment, charge) == [payment]
        assert self.search(PaymentAdmin, Payment, entry.user.email) == [payment]

    def test_where_many_are_found_one_query_finds_theirs(self, monkeypatch):
        monkeypatch.setattr("config.lists.MOST_FOUND", 1)
        found = [RequestFactory(user=UserFactory(display_name=f"Lovelace {n}")) for n in range(3)]
        paid = paid_entry(RequestFactory(approved=True, user=UserFactory(display_name="Byron")))
        paid_entry(RequestFactory(approved=True, user=UserFactory(display_name="Byron")))
        assert self.search(RequestAdmin, Request, "lovelace") == found
        assert len(self.search(PaymentAdmin, Payment, "byron")) == 2
        assert paid.user.display_name == "Byron"

    @pytest.mark.parametrize("term", ["17", "no number", "9" * 40, "'quoted", '"', "%", "\\"])
    def test_any_word_may_be_asked_for_anywhere(self, browser, term):
        for address in ("accounts/userchange", "accounts/webhookdelivery", "payments/export", "payments/journalbatch"):
            assert browser.get(f"/admin/{address}/", {"q": term}).status_code == 200

    def test_people_are_found_by_an_index(self):
        with connection.cursor() as cursor:
            # Three people are read faster than an index.
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = User.objects.filter(Q(email__icontains="ada") | Q(display_name__icontains="ada")).explain()
        assert "user_email_letters" in plan
        assert "user_name_letters" in plan


class TestFilters:
    def test_the_values_of_the_newest_rows_are_offered_and_the_asked_one(self, browser, monkeypatch):
        monkeypatch.setattr("config.list_filters.NEWEST", 2)
        for kind in ("old", "new", "newer"):
            OutboxMessage.objects.create(kind=kind, key=kind)
        spec = next(one for one in page(browser).filter_specs if one.title == "Kind")
        assert list(spec.lookup_choices) == ["new", "newer"]
        spec = next(one for one in page(browser, f"{LIST}?kind=old").filter_specs if one.title == "Kind")
        assert list(spec.lookup_choices) == ["new", "newer", "old"]

    def test_all_is_no_wrong_choice_of_yes_and_no(self, browser):
        paid_entry()
        for asked, found in (("", 1), ("1", 0), ("0", 1)):
            rows = page(browser, f"/admin/entries/entry/?is_suspended__exact={asked}&status__exact=active").result_list
            assert len(rows) == found, asked


@pytest.mark.slow
class TestCost:
    """What a million rows cost is measured by `manage.py bench lists`; that they are not asked for one by one, here."""

    @pytest.mark.parametrize("rows", [1, 3])
    def test_no_list_takes_fifteen_queries(self, browser, rows):
        for n in range(rows):
            paid_entry()
            RequestFactory(approved=True)
            OutboxMessage.objects.create(kind="a", key=str(n))
        browser.get(LIST)
        taken = {}
        for model in admin.site._registry:
            address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(address).status_code == 200, address
            taken[address] = len(queries)
        assert {address: number for address, number in taken.items() if number >= 15} == {}
