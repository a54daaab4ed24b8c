"""Exclusions and limits against whatever would break them in the same moment."""

import threading
import time
from contextlib import contextmanager

import pytest
from django.db import transaction

from accounts.models import Exclusion, ExclusionKind, User
from accounts.services import exclusions
from accounts.services.exclusions import begin_exclusion, exclusion_of
from accounts.services.spending import set_limit, state_of
from config.clock import database_now
from config.errors import Code
from entries.models import Entry, Request, RequestChange
from entries.services import approvals, places
from entries.services import requests as asking_for_places
from entries.services.approvals import approve_request, waitlist_request
from entries.services.places import grant_place
from entries.services.requests import ask_to_join, withdraw_request
from payments.models import Payment
from payments.services import checkout
from payments.services.checkout import start_payment
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.support.threads import again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)

FEE, STARTS = 5000, 30


@pytest.fixture
def requests(db):
    """Makes a player who owes thirty fees, each of another pool of one league."""
    competition = league()

    def make():
        player = UserFactory()
        pools = [PoolFactory(competition=competition) for _ in range(STARTS)]
        return player, [RequestFactory(approved=True, user=player, pool=pool) for pool in pools]

    return make


def limit(player, amount_cents):
    return set_limit(user=player, currency="usd", amount_cents=amount_cents, now=database_now())


def spent(player):
    return state_of(user_id=player.pk, currency="usd", now=database_now()).spent_cents


def intending(request):
    """The part of the start that decides; what follows asks the provider, and locks nothing."""
    return lambda: checkout._intend(request.pk, request.user)


@again_and_again
def test_thirty_payments_at_once_never_pass_the_limit(requests):
    player, owed = requests()
    limit(player, 3 * FEE + FEE - 1)

    outcomes = run_together([intending(request) for request in owed])

    assert len(successes(outcomes)) == 3
    assert codes(outcomes) == ["SPENDING_LIMIT_REACHED"] * (STARTS - 3)
    assert spent(player) == 3 * FEE
    assert Payment.objects.filter(request__user=player).count() == 3


def test_without_the_lock_they_do(requests, monkeypatch):
    """The control: everybody looks before anybody has written, and the race is lost."""
    player, owed = requests()
    limit(player, 3 * FEE)
    monkeypatch.setattr(checkout, "HELD", ("self",))
    together = threading.Barrier(STARTS)
    look = checkout.refuse_payment

    def look_together(**asked):
        look(**asked)
        together.wait(30)

    monkeypatch.setattr(checkout, "refuse_payment", look_together)

    outcomes = run_together([intending(request) for request in owed])

    assert len(successes(outcomes)) == STARTS
    assert spent(player) == STARTS * FEE


def test_whole_starts_at_once_do_not_pass_it_either(requests, double):
    player, owed = requests()
    limit(player, 2 * FEE)

    outcomes = run_together(
        [lambda one=one: start_payment(request_id=one.pk, user=player) for one in owed[:8]], timeout=120
    )

    assert len(successes(outcomes)) == 2
    assert codes(outcomes) == ["SPENDING_LIMIT_REACHED"] * 6


@again_and_again
def test_a_lower_limit_and_a_start_know_of_each_other(requests):
    """Either the payment was before the limit, and the limit says so, or it is refused."""
    player, owed = requests()
    limit(player, 10 * FEE)

    lowered, started = run_together([lambda: limit(player, 0), intending(owed[0])])

    assert lowered.worked
    if started.worked:
        assert lowered.value.spent_cents in (0, FEE)
        payment = Payment.objects.get(request=owed[0])
        assert payment.created_at < player.spending_limits.get(amount_cents=0).asked_at
    else:
        assert codes([started]) == ["SPENDING_LIMIT_REACHED"]


def looks_with(module):
    """What the door calls; checkout holds the player's row before."""
    return "refuse_payment" if module is checkout else "refuse_excluded"


@contextmanager
def slow_look(monkeypatch, module):
    """After somebody was found not to be excluded, half a second goes by before he gets his place."""
    look = getattr(module, looks_with(module))

    def look_and_dawdle(**asked):
        look(**asked)
        time.sleep(0.5)

    with monkeypatch.context() as patched:
        patched.setattr(module, looks_with(module), look_and_dawdle)
        yield


def exclude(player):
    return begin_exclusion(user=player, kind=ExclusionKind.SELF_EXCLUSION, days=None)


def excluded_in_the_middle(player, call):
    """The call, and an exclusion that is asked for while the call is between look and commit."""

    def exclude_a_little_later():
        time.sleep(0.2)
        return exclude(player)

    return run_together([call, exclude_a_little_later])


