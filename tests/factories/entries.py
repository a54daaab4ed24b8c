"""Requests, entries and picks for tests."""

import secrets

import factory
from factory.django import DjangoModelFactory

from config.clock import database_now
from entries.models import Entry, PaymentStatus, Pick, Request, RequestStatus
from pools.models import Game
from tests.factories.accounts import UserFactory
from tests.factories.pools import PoolFactory


class RequestFactory(DjangoModelFactory[Request]):
    """A pending request; `approved=True` an unpaid approved one."""

    class Meta:
        model = Request

    class Params:
        approved = factory.Trait(
            status=RequestStatus.APPROVED,
            payment_status=PaymentStatus.PENDING,
            fee_cents=factory.SelfAttribute("pool.entry_fee_cents"),
            currency=factory.SelfAttribute("pool.currency"),
            decided_at=factory.LazyFunction(database_now),
            pay_by=factory.LazyFunction(lambda: database_now().replace(year=2099)),
        )
        paid = factory.Trait(approved=True, payment_status=PaymentStatus.COMPLETED)

    pool = factory.SubFactory(PoolFactory)
    user = factory.SubFactory(UserFactory)
    number = 1


class EntryFactory(DjangoModelFactory[Entry]):
    """A living entry with its paid request."""

    class Meta:
        model = Entry

    class Params:
        in_pool = factory.SubFactory(PoolFactory)
        owner = factory.SubFactory(UserFactory)

    number = 1
    pool = factory.LazyAttribute(lambda o: o.in_pool)
    user = factory.LazyAttribute(lambda o: o.owner)
    request = factory.LazyAttribute(lambda o: RequestFactory(paid=True, pool=o.pool, user=o.user, number=o.number))


def pick(entry: Entry, round_number: int, code: str, **fields) -> Pick:
    """Write a pick row directly (not through the service): the triggers still watch."""
    game = (
        Game.objects.filter(round__number=round_number, competition=entry.pool.competition)
        .filter(home__code=code)
        .union(Game.objects.filter(round__number=round_number, competition=entry.pool.competition, away__code=code))
        .first()
    )
    assert game is not None, f"{code} does not play in round {round_number}"
    team = game.home if game.home.code == code else game.away
    return Pick.objects.create(
        entry=entry, round_id=game.round_id, team=team, game=game, nonce=secrets.token_hex(16), **fields
    )
