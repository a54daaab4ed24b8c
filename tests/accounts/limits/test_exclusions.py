"""Times without play: how they begin, and that nothing ends them but the calendar."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import ExcludedAddress, Exclusion, ExclusionKind
from accounts.services.exclusions import begin_exclusion, exclude_player, exclusion_of, refuse_excluded
from config.clock import database_now
from config.errors import Code, DomainError
from config.models import AuditEntry
from tests.accounts.test_models import run
from tests.support.attacks import attack

INSERT = """
    INSERT INTO accounts_exclusion (user_id, kind, days, begins_at, until, reason, by_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def cool_off(user, days=1):
    return begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=days)


def exclude_oneself(user, days=None):
    return begin_exclusion(user=user, kind=ExclusionKind.SELF_EXCLUSION, days=days)


def until_of(user, now=None):
    """The end in force: an instant, None for good, or `free`."""
    try:
        with transaction.atomic():
            refuse_excluded(user_id=user.pk, now=now or database_now())
    except DomainError as refusal:
        return refusal.details["until"] if refusal.code is Code.EXCLUDED else refusal.code
    return "free"


def told(instant):
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def refusal_of(call, *args, **kwargs):
    with pytest.raises(DomainError) as caught:
        call(*args, **kwargs)
    return caught.value.code, sorted(caught.value.details)


def test_nobody_is_excluded_to_begin_with(user):
    assert until_of(user) == "free"
    assert exclusion_of(user_id=user.pk, now=database_now()) is None


def test_it_begins_at_once_and_lasts_days_of_24_hours(user):
    before = database_now()

    exclusion = cool_off(user, days=42)

    assert before <= exclusion.begins_at <= database_now()
    assert exclusion.until - exclusion.begins_at == timedelta(days=42)
    assert until_of(user) == told(exclusion.until)


def test_it_holds_to_its_last_instant_and_not_longer(user):
    exclusion = cool_off(user)

    assert until_of(user, exclusion.until - timedelta(microseconds=1)) == told(exclusion.until)
    assert until_of(user, exclusion.until) == "free"


def test_one_that_began_after_our_now_was_read_holds(user):
    """Whoever waited for the player's row has an older now than the exclusion he waited for."""
    now = database_now()

    exclusion = cool_off(user)

    assert exclusion.begins_at > now
    assert until_of(user, now) == told(exclusion.until)


def test_for_good_never_ends(user):
    exclude_oneself(user)

    assert until_of(user, database_now() + timedelta(days=36500)) is None


def test_a_shorter_one_beside_it_shortens_nothing(user):
    long = exclude_oneself(user, days=200)
    cool_off(user, days=1)

    assert until_of(user) == told(long.until)

    exclude_oneself(user)
    exclude_oneself(user, days=180)

    assert until_of(user) is None


def test_it_is_one_persons_alone(user, stranger):
    cool_off(user)

    assert until_of(stranger) == "free"


@pytest.mark.parametrize("days", [None, 0, -1, 43, 180])
def test_a_cooling_off_has_an_end_within_weeks(user, days):
    assert refusal_of(cool_off, user, days) == (Code.VALIDATION_ERROR, ["days"])
    assert not Exclusion.objects.exists()


@pytest.mark.parametrize("days", [0, 1, 179, 3661])
def test_a_self_exclusion_lasts_half_a_year_at_least(user, days):
    assert refusal_of(exclude_oneself, user, days) == (Code.VALIDATION_ERROR, ["days"])


def test_a_player_does_not_write_what_staff_decide(user):
    asked = {"user": user, "kind": ExclusionKind.STAFF, "days": 10}
    assert refusal_of(begin_exclusion, **asked) == (Code.VALIDATION_ERROR, ["kind"])


def test_staff_exclude_with_a_reason_and_a_name(user, moderator):
    exclusion = exclude_player(user=user, days=None, by=moderator, reason=" asked by a court ")

    assert (exclusion.kind, exclusion.until, exclusion.by) == ("staff", None, moderator)
    assert exclusion.reason == "asked by a court"
    assert until_of(user) is None


