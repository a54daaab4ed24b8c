"""Pools that take the fallen back, and the steps of buying back in."""

import pytest

from config.clock import database_now
from config.errors import DomainError
from entries.services.buy_backs import ask_to_buy_back
from entries.services.places import grant_place
from entries.services.settlement import settle_competition
from tests.factories.pools import CODES, PoolFactory, league
from tests.support.playing import enter, play

ROUNDS = 6


def generous_pool(*, until=3, limit=1, fee=2500, **rules):
    """A pool in which home sides win, with two entries that pick well."""
    rules = {"buy_back_until": until, "buy_back_limit": limit, "buy_back_fee_cents": fee, **rules}
    pool = PoolFactory(competition=league(rounds=ROUNDS, codes=CODES), rules=rules, max_entries_per_user=2)
    enter(pool, "ANT", "CAT", "ELK", "GNU"), enter(pool, "CAT", "ANT", "GNU", "ELK")
    return pool


def fallen_in(pool, **fields):
    """An entry that fell in round 1."""
    entry = enter(pool, "BAT", **fields)
    play(pool, 1)
    return fresh(entry)


def fresh(row):
    """As it stands in the database."""
    return type(row).objects.get(pk=row.pk)


def ask(entry, user=None):
    return ask_to_buy_back(entry_id=entry.pk, user=user or entry.user, now=database_now())


def refusal(entry, user=None):
    """What asking raises."""
    with pytest.raises(DomainError) as caught:
        ask(entry, user)
    return caught.value


def pay(request, **given):
    return grant_place(**({"request": request, "by": None, "now": database_now()} | given))


def settle(pool):
    settle_competition(competition_id=pool.competition_id)


def lock_of(pool, number):
    return pool.competition.rounds.get(number=number).locks_at
