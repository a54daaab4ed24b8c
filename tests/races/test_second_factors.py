"""Races around the second factor, with real threads on real PostgreSQL.

The control shows the same codes to a sign-in that does not lock the person's row, on a table without its guard: there
several get in with one code, so these tests would notice.
"""

import pytest
from django.db import connection

from accounts.models import RecoveryCode, Session, SessionEnd, Totp, User
from accounts.services.one_time_codes import make_recovery_codes
from accounts.services.second_factor import begin_setup, confirm_setup, reset_second_factor
from accounts.services.sessions import prove_again, reauthenticate, refresh_session, sign_in
from accounts.services.tokens import read_access
from config.clock import database_now
from config.errors import Code
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.support.devices import Device, give_device
from tests.support.hashing import make_quick
from tests.support.threads import REPETITIONS, again_and_again, codes, run_together, successes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch):
    """Argon2 at its least: the race is for the rows, not for the processor."""
    make_quick(monkeypatch)


def somebody():
    user = UserFactory(password=PASSWORD)
    return user, give_device(user)


def entering(user, otp):
    return lambda: sign_in(email=user.email, password=PASSWORD, otp=otp)


@again_and_again
def test_of_twelve_with_one_code_exactly_one_gets_in():
    user, device = somebody()
    code = device.code()

    outcomes = run_together([entering(user, code)] * 12)

    assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.INVALID_CREDENTIALS] * 11)
    assert Session.objects.filter(user=user).count() == 1


@again_and_again
def test_of_twelve_with_one_recovery_code_exactly_one_gets_in():
    user, _ = somebody()
    [code, *_] = make_recovery_codes(user)

    outcomes = run_together([entering(user, code)] * 12)

    assert (len(successes(outcomes)), codes(outcomes)) == (1, [Code.INVALID_CREDENTIALS] * 11)
    assert RecoveryCode.objects.unused().filter(user=user).count() == 9


@pytest.fixture
def without_guards(monkeypatch):
    """No lock of the person's row, and no trigger that looks at the step."""
    monkeypatch.setattr("accounts.models.user.UserManager.locked", lambda self: self.get_queryset())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_totp DISABLE TRIGGER USER")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_totp ENABLE TRIGGER USER")


@pytest.mark.usefixtures("without_guards")
def test_without_lock_and_guard_several_would_get_in():
    winners = []
    for _ in range(max(REPETITIONS, 5)):
        user, device = somebody()
        winners.append(len(successes(run_together([entering(user, device.code())] * 12))))

    assert max(winners) > 1


@again_and_again
def test_of_two_devices_that_are_set_up_at_once_one_counts():
    user = UserFactory(password=PASSWORD)
    device = Device(begin_setup(user=user).secret)

    outcomes = run_together([lambda: confirm_setup(user=user, code=device.beside(0), now=database_now())] * 6)

    assert (len(successes(outcomes)), set(codes(outcomes))) == (1, {Code.INVALID_TRANSITION})
    assert Totp.objects.filter(user=user).count() == 1
    assert RecoveryCode.objects.filter(user=user).count() == 10


@again_and_again
def test_no_sign_in_with_the_old_device_outlives_its_reset():
    boss = AdminFactory()
    user, device = somebody()
    calls = [entering(user, device.beside(beside)) for beside in (-1, 0, 1)]

    outcomes = run_together([*calls, lambda: reset_second_factor(user=user, by=boss, reason="stolen")])

    assert outcomes[-1].worked
    # Whoever came after found an account without a second factor, and a code nobody can check.
    assert set(codes(outcomes)) <= {Code.VALIDATION_ERROR, Code.INVALID_CREDENTIALS}
    assert not Session.objects.live().filter(user=user).exists()


@again_and_again
def test_a_refresh_and_a_fresh_sign_in_of_one_session_leave_one_good_token():
    user = UserFactory(password=PASSWORD)
    pair = sign_in(email=user.email, password=PASSWORD).pair
    session_id = read_access(pair.access.encode()).session_id
    proven = prove_again(user=user, password=PASSWORD)

    outcomes = run_together(
        [
            lambda: refresh_session(refresh=pair.refresh),
            lambda: reauthenticate(proven=proven, session_id=session_id),
        ]
    )

    session = Session.objects.get(pk=session_id)
    if session.revoked_at is None:
        good = [outcome.value.refresh for outcome in outcomes if outcome.worked]
        assert len(good) == 2
        refresh_session(refresh=outcomes[1].value.refresh)
    else:
        # The refresh came second, with a token that was spent by then: nobody can tell it from a thief's.
        assert (session.revoked_because, codes(outcomes)) == (SessionEnd.REUSED, [Code.TOKEN_INVALID])


@again_and_again
def test_the_right_of_the_last_admin_survives_resets_of_each_other():
    one, two = AdminFactory(), AdminFactory()
    give_device(one)
    give_device(two)

    outcomes = run_together(
        [
            lambda: reset_second_factor(user=one, by=two, reason="lost"),
            lambda: reset_second_factor(user=two, by=one, reason="lost"),
        ]
    )

    assert len(successes(outcomes)) == 2
    assert not Totp.objects.filter(user__in=[one, two]).exists()
    assert User.objects.filter(pk__in=[one.pk, two.pk], is_active=True, role="admin").count() == 2
