"""Every entry points to its money: a receipt, a name and a reason, an import, or a price of nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from entries.models import Entry
from entries.services.imports.land import WAIVER_REASON
from entries.services.lost_places import void_entry
from payments.models import EntryMoney, Receipt
from payments.queries import MoneySource, with_money
from payments.services.waivers import waive_fee
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.payments import paid_entry, unapplied_money
from tests.support.by_hand import paid_by_hand
from tests.support.payments import code_of

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/admin/payments/entrymoney/"


def entry_of(request):
    return EntryFactory(request=request, in_pool=request.pool, owner=request.user)


def free_entry():
    return entry_of(RequestFactory(paid=True, fee_cents=0))


def imported_entry(by):
    return entry_of(RequestFactory(paid=True, waived_by=by, waiver_reason=WAIVER_REASON))


def waived_entry(by):
    request = RequestFactory(approved=True)
    return waive_fee(request_id=request.pk, by=by, reason="won the raffle", now=database_now())


def entry_by_hand():
    request = RequestFactory(approved=True)
    paid_by_hand(request)
    return Entry.objects.get(request=request)


def source_of(entry):
    return with_money(Entry.objects.all()).get(pk=entry.pk).money_source


class TestSources:
    def test_each_has_its_own(self, finance):
        assert source_of(paid_entry()) == MoneySource.RECEIPT
        assert source_of(entry_by_hand()) == MoneySource.RECEIPT
        assert source_of(waived_entry(finance)) == MoneySource.WAIVER
        assert source_of(imported_entry(finance)) == MoneySource.IMPORT
        assert source_of(free_entry()) == MoneySource.FREE
        assert source_of(EntryFactory()) == MoneySource.NONE

    def test_a_second_payment_of_the_same_request_is_not_its_money(self):
        entry = paid_entry()
        unapplied_money(entry.request, because="duplicate")

        found = with_money(Entry.objects.all()).get()

        assert found.receipt["id"] == Receipt.objects.get(status="allocated").pk

    def test_money_without_a_place_pays_no_entry(self):
        entry = EntryFactory()
        unapplied_money(entry.request, because="duplicate")

        assert source_of(entry) == MoneySource.NONE

    def test_a_void_entry_keeps_pointing_to_the_money_that_it_came_from(self):
        entry = paid_entry()
        void_entry(entry=entry, by=None, reason="lost")
        Receipt.objects.update(status="charged_back")

        assert source_of(entry) == MoneySource.RECEIPT


class TestThePage:
    @pytest.fixture
    def as_finance(self, client, finance):
        client.force_login(finance)
        return client

    def test_it_leads_to_the_receipt_or_names_who_waived(self, as_finance, finance):
        paid_entry()
        waived_entry(finance)

        page = as_finance.get(PAGE).content.decode()

        assert f"/admin/payments/receipt/{Receipt.objects.get().pk}/change/" in page
        assert f"{finance.display_name}: won the raffle" in page

    def test_without_money_is_empty_unless_something_is_wrong(self, as_finance, finance):
        def listed(**query):
            return [row.pk for row in as_finance.get(PAGE, query).context["cl"].result_list]

        right = [paid_entry(), entry_by_hand(), waived_entry(finance), imported_entry(finance), free_entry()]
        assert listed(money="none") == []

        wrong = EntryFactory()

        assert listed(money="none") == [wrong.pk]
        assert listed() == [wrong.pk, *(entry.pk for entry in reversed(right))]

    @pytest.mark.parametrize("value", MoneySource.values)
    def test_it_is_filtered_by_source(self, as_finance, value):
        assert as_finance.get(PAGE, {"money": value}).status_code == 200

    def test_one_query_finds_a_page_of_entries_with_their_money(self, as_finance, finance):
        def asked():
            with CaptureQueriesContext(connection) as captured:
                assert as_finance.get(PAGE).status_code == 200
            return [one["sql"] for one in captured.captured_queries]

        paid_entry()
        waived_entry(finance)
        few = asked()
        for _ in range(3):
            paid_entry()
            entry_by_hand()
            waived_entry(finance)

        many = asked()

        assert len(many) == len(few)
        assert len([sql for sql in many if "payments_receipt" in sql and "COUNT(" not in sql]) == 1

    def test_the_page_of_one_shows_its_returns(self, as_finance):
        entry = paid_entry()

        assert as_finance.get(f"{PAGE}{entry.pk}/change/").status_code == 200

    def test_it_is_searched_and_read_only(self, as_finance):
        entry = paid_entry()

        assert as_finance.get(PAGE, {"q": entry.user.email}).status_code == 200
        assert as_finance.post(f"{PAGE}{entry.pk}/change/", {"status": "void"}).status_code == 403
        assert as_finance.post(f"{PAGE}add/").status_code == 403
        assert EntryMoney.objects.get().status == "active"

    def test_moderators_have_no_business_with_it(self, client, moderator):
        client.force_login(moderator)

        assert client.get(PAGE).status_code == 403


class TestTheApi:
    def shown(self, api, who, entry):
        return api(who).get(f"/api/v1/entries/{entry.pk}/money")

    def test_a_receipt(self, api, finance):
        entry = paid_entry()

        data = self.shown(api, finance, entry).json()["data"]

        receipt = Receipt.objects.get()
        assert (data["entry"], data["request"], data["user"]) == (entry.pk, entry.request_id, entry.user_id)
        assert (data["money"], data["fee_cents"], data["currency"]) == ("receipt", 5000, "usd")
        assert data["receipt"] == {
            "id": receipt.pk, "status": "allocated", "amount_cents": 5000, "currency": "usd", "provider": "stripe",
            "charge_id": receipt.charge_id,
        }  # fmt: skip
        assert (data["waiver"], data["returns"]) == (None, [])

    def test_a_waiver(self, api, finance):
        entry = waived_entry(finance)

        data = self.shown(api, finance, entry).json()["data"]

        assert (data["money"], data["receipt"]) == ("waiver", None)
        assert data["waiver"] == {"by": finance.pk, "by_name": finance.display_name, "reason": "won the raffle"}

    def test_nobody_else_sees_it(self, api, player, stranger, moderator):
        entry = paid_entry(RequestFactory(approved=True, user=player))

        assert [self.shown(api, who, entry).status_code for who in (player, stranger, moderator)] == [403] * 3

    def test_one_that_is_not_there(self, api, finance):
        entry = paid_entry()
        entry.pk += 1

        assert code_of(self.shown(api, finance, entry)) == (404, "NOT_FOUND")
