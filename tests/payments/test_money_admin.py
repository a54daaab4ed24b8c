"""Money in the back office: who sees it, what the buttons do, what they refuse, and what the lists cost."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from entries.models import Entry, PaymentStatus
from payments.models import Payment, PaymentChange, PaymentState, Receipt, WebhookEvent, WebhookRefusal
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for, unapplied_money
from tests.support.payments import deliver, post_event, started

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = ["payment", "receipt", "webhookevent", "webhookrefusal", "unpaidrequest"]


def address(model, what=""):
    return f"/admin/payments/{model}/{what}"


def act(client, model, action, *rows, **fields):
    """Press an action's button for the rows."""
    data = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **fields}
    return client.post(address(model), data)


def confirm(client, model, action, *rows, **fields):
    """Press it, and confirm what the page says; what was reported back."""
    assert act(client, model, action, *rows).status_code == 200
    answer = act(client, model, action, *rows, confirmed=str(len(rows)), **fields)
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


class TestWhoSeesMoney:
    @pytest.mark.parametrize("model", LISTS)
    @pytest.mark.parametrize("who", ["finance", "admin_user"])
    def test_finance_and_admins_do(self, client, who, model, request):
        client.force_login(request.getfixturevalue(who))

        assert client.get(address(model)).status_code == 200

    @pytest.mark.parametrize("model", LISTS)
    def test_moderators_do_not(self, client, moderator, model):
        client.force_login(moderator)

        assert client.get(address(model)).status_code == 403

    @pytest.mark.parametrize("model", LISTS)
    def test_players_come_no_further_than_the_door(self, client, player, model):
        client.force_login(player)

        assert client.get(address(model)).status_code == 302

    @pytest.mark.parametrize("model", LISTS)
    @pytest.mark.parametrize("what", ["add/", "1/delete/"])
    def test_nobody_adds_or_deletes(self, client, admin_user, model, what, unpaid):
        receipt_and_event(unpaid)
        client.force_login(admin_user)

        assert client.get(address(model, what)).status_code in (302, 403)
        assert client.post(address(model, what), {"post": "yes"}).status_code in (302, 403)
        assert Payment.objects.count() == Receipt.objects.count() == WebhookEvent.objects.count() == 1

    def test_nobody_edits(self, client, admin_user, unpaid):
        receipt_and_event(unpaid)
        client.force_login(admin_user)

        for model in LISTS[:3]:
            assert (
                client.post(address(model, "1/change/"), {"amount_cents": "1", "status": "failed"}).status_code == 403
            )
        assert Payment.objects.get().amount_cents == 5000


class TestPages:
    def test_a_payment_is_shown_with_its_money_and_its_changes(self, as_finance, unpaid):
        receipt = unapplied_money(unpaid)

        page = as_finance.get(address("payment", f"{receipt.payment_id}/change/")).content.decode()

        assert receipt.charge_id in page
        assert "too late" in page
        assert unpaid.user.email in page

    def test_the_secret_of_a_payment_is_not_shown(self, as_finance, unpaid):
        payment = payment_for(unpaid, client_secret="secret_of_the_session")

        page = as_finance.get(address("payment", f"{payment.pk}/change/")).content.decode()

        assert "secret_of_the_session" not in page

    def test_a_receipt_is_shown_with_its_changes(self, as_finance, unpaid):
        receipt = unapplied_money(unpaid)

        assert as_finance.get(address("receipt", f"{receipt.pk}/change/")).status_code == 200

    def test_an_event_is_shown_as_it_came(self, as_finance):
        event = WebhookEvent.objects.create(
            provider="stripe", event_id="evt_1", event_type="x", payload={"note": "<script>"}
        )

        page = as_finance.get(address("webhookevent", f"{event.pk}/change/")).content.decode()

        assert "&quot;note&quot;: &quot;&lt;script&gt;&quot;" in page

    def test_thin_events_are_told_from_snapshots(self, as_finance):
        for name, form in (("evt_thin", "v2.core.event"), ("evt_shown", "event")):
            WebhookEvent.objects.create(provider="stripe", event_id=name, event_type=name, payload={"object": form})

        for asked, shown, left_out in (("thin", "evt_thin", "evt_shown"), ("snapshot", "evt_shown", "evt_thin")):
            page = as_finance.get(address("webhookevent"), {"form": asked}).content.decode()
            listed = page[page.index("<tbody") : page.index("</tbody>")]
            assert shown in listed
            assert left_out not in listed

    def test_refused_webhooks_are_listed_by_the_hour(self, as_finance, settings):
        settings.STRIPE_WEBHOOK_SECRETS = ["whsec_of_these_tests_0123456789"]
        for _ in range(3):
            post_event(b"{}", header="garbage")

        page = as_finance.get(address("webhookrefusal")).content.decode()

        assert WebhookRefusal.objects.get().sample_sha256 in page
        assert WebhookRefusal.objects.get().times == 3

    def test_what_waits_is_found_by_a_filter(self, as_finance, unpaid):
        waiting = unapplied_money(unpaid)
        paid_entry()

        page = as_finance.get(address("receipt"), {"status__exact": "unapplied"}).content.decode()

        assert address("receipt", f"{waiting.pk}/change/") in page
        assert address("receipt", f"{Receipt.objects.get(status='allocated').pk}/change/") not in page

    @pytest.mark.parametrize("model", LISTS)
    def test_lists_are_searched(self, as_finance, unpaid, model):
        receipt_and_event(unpaid)

        assert as_finance.get(address(model), {"q": "nothing of the kind"}).status_code == 200

    @pytest.mark.parametrize("model", [*LISTS, "account", "journalentry"])
    def test_a_list_costs_the_same_for_one_row_and_for_three(self, as_finance, model):
        costs = []
        for number in range(3):
            receipt_and_event(RequestFactory(approved=True), number)
            # Its pool has accounts of its own.
            paid_entry(RequestFactory(approved=True))
            if number != 1:
                with CaptureQueriesContext(connection) as captured:
                    assert as_finance.get(address(model)).status_code == 200
                costs.append(len(captured))

        assert costs[0] == costs[1]