@pytest.mark.parametrize(
    ("bad", "field"), [({"reason": " "}, "reason"), ({"reason": "x" * 501}, "reason"), ({"days": 0}, "days")]
)
def test_staff_give_a_reason_and_a_length(user, moderator, bad, field):
    asked = {"user": user, "days": 30, "by": moderator, "reason": "a court", **bad}
    assert refusal_of(exclude_player, **asked) == (Code.VALIDATION_ERROR, [field])


def test_the_audit_knows_who_began_it(user, moderator):
    cool_off(user)
    exclude_player(user=user, days=7, by=moderator, reason="a court")

    own, by_staff = AuditEntry.objects.filter(action="exclusion.began").order_by("id")
    assert (own.person_id, own.actor_id, own.data["kind"], own.reason) == (user.pk, user.pk, "cooling_off", "")
    assert (by_staff.person_id, by_staff.actor_id, by_staff.reason) == (user.pk, moderator.pk, "a court")


class TestRawSql:
    """Somebody with a password of the database does not end it either."""

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE accounts_exclusion SET until = clock_timestamp()",
            "UPDATE accounts_exclusion SET until = until - interval '1 second'",
            "UPDATE accounts_exclusion SET days = 1, begins_at = begins_at - interval '100 days'",
            "UPDATE accounts_exclusion SET user_id = (SELECT max(id) FROM accounts_user)",
            "UPDATE accounts_exclusion SET kind = 'cooling_off'",
            "DELETE FROM accounts_exclusion",
            "DELETE FROM accounts_excludedaddress",
            "UPDATE accounts_excludedaddress SET digest = repeat('0', 64)",
        ],
    )
    def test_no_row_changes_or_goes(self, user, stranger, sql):
        exclude_oneself(user, days=200)

        assert attack(sql) == "append_only"
        assert until_of(user) != "free"

    def test_the_table_is_not_emptied(self, user):
        cool_off(user)

        run("SET CONSTRAINTS ALL IMMEDIATE")
        assert attack("TRUNCATE accounts_exclusion CASCADE") == "append_only_truncate"

    def test_a_person_with_one_stays(self, user):
        cool_off(user)

        assert attack("DELETE FROM accounts_user WHERE id = %s", user.pk) is not None

    def test_beginning_and_end_are_the_databases_word(self, user):
        past = database_now() - timedelta(days=400)

        assert attack(INSERT, user.pk, "self_exclusion", 180, past, past + timedelta(days=1), "", None) is None

        exclusion = Exclusion.objects.get()
        assert exclusion.begins_at > past + timedelta(days=399)
        assert exclusion.until - exclusion.begins_at == timedelta(days=180)

    @pytest.mark.parametrize(
        ("kind", "days", "guard"),
        [
            ("cooling_off", None, "exclusion_cooling_off_days"),
            ("cooling_off", 43, "exclusion_cooling_off_days"),
            ("self_exclusion", 179, "exclusion_self_exclusion_days"),
            ("self_exclusion", 3661, "exclusion_days"),
            ("holiday", 10, "exclusion_kind_known"),
            ("staff", 10, "exclusion_staff_is_named"),
        ],
    )
    def test_no_other_length_or_kind(self, user, kind, days, guard):
        assert attack(INSERT, user.pk, kind, days, database_now(), None, "", None) == guard

    def test_a_players_own_has_no_name_of_staff(self, user, moderator):
        given = (user.pk, "cooling_off", 1, database_now(), None, "x", moderator.pk)
        assert attack(INSERT, *given) == "exclusion_staff_is_named"

    def test_one_that_continues_ends_with_the_other(self, user, stranger):
        first = exclude_oneself(user, days=200)
        sql = INSERT.replace("by_id)", "by_id, continues_id)").replace("%s)\n", f"%s, {first.pk})\n")

        assert attack(sql, stranger.pk, "cooling_off", 1, database_now(), database_now(), "", None) is None

        assert until_of(stranger) == told(first.until)


def test_the_address_is_kept_as_a_digest_alone(user):
    cool_off(user)

    digest = ExcludedAddress.objects.get().digest
    assert len(digest) == 64
    assert user.email not in digest
