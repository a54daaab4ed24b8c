"""What staff decide, and the waiting list."""

from datetime import timedelta

import pytest

from config.clock import database_now
from config.errors import Code, DomainError
from config.models import OutboxMessage
from entries.models import Entry, EntryStatus, PaymentStatus, Request, RequestChange, RequestStatus
from entries.services.approvals import approve_request, promote_waiting, reject_request, waitlist_request
from entries.services.places import grant_place
from pools.models import Pool, PoolStatus
from pools.services.registration import close_registration
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league

pytestmark = pytest.mark.django_db

SEASON = timedelta(days=60)


def far_pool(**fields):
    """A pool whose first round is two months away."""
    return PoolFactory(competition=league(first_kickoff_in=SEASON), **fields)


def full_pool(**fields):
    pool = far_pool(capacity=1, **fields)
    RequestFactory(pool=pool, approved=True)
    return pool


def refusal(call, *args, **kwargs):
    with pytest.raises(DomainError) as caught:
        call(*args, **kwargs)
    return caught.value


def posted(kind):
    return [message.payload for message in OutboxMessage.objects.filter(kind=f"mail.{kind}").order_by("id")]


def last_change(request):
    return RequestChange.objects.filter(subject_id=request.pk).last()


def test_approving_copies_the_fee_and_starts_the_time_to_pay(moderator):
    pool, now = far_pool(entry_fee_cents=2500, currency="eur", pay_within_hours=48), database_now()
    request = approve_request(request=RequestFactory(pool=pool), by=moderator, now=now)
    request.refresh_from_db()
    assert (request.status, request.payment_status) == (RequestStatus.APPROVED, PaymentStatus.PENDING)
    assert (request.fee_cents, request.currency) == (2500, "eur")
    assert request.pay_by == now + timedelta(hours=48)
    assert (request.decided_by, request.decided_at) == (moderator, now)
    assert posted("request_approved") == [{"request": request.pk}]
    assert not Entry.objects.exists()


def test_the_time_to_pay_ends_when_registration_closes(moderator):
    closes_at = database_now() + timedelta(hours=5)
    pool = far_pool(registration_closes_at=closes_at)
    assert approve_request(request=RequestFactory(pool=pool), by=moderator, now=database_now()).pay_by == closes_at


def test_who_waited_for_the_pool_while_registration_was_closed_is_refused(moderator):
    pool = far_pool()
    owing, waiting = RequestFactory(pool=pool, approved=True), RequestFactory(pool=pool)
    before = database_now()
    close_registration(pool=pool, by=moderator)
    assert refusal(approve_request, request=waiting, by=moderator, now=before).code is Code.POOL_CLOSED
    assert refusal(close_registration, pool=pool, by=moderator).code is Code.INVALID_TRANSITION
    assert grant_place(request=owing, by=moderator, now=database_now(), waiver_reason="Cash.").status == "active"


def test_a_later_fee_changes_nothing_for_the_approved(moderator):
    pool = far_pool(entry_fee_cents=2500)
    request = approve_request(request=RequestFactory(pool=pool), by=moderator, now=database_now())
    Pool.objects.filter(pk=pool.pk).update(entry_fee_cents=9900)
    request.refresh_from_db()
    assert request.fee_cents == 2500


def test_every_decision_is_recorded_with_who_and_why(moderator):
    pool = full_pool()
    request = RequestFactory(pool=pool)
    waitlist_request(request=request, by=moderator, now=database_now())
    reject_request(request=request, by=moderator, now=database_now(), reason="Twice the same person.")
    changes = RequestChange.objects.filter(subject_id=request.pk).order_by("id")[1:]
    assert [(c.from_status, c.to_status, c.actor_id, c.reason) for c in changes] == [
        ("pending", "pending", moderator.pk, "put on the waiting list"),
        ("pending", "rejected", moderator.pk, "Twice the same person."),
    ]


def test_a_free_pool_makes_the_entry_at_approval_and_names_who_waived(moderator):
    pool = far_pool(entry_fee_cents=0)
    request = approve_request(request=RequestFactory(pool=pool, number=2), by=moderator, now=database_now())
    request.refresh_from_db()
    assert (request.payment_status, request.pay_by, request.fee_cents) == (PaymentStatus.COMPLETED, None, 0)
    assert (request.waived_by, request.waiver_reason) == (moderator, "Free pool")
    entry = request.entry
    assert (entry.pool, entry.user, entry.number, entry.status) == (pool, request.user, 2, EntryStatus.ACTIVE)
    assert posted("entry_confirmed") == [{"entry": entry.pk}]
    assert posted("request_approved") == []


