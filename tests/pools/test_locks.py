"""A round's fixed lock: set by staff with a reason, never after it has passed, always with a line of history."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from config.clock import database_now
from config.errors import Code, DomainError
from pools.models import RoundChange
from pools.services.locks import fix_lock
from tests.factories.pools import league, lock_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def round_():
    return league().rounds.get(number=1)


def fix(round_, at, by, reason="Doors close at noon."):
    changed = fix_lock(round_id=round_.pk, locks_at=at, by=by, now=database_now(), reason=reason)
    round_.refresh_from_db()
    return changed


def test_a_fixed_lock_comes_before_the_first_kickoff_and_leaves_a_line(round_, moderator):
    at = database_now() + timedelta(hours=3)

    assert fix(round_, at, moderator)
    assert not fix(round_, at, moderator)

    assert round_.locks_at == at < round_.first_kickoff_at
    change = RoundChange.objects.get(round_id=round_.pk)
    assert (change.before, change.after, change.actor_id, change.reason) == (
        None, at, moderator.pk, "Doors close at noon.",
    )  # fmt: skip


def test_a_fixed_lock_never_keeps_an_earlier_kickoff_open_and_can_be_taken_back(round_, moderator):
    fix(round_, round_.first_kickoff_at + timedelta(days=1), moderator)
    assert round_.locks_at == round_.first_kickoff_at

    fix(round_, None, moderator, "As the league plays.")
    assert (round_.fixed_locks_at, RoundChange.objects.count()) == (None, 2)


def test_what_cannot_be_is_refused(round_, moderator):
    def refusal(*arguments, **more) -> DomainError:
        with pytest.raises(DomainError) as caught:
            fix(*arguments, **more)
        return caught.value

    assert "fixed_locks_at" in refusal(round_, database_now() - timedelta(minutes=1), moderator).details
    assert "reason" in refusal(round_, None, moderator, reason=" ").details
    lock_round(round_)
    assert refusal(round_, database_now() + timedelta(days=9), moderator).code == Code.INVALID_TRANSITION
    round_.pk = 0
    with pytest.raises(DomainError) as caught:
        fix_lock(round_id=0, locks_at=None, by=moderator, now=database_now(), reason="x")
    assert caught.value.code == Code.NOT_FOUND


def test_raw_sql_leaves_a_line_too_and_cannot_reopen_a_round(round_):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pools_round SET fixed_locks_at = now() + interval '1 hour' WHERE id = %s", [round_.pk])
        assert RoundChange.objects.count() == 1
        cursor.execute("UPDATE pools_round SET fixed_locks_at = now() - interval '1 hour' WHERE id = %s", [round_.pk])
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE pools_round SET fixed_locks_at = NULL WHERE id = %s", [round_.pk])


def test_staff_set_it_on_the_rounds_page(client, round_, admin_user):
    client.force_login(admin_user)
    page = reverse("admin:pools_round_change", args=[round_.pk])
    at = (database_now() + timedelta(hours=3)).replace(microsecond=0, second=0)
    sent = {"fixed_locks_at_0": f"{at:%Y-%m-%d}", "fixed_locks_at_1": f"{at:%H:%M:%S}", "reason": "TV slot."}

    assert client.post(page, sent | {"reason": ""}).status_code == 302
    round_.refresh_from_db()
    assert round_.fixed_locks_at is None

    client.post(page, sent)
    round_.refresh_from_db()
    assert round_.fixed_locks_at == at
    assert "TV slot." in client.get(page).content.decode()


def test_finance_may_not(client, round_, finance):
    client.force_login(finance)
    page = reverse("admin:pools_round_change", args=[round_.pk])

    client.post(page, {"fixed_locks_at_0": "2099-01-01", "fixed_locks_at_1": "00:00:00", "reason": "Mine."})

    round_.refresh_from_db()
    assert round_.fixed_locks_at is None
