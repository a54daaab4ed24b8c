"""Pools whose places are paid and in the books, played to their end."""

from datetime import timedelta

from config.clock import database_now
from payments.services.manual.deciding import confirm_record
from payments.services.manual.records import Handover
from payments.services.payouts import approve_payout, hand_over, request_payout
from payments.services.prizes import book_prizes
from payments.services.winners.accounts import confirm_account, record_account
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory, pick
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, finish, game_of
from tests.support.buying_back import settle
from tests.support.playing import play


def paid_in(pool, *codes, **fields):
    """A paid entry with these picks for rounds 1, 2 …"""
    entry = paid_entry(RequestFactory(approved=True, pool=pool, **fields))
    for number, code in enumerate(codes, start=1):
        pick(entry, number, code)
    return entry


def won_pool(**rules):
    """A finished pool of two paid entries: the first has won the second round, and with it everything."""
    pool = PoolFactory(rules=rules)
    winner, loser = paid_in(pool, "ANT", "CAT"), paid_in(pool, "ANT", "DOG")
    play(pool, 1), play(pool, 2)
    for row in (pool, winner, loser):
        row.refresh_from_db()
    return pool, winner, loser


def correct(pool, *, winner="DOG"):
    """The second round's game turns out to have been won by the other side."""
    game = game_of(pool.competition.rounds.get(number=2), winner)
    finish(game, *((20, 10) if game.home.code == winner else (10, 20)))
    settle(pool)
    pool.refresh_from_db()


def booked(pool):
    return book_prizes(pool_id=pool.pk)


def cash(number="1"):
    """Money handed over a minute ago."""
    return Handover(method="cash", reference=f"cash {number}", passed_at=database_now() - timedelta(minutes=1))


def approved_payout(entry):
    """Asked for by one, approved by another."""
    wish = request_payout(entry_id=entry.pk, by=FinanceFactory())
    return approve_payout(payout_id=wish.pk, by=FinanceFactory())


def account_of(player, reference="acct_winner"):
    """Where the player is paid at Stripe: written down by one, confirmed by another."""
    account = record_account(player=player, provider="stripe", reference=reference, note="", by=FinanceFactory())
    return confirm_account(account_id=account.pk, by=FinanceFactory())


def paid_out(entry):
    """Asked for, approved, handed over, signed for."""
    payout = approved_payout(entry)
    record = hand_over(payout_id=payout.pk, handover=cash(payout.pk), by=FinanceFactory())
    confirm_record(record_id=record.pk, by=FinanceFactory())
    payout.refresh_from_db()
    return payout