def test_the_last_place_can_be_given_and_no_more(moderator):
    pool = far_pool(capacity=2)
    first, second, third = (RequestFactory(pool=pool) for _ in range(3))
    for request in (first, second):
        approve_request(request=request, by=moderator, now=database_now())
    refused = refusal(approve_request, request=third, by=moderator, now=database_now())
    assert (refused.code, refused.details) == (Code.POOL_FULL, {"capacity": 2})
    third.refresh_from_db()
    assert third.status == RequestStatus.PENDING


@pytest.mark.parametrize("status", ["approved", "rejected", "withdrawn", "expired"])
@pytest.mark.parametrize("decide", [approve_request, waitlist_request])
def test_only_pending_requests_are_decided(moderator, status, decide):
    fields = {"approved": True} if status == "approved" else {"status": status}
    request = RequestFactory(pool=full_pool(), **fields)
    assert refusal(decide, request=request, by=moderator, now=database_now()).code == Code.INVALID_TRANSITION


@pytest.mark.parametrize("status", ["approved", "rejected", "withdrawn", "expired"])
def test_only_pending_requests_are_rejected(moderator, status):
    fields = {"approved": True} if status == "approved" else {"status": status}
    refused = refusal(reject_request, request=RequestFactory(**fields), by=moderator, now=database_now(), reason="No.")
    assert refused.code == Code.INVALID_TRANSITION


@pytest.mark.parametrize("decide", [approve_request, waitlist_request])
@pytest.mark.parametrize("status", [PoolStatus.RUNNING, PoolStatus.FINISHED, PoolStatus.CANCELLED])
def test_a_pool_that_is_not_open_gives_no_places(moderator, decide, status):
    request = RequestFactory(pool=far_pool(status=status))
    assert refusal(decide, request=request, by=moderator, now=database_now()).code == Code.POOL_CLOSED


@pytest.mark.parametrize("decide", [approve_request, waitlist_request])
def test_no_places_are_given_after_registration_closed(moderator, decide):
    request = RequestFactory(pool=far_pool())
    refused = refusal(decide, request=request, by=moderator, now=database_now() + SEASON + timedelta(days=1))
    assert refused.code == Code.POOL_CLOSED


def test_a_request_can_be_rejected_after_registration_closed(moderator):
    request = RequestFactory(pool=far_pool(status=PoolStatus.RUNNING))
    assert reject_request(request=request, by=moderator, now=database_now(), reason="Too late.").status == "rejected"


@pytest.mark.parametrize(
    "decide", [approve_request, waitlist_request, lambda **given: reject_request(reason="Me?", **given)]
)
def test_nobody_decides_about_a_request_of_their_own(decide):
    moderator = ModeratorFactory()
    request = RequestFactory(pool=full_pool(), user=moderator)
    assert refusal(decide, request=request, by=moderator, now=database_now()).code == Code.FORBIDDEN


@pytest.mark.parametrize("decide", [approve_request, waitlist_request])
def test_a_closed_account_gets_no_place(moderator, decide):
    request = RequestFactory(pool=full_pool(), user=UserFactory(is_active=False))
    assert refusal(decide, request=request, by=moderator, now=database_now()).code == Code.NOT_ELIGIBLE


def test_rejecting_keeps_the_reason_for_the_player(moderator):
    now = database_now()
    request = reject_request(request=RequestFactory(), by=moderator, now=now, reason=" One account each, please. ")
    request.refresh_from_db()
    assert (request.status, request.reason) == (RequestStatus.REJECTED, "One account each, please.")
    assert (request.decided_by, request.decided_at) == (moderator, now)
    assert posted("request_rejected") == [{"request": request.pk}]


@pytest.mark.parametrize("reason", ["", " \n", "x" * 501])
def test_rejecting_needs_a_reason_that_fits(moderator, reason):
    refused = refusal(reject_request, request=RequestFactory(), by=moderator, now=database_now(), reason=reason)
    assert (refused.code, list(refused.details)) == (Code.VALIDATION_ERROR, ["reason"])


def test_waiting_is_a_decision_with_a_name(moderator):
    now = database_now()
    request = waitlist_request(request=RequestFactory(pool=full_pool()), by=moderator, now=now)
    request.refresh_from_db()
    assert (request.status, request.waitlisted_at, request.decided_by) == (RequestStatus.PENDING, now, moderator)