def doors():
    """Each way to a place, as (module whose look is slow, player, call, when the place was given)."""
    pool, staff = PoolFactory(), ModeratorFactory()
    player = UserFactory()
    yield asking_for_places, player, lambda: ask_to_join(pool_id=pool.pk, user=player, now=database_now())
    pending = RequestFactory(pool=pool)
    yield approvals, pending.user, lambda: approve_request(request=pending, by=staff, now=database_now())
    owing = RequestFactory(pool=pool, approved=True)
    yield places, owing.user, lambda: grant_place(request=owing, by=None, now=database_now())
    unpaid = RequestFactory(pool=pool, approved=True)
    yield checkout, unpaid.user, lambda: checkout._intend(unpaid.pk, unpaid.user)


@pytest.mark.parametrize("door", range(4))
def test_an_exclusion_waits_for_a_place_that_is_being_given(door, monkeypatch):
    """It begins after the place was given, so no place is given in it."""
    module, player, call = list(doors())[door]

    with slow_look(monkeypatch, module):
        given, excluded = excluded_in_the_middle(player, call)

    assert (given.error, excluded.error) == (None, None)
    assert excluded.value.begins_at > last_gift(player)


@pytest.mark.parametrize("door", range(4))
def test_without_the_lock_a_place_is_given_in_an_exclusion(door, monkeypatch):
    """The control: who only looks gives a place to somebody who is excluded already, unless the database refuses."""
    module, player, call = list(doors())[door]

    def only_look(*, user_id, now):
        found = exclusion_of(user_id=user_id, now=now)
        if found is not None:
            raise exclusions.Excluded(found)

    if module is checkout:
        monkeypatch.setattr(checkout, "HELD", ("self",))
    else:
        monkeypatch.setattr(module, "refuse_excluded", only_look)
    with slow_look(monkeypatch, module):
        given, excluded = excluded_in_the_middle(player, call)

    assert excluded.error is None
    if given.worked:
        assert excluded.value.begins_at < last_gift(player)
    else:
        # New requests and entries have a guard of their own.
        assert "of_excluded" in str(given.error.__cause__.diag.constraint_name)


def last_gift(player):
    """When the player was given something last: a request, an approval, an entry, a payment."""
    given = [
        *Request.objects.filter(user=player).values_list("created_at", flat=True),
        *Entry.objects.filter(user=player).values_list("created_at", flat=True),
        *Payment.objects.filter(request__user=player).values_list("created_at", flat=True),
    ]
    ids = Request.objects.filter(user=player).values("pk")
    given += RequestChange.objects.filter(subject_id__in=ids, to_status="approved").values_list("at", flat=True)
    return max(given)


@again_and_again
def test_promotions_and_exclusions_never_wait_for_each_other_in_a_ring():
    """Places fall free in two pools while everybody who waits is excluded, pays and asks."""
    competition, staff = league(), ModeratorFactory()
    players = [UserFactory() for _ in range(4)]
    holding = []
    for _ in range(2):
        pool = PoolFactory(competition=competition, capacity=1)
        holding.append(RequestFactory(pool=pool, approved=True))
        for player in players:
            waitlist_request(request=RequestFactory(pool=pool, user=player), by=staff, now=database_now())
    other = PoolFactory(competition=competition)

    def asking(pool, player):
        return lambda: ask_to_join(pool_id=pool.pk, user=player, now=database_now())

    def leaving(request):
        return lambda: withdraw_request(request=request, by=request.user, now=database_now())

    outcomes = run_together(
        [
            *(leaving(request) for request in holding),
            *(lambda player=player: exclude(player) for player in players[:2]),
            *(lambda player=player: limit(player, FEE) for player in players),
            *(asking(other, player) for player in players),
        ]
    )

    assert set(codes(outcomes)) <= {Code.EXCLUDED}
    assert all(outcome.worked for outcome in outcomes[:4])
    approved = Request.objects.filter(status="approved", user__in=players)
    for request in approved:
        begun = Exclusion.objects.filter(user_id=request.user_id).first()
        assert begun is None or begun.begins_at > last_gift(request.user)


@again_and_again
def test_two_exclusions_of_one_player_both_begin():
    player = UserFactory()

    outcomes = run_together([lambda: exclude(player)] * 6)

    assert len(successes(outcomes)) == 6
    assert Exclusion.objects.filter(user=player).count() == 6


@again_and_again
def test_a_look_does_not_wait_for_another_look():
    """Two places of one player are given side by side: an hour of one does not hold up the other."""
    player = UserFactory()

    with transaction.atomic():
        exclusions.refuse_excluded(user_id=player.pk, now=database_now())
        [outcome] = run_together([lambda: looked(player)], timeout=5)

    assert outcome.worked


def looked(player):
    with transaction.atomic():
        exclusions.refuse_excluded(user_id=player.pk, now=database_now())


def test_who_signs_in_is_not_held_up_by_a_look():
    player = UserFactory()

    with transaction.atomic():
        exclusions.refuse_excluded(user_id=player.pk, now=database_now())
        [outcome] = run_together([lambda: held(player)], timeout=5)

    assert outcome.worked


def held(player):
    with transaction.atomic():
        return User.objects.locked().get(pk=player.pk).pk
