"""Asking for a place, and withdrawing."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import AgeLimit
from config.clock import database_now
from config.errors import Code, DomainError
from config.models import OutboxMessage
from entries.models import PaymentStatus, Request, RequestChange, RequestStatus
from entries.services.approvals import approve_request, reject_request, waitlist_request
from entries.services.places import grant_place
from entries.services.requests import ask_to_join, withdraw_request
from pools.models import PoolStatus
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league, lock_round

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory()


def ask(pool, user, now=None):
    return ask_to_join(pool_id=pool.pk, user=user, now=now or database_now())


def refusal(call, *args, **kwargs):
    with pytest.raises(DomainError) as caught:
        call(*args, **kwargs)
    return caught.value


def mails(kind):
    return OutboxMessage.objects.filter(kind=f"mail.{kind}")


def test_asking_makes_a_pending_request_that_owes_nothing(pool, player):
    request = ask(pool, player)
    request.refresh_from_db()
    assert (request.pool, request.user, request.number) == (pool, player, 1)
    assert (request.status, request.payment_status) == (RequestStatus.PENDING, PaymentStatus.NOT_DUE)
    assert (request.fee_cents, request.currency, request.pay_by) == (None, "", None)


def test_asking_is_recorded_with_who_asked(pool, player):
    request = ask(pool, player)
    change = RequestChange.objects.get(subject_id=request.pk)
    assert (change.from_status, change.to_status, change.actor_id) == ("", "pending", player.pk)


def test_numbers_are_given_lowest_first_up_to_the_limit(pool, player):
    assert [ask(pool, player).number for _ in range(3)] == [1, 2, 3]
    refused = refusal(ask, pool, player)
    assert (refused.code, refused.details) == (Code.REQUEST_LIMIT_REACHED, {"limit": 3})


def test_the_limit_is_the_pools_own(player):
    pool = PoolFactory(max_entries_per_user=1)
    ask(pool, player)
    assert refusal(ask, pool, player).code == Code.REQUEST_LIMIT_REACHED


def test_the_limit_counts_each_player_and_each_pool_apart(pool, player, stranger):
    for _ in range(3):
        ask(pool, player)
    assert ask(pool, stranger).number == 1
    assert ask(PoolFactory(), player).number == 1


@pytest.mark.parametrize("status", ["withdrawn", "expired"])
def test_an_ended_request_gives_its_number_back(pool, player, status):
    requests = [ask(pool, player) for _ in range(3)]
    middle = requests[1]
    if status == "expired":
        Request.objects.filter(pk=middle.pk).update(
            status="approved", fee_cents=1, currency="usd", decided_at=database_now()
        )
    Request.objects.filter(pk=middle.pk).update(status=status)
    assert ask(pool, player).number == 2


def test_a_rejected_request_keeps_its_number(pool, player, moderator):
    reject_request(request=ask(pool, player), by=moderator, now=database_now(), reason="No.")
    assert ask(pool, player).number == 2


def test_a_full_pool_still_takes_requests(player):
    pool = PoolFactory(capacity=1)
    RequestFactory(pool=pool, approved=True)
    assert ask(pool, player).status == RequestStatus.PENDING


@pytest.mark.parametrize("status", [PoolStatus.RUNNING, PoolStatus.FINISHED, PoolStatus.CANCELLED])
def test_a_pool_that_is_not_open_takes_no_requests(player, status):
    refused = refusal(ask, PoolFactory(status=status), player)
    assert (refused.code, refused.details) == (Code.POOL_CLOSED, {"status": status})


def test_a_draft_is_not_there(player):
    assert refusal(ask, PoolFactory(status=PoolStatus.DRAFT), player).code == Code.NOT_FOUND


def test_an_unknown_pool_is_not_there(player, db):
    assert refusal(ask_to_join, pool_id=999, user=player, now=database_now()).code == Code.NOT_FOUND


def test_registration_is_open_until_the_pools_own_instant_and_closed_from_it(player):
    closes_at = database_now() + timedelta(hours=1)
    pool = PoolFactory(registration_closes_at=closes_at)
    assert ask(pool, player, closes_at - timedelta(milliseconds=1)).number == 1
    assert refusal(ask, pool, player, closes_at).code == Code.POOL_CLOSED


def test_registration_closes_with_the_first_lock_at_the_latest(pool, player):
    lock_round(pool.competition.rounds.get(number=1))
    refused = refusal(ask, pool, player)
    assert refused.code == Code.POOL_CLOSED
    assert refused.details["registration_closes_at"].endswith("Z")


def test_a_later_first_round_keeps_registration_open(player):
    competition = league()
    lock_round(competition.rounds.get(number=1))
    assert ask(PoolFactory(competition=competition, first_round_number=2), player).number == 1


def test_an_unverified_address_may_not_ask(pool):
    assert refusal(ask, pool, UserFactory(email_verified_at=None)).code == Code.EMAIL_NOT_VERIFIED


def test_age_is_counted_on_the_day_where_the_competition_is_played():
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=4000), time_zone="America/New_York"))
    player = UserFactory(date_of_birth=date(2010, 6, 15))
    # 03:30 in UTC is still the day before in New York.
    assert refusal(ask, pool, player, datetime(2028, 6, 15, 3, 30, tzinfo=UTC)).code == Code.NOT_ELIGIBLE
    assert ask(pool, player, datetime(2028, 6, 15, 4, 0, tzinfo=UTC)).number == 1


def test_a_birthday_on_29_february_counts_from_1_march():
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=4000), time_zone="UTC"))
    player = UserFactory(date_of_birth=date(2008, 2, 29))
    assert refusal(ask, pool, player, datetime(2026, 2, 28, 12, tzinfo=UTC)).code == Code.NOT_ELIGIBLE
    assert ask(pool, player, datetime(2026, 3, 1, 12, tzinfo=UTC)).number == 1


def test_an_unknown_date_of_birth_is_not_of_age(pool):
    refused = refusal(ask, pool, UserFactory(date_of_birth=None))
    assert (refused.code, refused.details) == (Code.NOT_ELIGIBLE, {"minimum_age": 18})


def test_a_pool_without_an_age_asks_for_that_of_the_place():
    refused = refusal(ask, PoolFactory(minimum_age=0), UserFactory(date_of_birth=None))
    assert (refused.code, refused.details) == (Code.NOT_ELIGIBLE, {"minimum_age": 18})


@pytest.mark.parametrize(("of_pool", "of_place", "needed"), [(18, 21, 21), (25, 21, 25), (18, 16, 18)])
def test_the_stricter_of_pool_and_place_counts(of_pool, of_place, needed):
    AgeLimit.objects.create(country="US", minimum_age=of_place)
    pool = PoolFactory(competition=league(first_kickoff_in=timedelta(days=4000), time_zone="UTC"), minimum_age=of_pool)
    player = UserFactory(country="US", date_of_birth=date(2010, 1, 1))
    refused = refusal(ask, pool, player, datetime(2010 + needed, 1, 1, tzinfo=UTC) - timedelta(days=1))
    assert (refused.code, refused.details) == (Code.NOT_ELIGIBLE, {"minimum_age": needed})
    assert ask(pool, player, datetime(2010 + needed, 1, 1, tzinfo=UTC)).number == 1


def test_a_place_that_is_barred_since_registration_keeps_its_players_out(pool):
    player = UserFactory(country="US", region="WA")
    AgeLimit.objects.create(country="US", region="WA", is_barred=True)
    refused = refusal(ask, pool, player)
    assert (refused.code, refused.details) == (Code.NOT_ELIGIBLE, {"country": "US", "region": "WA"})
    assert ask(pool, UserFactory(country="US", region="NV")).number == 1


def test_a_player_from_elsewhere_may_not_ask():
    pool = PoolFactory(countries=["US", "CA"])
    assert ask(pool, UserFactory(country="CA")).number == 1
    refused = refusal(ask, pool, UserFactory(country="DE"))
    assert (refused.code, refused.details) == (Code.NOT_ELIGIBLE, {"countries": ["CA", "US"]})


def test_a_pool_can_be_offered_in_regions_alone():
    pool = PoolFactory(countries=["CA", "US-NV", "US-NJ"])
    assert ask(pool, UserFactory(country="US", region="NJ")).number == 1
    assert ask(pool, UserFactory(country="CA", region="ON")).number == 1
    for elsewhere in ({"country": "US", "region": "WA"}, {"country": "DE", "region": "NV"}):
        assert refusal(ask, pool, UserFactory(**elsewhere)).code == Code.NOT_ELIGIBLE
    unsaid = refusal(ask, pool, UserFactory(country="US", region=""))
    assert (unsaid.code, list(unsaid.details)) == (Code.VALIDATION_ERROR, ["region"])


def test_withdrawing_a_pending_request_ends_it(pool, player):
    request = withdraw_request(request=ask(pool, player), by=player, now=database_now())
    request.refresh_from_db()
    assert (request.status, request.payment_status) == (RequestStatus.WITHDRAWN, PaymentStatus.NOT_DUE)
    change = RequestChange.objects.filter(subject_id=request.pk).last()
    assert (change.from_status, change.to_status, change.actor_id) == ("pending", "withdrawn", player.pk)


def test_withdrawing_an_unpaid_place_frees_it_for_the_first_in_line(player, moderator):
    pool, now = PoolFactory(capacity=1), database_now()
    held = approve_request(request=ask(pool, player), by=moderator, now=now)
    waiting = [ask(pool, UserFactory()) for _ in range(2)]
    for request in reversed(waiting):
        waitlist_request(request=request, by=moderator, now=now)
        now += timedelta(seconds=1)
    withdrawn = withdraw_request(request=held, by=player, now=now)
    assert withdrawn.payment_status == PaymentStatus.NOT_DUE
    assert [Request.objects.get(pk=request.pk).status for request in waiting] == ["pending", "approved"]


def test_a_paid_place_cannot_be_withdrawn(pool, player, moderator):
    request = approve_request(request=ask(pool, player), by=moderator, now=database_now())
    grant_place(request=request, by=None, now=database_now())
    assert refusal(withdraw_request, request=request, by=player, now=database_now()).code == Code.ALREADY_PAID


@pytest.mark.parametrize("status", ["rejected", "withdrawn", "expired"])
def test_what_has_ended_cannot_be_withdrawn(pool, player, status):
    request = RequestFactory(pool=pool, user=player, status=status)
    assert refusal(withdraw_request, request=request, by=player, now=database_now()).code == Code.INVALID_TRANSITION


def test_staff_take_a_mistaken_approval_back_with_a_reason(pool, player, moderator):
    request = approve_request(request=ask(pool, player), by=moderator, now=database_now())
    request = withdraw_request(request=request, by=moderator, now=database_now(), reason="  Approved by mistake. ")
    assert (request.status, request.reason) == (RequestStatus.WITHDRAWN, "Approved by mistake.")
    change = RequestChange.objects.filter(subject_id=request.pk).last()
    assert (change.actor_id, change.reason) == (moderator.pk, "Approved by mistake.")
    assert mails("request_withdrawn").get().payload == {"request": request.pk}
    assert ask(pool, player).number == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_staff_need_a_reason_that_fits(pool, player, moderator, reason):
    refused = refusal(withdraw_request, request=ask(pool, player), by=moderator, now=database_now(), reason=reason)
    assert (refused.code, list(refused.details)) == (Code.VALIDATION_ERROR, ["reason"])


def test_a_player_who_withdraws_gets_no_mail(pool, player):
    withdraw_request(request=ask(pool, player), by=player, now=database_now())
    assert not mails("request_withdrawn").exists()