def test_nobody_waits_twice(moderator):
    request = waitlist_request(request=RequestFactory(pool=full_pool()), by=moderator, now=database_now())
    refused = refusal(waitlist_request, request=request, by=moderator, now=database_now())
    assert refused.code == Code.INVALID_TRANSITION


@pytest.mark.parametrize("capacity", [2, None])
def test_nobody_waits_for_a_pool_with_free_places(moderator, capacity):
    request = RequestFactory(pool=far_pool(capacity=capacity))
    refused = refusal(waitlist_request, request=request, by=moderator, now=database_now())
    assert (refused.code, refused.message) == (
        Code.INVALID_TRANSITION, "The pool has a free place. Approve the request instead.",
    )  # fmt: skip


def waiting(pool, moderator, number, user=None):
    """A request that joined the list `number` seconds from now."""
    request = RequestFactory(pool=pool, **({"user": user} if user else {}))
    return waitlist_request(request=request, by=moderator, now=database_now() + timedelta(seconds=number))


def enlarge(pool, capacity):
    Pool.objects.filter(pk=pool.pk).update(capacity=capacity)


def test_places_go_to_the_waiting_in_order_as_far_as_they_reach(moderator):
    pool, now = full_pool(), database_now()
    third, first, second = (waiting(pool, moderator, number) for number in (3, 1, 2))
    enlarge(pool, 3)
    assert promote_waiting(pool=pool, now=now) == [first, second]
    first.refresh_from_db()
    assert (first.status, first.payment_status, first.decided_by) == ("approved", "pending", moderator)
    assert first.pay_by == now + timedelta(hours=pool.pay_within_hours)
    assert (last_change(first).actor_id, last_change(first).reason) == (None, "next on the waiting list")
    assert Request.objects.get(pk=third.pk).status == RequestStatus.PENDING
    assert posted("request_promoted") == [{"request": first.pk}, {"request": second.pk}]


def test_a_free_pool_makes_entries_of_the_waiting(moderator):
    pool = full_pool(entry_fee_cents=0)
    request = waiting(pool, moderator, 1)
    enlarge(pool, 2)
    promote_waiting(pool=pool, now=database_now())
    request.refresh_from_db()
    assert (request.entry.status, request.waived_by) == (EntryStatus.ACTIVE, moderator)
    assert posted("entry_confirmed") == [{"entry": request.entry.pk}]
    assert posted("request_promoted") == []


def test_pending_requests_off_the_list_do_not_move_up(moderator):
    pool = full_pool()
    RequestFactory(pool=pool)
    enlarge(pool, 2)
    assert promote_waiting(pool=pool, now=database_now()) == []


def test_nobody_moves_up_once_registration_closed(moderator):
    pool = full_pool()
    waiting(pool, moderator, 1)
    enlarge(pool, 2)
    assert promote_waiting(pool=pool, now=database_now() + SEASON + timedelta(days=1)) == []


def test_a_closed_account_is_passed_over(moderator):
    pool, gone = full_pool(), UserFactory()
    waiting(pool, moderator, 1, gone)
    second = waiting(pool, moderator, 2)
    gone.is_active = False
    gone.save()
    enlarge(pool, 2)
    assert promote_waiting(pool=pool, now=database_now()) == [second]


def test_a_row_that_the_database_refuses_keeps_nobody_else_waiting(moderator):
    pool = full_pool(entry_fee_cents=0)
    broken, sound = waiting(pool, moderator, 1), waiting(pool, moderator, 2)
    # Nobody's name stands for the waiver of a free pool.
    Request.objects.filter(pk=broken.pk).update(decided_by=None)
    enlarge(pool, 3)
    assert promote_waiting(pool=pool, now=database_now()) == [sound]
    assert Request.objects.get(pk=broken.pk).status == RequestStatus.PENDING


def test_approving_again_after_a_stale_read_is_refused(moderator):
    stale = RequestFactory(pool=far_pool())
    approve_request(request=Request.objects.get(pk=stale.pk), by=moderator, now=database_now())
    assert stale.status == RequestStatus.PENDING
    assert refusal(approve_request, request=stale, by=moderator, now=database_now()).code == Code.INVALID_TRANSITION


def test_the_pool_is_locked_before_the_request(moderator, django_assert_num_queries):
    request = RequestFactory(pool=far_pool(capacity=5))
    with django_assert_num_queries(13) as seen:
        approve_request(request=request, by=moderator, now=database_now())
    locks = [query["sql"] for query in seen.captured_queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert [sql.split(' FROM "')[1].split('"')[0] for sql in locks] == ["pools_pool", "entries_request"]
