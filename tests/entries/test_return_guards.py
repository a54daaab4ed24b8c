"""Returns attacked with raw SQL: what the database itself refuses."""

import pytest
from django.db import IntegrityError, connection, transaction

from entries.models import Reprieve, Request
from pools.models import Pool
from tests.factories.accounts import UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, lock_round
from tests.support.buying_back import ask, fallen_in, generous_pool, pay

pytestmark = pytest.mark.django_db

INSERT_REPRIEVE = """
    INSERT INTO entries_reprieve (entry_id, from_round_number, before_round_number, request_id, ruling_id)
    VALUES (%(entry)s, %(from)s, %(before)s, %(request)s, NULL)
"""
INSERT_BUY_BACK = """
    INSERT INTO entries_request (pool_id, user_id, kind, number, bought_entry_id, round_number, resumes_round_number,
                                 status, payment_status, fee_cents, currency, reason, waiver_reason, decided_at, pay_by)
    SELECT pool_id, user_id, %(kind)s, number, %(entry)s, %(fell)s, %(resumes)s, 'approved', 'pending', 1, 'usd', '',
           '', now(), now() + interval '1 day' FROM entries_request WHERE id = %(like)s
"""


def execute(sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def refused(sql, values=None):
    """The name of the guard that refuses the statement."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        execute(sql, values)
    return caught.value.__cause__.diag.constraint_name


@pytest.fixture
def pool():
    return generous_pool()


@pytest.fixture
def fallen(pool, player):
    return fallen_in(pool, owner=player)


@pytest.fixture
def asked(fallen):
    return ask(fallen)


@pytest.fixture
def paid(asked):
    """Counted as paid behind the service's back: nothing was brought back yet."""
    execute("UPDATE entries_request SET payment_status = 'completed' WHERE id = %s", [asked.pk])
    return asked


def reprieve(paid, **given):
    return {"entry": paid.bought_entry_id, "from": 1, "before": 2, "request": paid.pk} | given


class TestReprieves:
    def test_the_sample_insert_is_sound(self, paid):
        execute(INSERT_REPRIEVE, reprieve(paid))
        assert Reprieve.objects.get().request == paid

    def test_without_the_money_nobody_comes_back(self, asked):
        assert refused(INSERT_REPRIEVE, reprieve(asked)) == "reprieve_needs_payment"

    def test_somebody_else_s_money_brings_nobody_back(self, pool, paid):
        other = pool.entries.exclude(pk=paid.bought_entry_id).first()
        assert refused(INSERT_REPRIEVE, reprieve(paid, entry=other.pk)) == "reprieve_needs_payment"

    def test_the_fee_of_a_place_brings_nobody_back(self, fallen, paid):
        given = reprieve(paid, request=fallen.request_id)
        assert refused(INSERT_REPRIEVE, given) == "reprieve_needs_payment"

    @pytest.mark.parametrize("rounds", [{"from": 2, "before": 3}, {"before": 3}])
    def test_it_covers_the_rounds_that_were_paid_for(self, paid, rounds):
        assert refused(INSERT_REPRIEVE, reprieve(paid, **rounds)) == "reprieve_needs_payment"

    def test_money_brings_back_once(self, paid):
        execute(INSERT_REPRIEVE, reprieve(paid))
        assert refused(INSERT_REPRIEVE, reprieve(paid)) == "entries_reprieve_request_id_key"

    def test_after_the_lock_nobody_comes_back(self, pool, paid):
        lock_round(pool.competition.rounds.get(number=2))
        assert refused(INSERT_REPRIEVE, reprieve(paid)) == "reprieve_before_lock"

    def test_a_reprieve_without_a_cause_is_none(self, paid):
        assert refused(INSERT_REPRIEVE, reprieve(paid, request=None)) == "reprieve_has_one_cause"

    @pytest.mark.parametrize("change", ["before_round_number = 3", "from_round_number = 0", "request_id = NULL"])
    def test_it_is_never_rewritten(self, paid, change):
        execute(INSERT_REPRIEVE, reprieve(paid))
        assert refused(f"UPDATE entries_reprieve SET {change}") == "reprieve_stays"

    def test_it_is_never_deleted(self, paid):
        execute(INSERT_REPRIEVE, reprieve(paid))
        assert refused("DELETE FROM entries_reprieve") == "never_deleted"

    def test_it_leaves_a_mark_for_settlement(self, pool, paid):
        execute("DELETE FROM entries_settlementmark")
        execute(INSERT_REPRIEVE, reprieve(paid))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pool_id, from_round_number FROM entries_settlementmark")
            assert cursor.fetchall() == [(pool.pk, 1)]


class TestRequests:
    def values(self, fallen, **given):
        return {"kind": "buy_back", "entry": fallen.pk, "fell": 1, "resumes": 2, "like": fallen.request_id} | given

    def test_the_sample_insert_is_sound(self, fallen):
        execute(INSERT_BUY_BACK, self.values(fallen))
        assert Request.objects.get(kind="buy_back").bought_entry == fallen

    def test_one_fall_is_bought_back_once(self, asked, fallen):
        assert refused(INSERT_BUY_BACK, self.values(fallen)) == "request_buy_back_once"

    @pytest.mark.parametrize("given", [{"fell": None}, {"resumes": None}, {"resumes": 1}, {"kind": "entry"}])
    def test_it_names_the_entry_and_the_rounds(self, fallen, given):
        execute("UPDATE pools_pool SET max_entries_per_user = 9")
        assert refused(INSERT_BUY_BACK, self.values(fallen, **given)) == "request_buy_back_names_entry"

    def test_it_is_of_an_entry(self, fallen):
        assert refused(INSERT_BUY_BACK, self.values(fallen, entry=None)) == "request_of_its_entry"

    @pytest.mark.parametrize("what", ["user_id", "pool_id", "number"])
    def test_it_is_of_the_player_s_own_entry(self, pool, fallen, what):
        other = pool.entries.exclude(pk=fallen.pk).first()
        like = RequestFactory(pool=other.pool, user=other.user, number=2)
        if what == "pool_id":
            like = RequestFactory(user=fallen.user)
        if what == "number":
            like = RequestFactory(pool=pool, user=fallen.user, number=2)
        assert refused(INSERT_BUY_BACK, self.values(fallen, like=like.pk)) == "request_of_its_entry"

    @pytest.mark.parametrize(
        "change",
        ["kind = 'entry', bought_entry_id = NULL, round_number = NULL, resumes_round_number = NULL",
         "resumes_round_number = 3", "round_number = 0"],
    )  # fmt: skip
    def test_what_it_is_for_never_changes(self, asked, change):
        sql = f"UPDATE entries_request SET {change} WHERE id = %s"
        assert refused(sql, [asked.pk]) == "request_identity"

    @pytest.mark.parametrize(
        "change",
        [
            "payment_status = 'pending'",
            "payment_status = 'not_due', status = 'withdrawn'",
            "payment_status = 'refunded'",
        ],
    )
    def test_money_that_brought_somebody_back_cannot_be_taken_from_under_it(self, asked, change):
        pay(asked)
        sql = f"UPDATE entries_request SET {change} WHERE id = %s"
        assert refused(sql, [asked.pk]) == "request_has_entry"

    def test_the_fee_of_a_revoked_return_goes_back_for_good(self, asked):
        pay(asked)
        execute("UPDATE entries_reprieve SET revoked_at = now() WHERE request_id = %s", [asked.pk])
        execute("UPDATE entries_request SET payment_status = 'refunded' WHERE id = %s", [asked.pk])
        sql = "UPDATE entries_request SET payment_status = 'completed' WHERE id = %s"
        assert refused(sql, [asked.pk]) == "request_refund_is_final"

    def test_a_fall_can_be_bought_back_again_once_the_fee_went_back(self, asked, fallen):
        pay(asked)
        execute("UPDATE entries_reprieve SET revoked_at = now() WHERE request_id = %s", [asked.pk])
        execute("UPDATE entries_request SET payment_status = 'refunded' WHERE id = %s", [asked.pk])
        execute(INSERT_BUY_BACK, self.values(fallen))

    def test_an_entry_comes_back_whatever_the_limit_of_places_is_now(self, pool, player):
        entry = fallen_in(pool, owner=player, number=2)
        Pool.objects.update(max_entries_per_user=1)
        assert ask(entry).number == 2

    def test_it_makes_no_entry_of_its_own(self, paid):
        sql = """
            INSERT INTO entries_entry (request_id, pool_id, user_id, number, reference, status, strikes,
                                       eliminated_code)
            SELECT id, pool_id, %s, number, '', 'active', 0, '' FROM entries_request WHERE id = %s
        """
        assert refused(sql, [UserFactory().pk, paid.pk]) == "entry_needs_payment"


class TestLateEntries:
    INSERT = """
        INSERT INTO entries_entry (request_id, pool_id, user_id, number, first_round_number, reference, status,
                                   strikes, eliminated_code)
        SELECT id, pool_id, user_id, number, %s, '', 'active', 0, '' FROM entries_request WHERE id = %s
    """

    def test_nobody_comes_in_for_a_round_that_has_locked(self):
        pool = generous_pool(late_entry_until=3)
        request = RequestFactory(pool=pool, paid=True)
        for number in (1, 2):
            lock_round(pool.competition.rounds.get(number=number))
        assert refused(self.INSERT, [2, request.pk]) == "entry_before_lock"
        execute(self.INSERT, [3, request.pk])

    def test_the_pool_s_own_first_round_is_for_whoever_paid_in_time(self):
        request = RequestFactory(pool=PoolFactory(first_round_number=2), paid=True)
        lock_round(request.pool.competition.rounds.get(number=2))
        execute(self.INSERT, [2, request.pk])
