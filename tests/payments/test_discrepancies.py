"""What waits for a person: raised once, freshened, looked after, resolved with a word, closed by itself."""

from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.db import DatabaseError, connection, transaction

from config.clock import database_now
from config.errors import DomainError
from payments.models import Discrepancy, DiscrepancyChange, DiscrepancyKind, DiscrepancyState
from payments.services.discrepancies import acknowledge, raise_discrepancy, resolve, settle_discrepancy
from tests.support.threads import run_together, successes

ABOUT = {"kind": DiscrepancyKind.EXTERNAL_REFUND, "object_key": "refund:7"}
TEXT = {"sentence": "50.00 USD left past us.", "suggestion": "Void the entry, or let the house bear it."}
LIST = "/admin/payments/discrepancy/"


def raised(**fields):
    return Discrepancy.objects.get(pk=raise_discrepancy(**{**ABOUT, **TEXT, **fields}))


@pytest.mark.django_db
class TestRaising:
    def test_it_is_open_without_an_owner(self):
        row = raised(details={"amount_cents": 5000})

        assert (row.status, row.owner, row.times_seen) == (DiscrepancyState.OPEN, None, 1)
        assert row.details == {"amount_cents": 5000}

    def test_again_it_is_counted_and_freshened(self):
        first = raised()
        due_at = database_now() + timedelta(days=3)

        again = raised(sentence="60.00 USD by now.", due_at=due_at)

        assert again.pk == first.pk
        assert (again.times_seen, again.sentence, again.due_at) == (2, "60.00 USD by now.", due_at)
        assert again.last_seen_at > first.last_seen_at

    def test_another_thing_is_another_row(self):
        assert raised().pk != raised(object_key="refund:8").pk

    def test_after_it_was_closed_it_is_a_new_one(self, finance):
        first = raised()
        resolve(discrepancy_id=first.pk, by=finance, resolution="the house bears it")

        assert raised().pk != first.pk

    def test_what_is_rolled_back_was_no_doubt(self):
        with transaction.atomic():
            raised()
            transaction.set_rollback(True)

        assert not Discrepancy.objects.exists()


@pytest.mark.django_db
class TestClosing:
    def test_it_settles_by_itself(self):
        row = raised()

        assert settle_discrepancy(**ABOUT, resolution="it came back")

        row.refresh_from_db()
        assert (row.status, row.closed_by, row.resolution) == (DiscrepancyState.RESOLVED, None, "it came back")

    def test_where_there_is_none_nothing_settles(self):
        assert not settle_discrepancy(**ABOUT, resolution="nothing")

    def test_somebody_looks_after_it(self, finance):
        row = acknowledge(discrepancy_id=raised().pk, by=finance)

        assert (row.status, row.owner) == (DiscrepancyState.ACKNOWLEDGED, finance)

    def test_another_takes_it_over(self, finance, admin_user):
        row = raised()
        acknowledge(discrepancy_id=row.pk, by=finance)

        assert acknowledge(discrepancy_id=row.pk, by=admin_user).owner == admin_user

    def test_a_person_resolves_it_with_a_word(self, finance):
        row = resolve(discrepancy_id=raised().pk, by=finance, resolution="  talked to the player ")

        assert (row.status, row.closed_by, row.resolution) == ("resolved", finance, "talked to the player")
        change = DiscrepancyChange.objects.filter(subject_id=row.pk).last()
        assert (change.to_status, change.actor_id, change.reason) == ("resolved", finance.pk, "talked to the player")

    @pytest.mark.parametrize("resolution", ["", "   ", "x" * 501])
    def test_without_a_word_it_is_refused(self, finance, resolution):
        with pytest.raises(DomainError) as refusal:
            resolve(discrepancy_id=raised().pk, by=finance, resolution=resolution)

        assert refusal.value.code == "VALIDATION_ERROR"

    def test_twice_is_refused(self, finance):
        row = raised()
        resolve(discrepancy_id=row.pk, by=finance, resolution="done")

        with pytest.raises(DomainError) as refusal:
            resolve(discrepancy_id=row.pk, by=finance, resolution="again")

        assert refusal.value.code == "INVALID_TRANSITION"

    def test_one_that_is_not_there_is_refused(self, finance):
        with pytest.raises(DomainError) as refusal:
            acknowledge(discrepancy_id=4711, by=finance)

        assert refusal.value.code == "NOT_FOUND"


@pytest.mark.django_db(transaction=True)
class TestRawSql:
    @pytest.mark.parametrize(
        "attack",
        [
            "DELETE FROM payments_discrepancy",
            "TRUNCATE payments_discrepancy",
            "UPDATE payments_discrepancy SET status = 'resolved'",
            "UPDATE payments_discrepancy SET status = 'resolved', closed_at = now()",
            "UPDATE payments_discrepancy SET status = 'forgotten'",
            "DELETE FROM payments_discrepancychange",
            "UPDATE payments_discrepancychange SET reason = 'nobody did it'",
        ],
    )
    def test_a_doubt_is_neither_lost_nor_closed_in_silence(self, attack):
        raised()

        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(attack)

        assert Discrepancy.objects.get().status == DiscrepancyState.OPEN

    def test_raised_by_eight_at_once_it_is_one(self):
        outcomes = run_together([lambda: raised().pk] * 8)

        assert len(successes(outcomes)) == 8
        assert len(set(successes(outcomes))) == 1
        assert Discrepancy.objects.get().times_seen == 8


@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def page(self, client, finance):
        client.force_login(finance)
        return client

    def press(self, page, action, *rows, **fields):
        data = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **fields}
        answer = page.post(LIST, {**data, "confirmed": str(len(rows))})
        return [str(message) for message in get_messages(answer.wsgi_request)]

    def test_open_ones_are_shown_unless_others_are_asked_for(self, page, finance):
        raised(sentence="still open")
        closed = raised(object_key="refund:9", sentence="long closed")
        resolve(discrepancy_id=closed.pk, by=finance, resolution="done")

        shown = page.get(LIST).content.decode()
        others = page.get(f"{LIST}?state=closed").content.decode()

        assert ("still open" in shown, "long closed" in shown) == (True, False)
        assert ("still open" in others, "long closed" in others) == (False, True)

    @pytest.mark.parametrize("state", ["mine", "overdue", "all"])
    def test_the_other_lists_open(self, page, finance, state):
        row = raised(due_at=database_now() - timedelta(days=1), sentence="an overdue one")
        acknowledge(discrepancy_id=row.pk, by=finance)

        assert "an overdue one" in page.get(f"{LIST}?state={state}").content.decode()

    def test_the_buttons_do_what_they_say(self, page, finance):
        row = raised()

        self.press(page, "look_after", row)
        self.press(page, "mark_resolved", row, reason="talked to the player")

        row.refresh_from_db()
        assert (row.status, row.owner, row.resolution) == ("resolved", finance, "talked to the player")

    def test_a_moderator_sees_nothing_of_it(self, client, moderator):
        client.force_login(moderator)

        assert client.get(LIST).status_code == 403