class TestAskingAgain:
    def test_the_page_says_what_will_happen_and_does_nothing_yet(self, as_finance, api, player, unpaid, double):
        payment = started(api(player), unpaid)

        page = act(as_finance, "payment", "ask_again", payment).content.decode()

        assert "1 of 1 has not ended." in page
        assert "50.00 USD of" in page
        assert not Entry.objects.exists()

    def test_money_that_nobody_told_us_of_becomes_an_entry(self, as_finance, api, player, finance, unpaid, double):
        payment = started(api(player), unpaid)
        double.pay(payment.checkout_url)

        assert confirm(as_finance, "payment", "ask_again", payment) == ["1 of 1 asked about."]

        assert Entry.objects.get().request == unpaid
        assert Receipt.objects.get().source == "admin"
        assert PaymentChange.objects.get(to_status="succeeded").actor_id == finance.pk

    def test_what_the_provider_does_not_answer_is_reported(self, as_finance, api, player, unpaid, double, settings):
        payment = started(api(player), unpaid)
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        said = confirm(as_finance, "payment", "ask_again", payment)

        assert said == ["1 of 1 refused: The payment provider could not be asked. Try again in a moment."]
        assert Payment.objects.get().status == PaymentState.OPEN

    def test_moderators_cannot_press_it(self, client, moderator, unpaid):
        client.force_login(moderator)

        assert act(client, "payment", "ask_again", payment_for(unpaid)).status_code == 403

    def test_the_page_of_a_payment_has_the_button(self, as_finance, unpaid):
        payment = payment_for(unpaid)

        assert 'value="ask_again"' in as_finance.get(address("payment", f"{payment.pk}/change/")).content.decode()


class TestLookingAgain:
    def test_a_dead_event_gets_another_chance(self, as_finance, api, player, unpaid, double):
        double.pay(started(api(player), unpaid).checkout_url)
        deliver(double, "checkout.session.completed")
        WebhookEvent.objects.update(status="dead", attempts=10)

        assert confirm(as_finance, "webhookevent", "look_again", WebhookEvent.objects.get()) == [
            "1 of 1 looked into again."
        ]

        assert WebhookEvent.objects.get().status == "processed"
        assert Entry.objects.get().request == unpaid

    def test_an_event_that_was_not_given_up_is_left_alone(self, as_finance):
        event = WebhookEvent.objects.create(provider="stripe", event_id="evt_1", event_type="x", payload={})

        assert confirm(as_finance, "webhookevent", "look_again", event) == [
            "1 of 1 refused: Only an event that was given up is looked into again."
        ]


class TestWaiving:
    def test_it_takes_a_reason_and_makes_the_entry(self, as_finance, finance, unpaid):
        said = confirm(as_finance, "unpaidrequest", "waive", unpaid, reason="won the raffle")

        unpaid.refresh_from_db()
        assert said == ["1 of 1 let in without the fee."]
        assert (unpaid.payment_status, unpaid.waived_by) == (PaymentStatus.COMPLETED, finance)
        assert unpaid.waiver_reason == "won the raffle"
        assert Entry.objects.get().request == unpaid

    def test_without_a_reason_nothing_happens(self, as_finance, unpaid):
        page = act(as_finance, "unpaidrequest", "waive", unpaid, confirmed="1", reason=" ")

        assert "Say why." in page.content.decode()
        assert not Entry.objects.exists()

    def test_refusals_are_reported_by_reason(self, as_finance, finance):
        own = RequestFactory(approved=True, user=finance)
        other = RequestFactory(approved=True)

        said = confirm(as_finance, "unpaidrequest", "waive", own, other, reason="a gift")

        assert said == [
            "1 of 2 let in without the fee.",
            "1 of 2 refused: Nobody waives a fee of their own. Ask a colleague.",
        ]
        assert Entry.objects.get().request == other

    def test_the_list_holds_only_who_owes(self, as_finance, unpaid):
        paid_entry()
        RequestFactory()

        page = as_finance.get(address("unpaidrequest"))

        assert [row.pk for row in page.context["cl"].result_list] == [unpaid.pk]

    def test_moderators_cannot_waive(self, client, moderator, unpaid):
        client.force_login(moderator)

        assert act(client, "unpaidrequest", "waive", unpaid, confirmed="1", reason="x").status_code == 403
        assert not Entry.objects.exists()


def receipt_and_event(request, number=0):
    """One row in each list."""
    unapplied_money(request)
    WebhookEvent.objects.create(provider="stripe", event_id=f"evt_{request.pk}_{number}", event_type="x", payload={})
    WebhookRefusal.objects.create(
        provider=f"of-{request.pk}-{number}", hour=database_now().replace(minute=0, second=0), sample_sha256="0" * 64
    )
