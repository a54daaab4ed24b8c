"""What subscribers are told of requests, entries, rounds and pools: exactly what they asked for, and no pick."""

import json

import pytest
from django.db import connection, transaction

from accounts.models import WebhookDelivery
from accounts.models.webhook_types import EventType
from accounts.services.webhooks.sending import deliver_due
from config.clock import database_now
from entries.models import Entry, EntryChange, RequestChange
from entries.services.approvals import approve_request, reject_request
from entries.services.requests import ask_to_join
from entries.services.reveal import reveal_due_rounds
from entries.services.settlement import settle_competition
from pools.models import Game
from tests.factories.accounts import ModeratorFactory, UserFactory
from tests.factories.pools import CODES, PoolFactory, finish, league, lock_round
from tests.support.bad_server import BadServer
from tests.support.paid_pool import paid_pool
from tests.support.playing import enter, play, void
from tests.support.subscribing import subscribed, told, types

pytestmark = pytest.mark.django_db


@pytest.fixture
def server():
    with BadServer() as server:
        yield server


@pytest.fixture
def pool(db):
    return PoolFactory(competition=league(rounds=3, codes=CODES))


def sent(server):
    while deliver_due():
        pass
    return sorted(told(server), key=lambda body: body["sequence"])


class TestEntries:
    def test_the_owner_is_told_of_birth_fall_return_and_title(self, pool, server, player):
        subscribed(player, server, events=[t for t in EventType.values if t.startswith("entry.")])
        mine, other = enter(pool, "ANT", owner=player), enter(pool, "DOG")
        play(pool, 1, "BAT", "DOG")
        play_over = Game.objects.get(round__number=1, home__code="ANT")
        finish(play_over, 3, 0)
        settle_competition(competition_id=pool.competition_id)

        bodies = sent(server)
        # The other one went on, then both did: the first fall ended the pool, and the correction opened it again.
        assert {body["data"]["entry"]["id"] for body in bodies} == {mine.pk}
        assert types(server) == ["entry.created", "entry.eliminated", "entry.revived"]
        fall = next(body["data"] for body in bodies if body["type"] == "entry.eliminated")
        assert fall == {
            "entry": {
                "id": mine.pk, "pool": pool.pk, "user": player.pk, "number": 1, "status": "eliminated", "strikes": 0,
                "eliminated_round": 1, "eliminated_reason": {"code": "pick_lost", "rules_version": 1},
                "prize_cents": None, "suspended": False,
            },
            "previous_status": "active",
        }  # fmt: skip
        assert other.pk

    def test_a_title_and_a_lost_place(self, pool, server, player):
        subscribed(player, server, events=["entry.won", "entry.voided"])
        winner, loser = enter(pool, "DOG", owner=player), enter(pool, "ANT")
        void(enter(pool, "CAT", owner=player, number=2))
        play(pool, 1, "BAT", "DOG")

        found = {body["type"]: body["data"]["entry"] for body in sent(server)}
        assert set(found) == {"entry.won", "entry.voided"}
        assert (found["entry.won"]["id"], found["entry.won"]["prize_cents"]) == (winner.pk, winner_prize(winner))
        assert loser.pk

    def test_settling_again_tells_nothing_again(self, pool, server, player):
        subscribed(player, server)
        enter(pool, "ANT", "CAT", owner=player)
        enter(pool, "DOG", "CAT")
        enter(pool, "ELK", "CAT")
        play(pool, 1, "BAT", "DOG")
        before = WebhookDelivery.objects.count()
        settle_competition(competition_id=pool.competition_id, afresh=True)

        assert WebhookDelivery.objects.count() == before > 0


def winner_prize(entry):
    entry.refresh_from_db()
    return entry.prize_cents


class TestRequests:
    def test_each_decision_is_told_with_its_reason(self, pool, server, player):
        moderator, now = ModeratorFactory(), database_now()
        subscribed(player, server, events=["request.created", "request.approved", "request.rejected"])
        first = ask_to_join(pool_id=pool.pk, user=player, now=now)
        second = ask_to_join(pool_id=pool.pk, user=player, now=now)
        approve_request(request=first, by=moderator, now=now)
        reject_request(request=second, by=moderator, reason="Not this year", now=now)

        bodies = sent(server)
        assert types(server) == ["request.approved", "request.created", "request.created", "request.rejected"]
        approved = next(body["data"] for body in bodies if body["type"] == "request.approved")
        assert (approved["previous_status"], approved["request"]["id"]) == ("pending", first.pk)
        assert approved["request"]["pay_by"].endswith("Z")
        rejected = next(body["data"]["request"] for body in bodies if body["type"] == "request.rejected")
        assert (rejected["reason"], rejected["status"]) == ("Not this year", "rejected")


class TestWhoIsTold:
    def test_owners_their_own_and_staff_everybodys(self, pool, player, stranger):
        events = ["entry.created"]
        with BadServer() as own, BadServer() as strangers, BadServer() as staff:
            subscribed(player, own, events=events)
            subscribed(stranger, strangers, events=events)
            subscribed(ModeratorFactory(), staff, events=events, covers="all")
            mine, others = enter(pool, owner=player), enter(pool)
            while deliver_due():
                pass
            ids = [[body["data"]["entry"]["id"] for body in told(server)] for server in (own, strangers, staff)]
        # Which comes first is not promised.
        assert [sorted(some) for some in ids] == [[mine.pk], [], [mine.pk, others.pk]]

    def test_only_the_events_asked_for(self, pool, server, player):
        subscribed(player, server, events=["entry.won"])
        enter(pool, "ANT", owner=player)
        enter(pool, "DOG")
        play(pool, 1, "BAT", "DOG")
        assert sent(server) == []

    def test_only_the_pools_asked_for(self, pool, server, player):
        other = PoolFactory(competition=pool.competition)
        subscribed(player, server, events=["entry.created", "round.locked"], pools=[other.pk])
        for one in (pool, other):
            enter(one, "ANT", owner=player)
        lock_round(pool.competition.rounds.get(number=1))
        reveal_due_rounds()
        found = {(body["type"], body["data"].get("pool") or body["data"]["entry"]["pool"]) for body in sent(server)}
        assert found == {("entry.created", other.pk), ("round.locked", other.pk)}

    def test_none_while_it_is_off_or_its_owner_is(self, pool, player, server):
        endpoint = subscribed(player, server)
        type(endpoint).objects.update(off_because="owner")
        enter(pool, "ANT", owner=player)
        type(endpoint).objects.update(off_because="")
        player.is_active = False
        player.save(update_fields=["is_active"])
        enter(pool, "ANT", owner=player, number=2)
        assert not WebhookDelivery.objects.exists()

    def test_what_is_rolled_back_is_not_told(self, pool, player, server):
        subscribed(player, server)
        with transaction.atomic():
            enter(pool, "ANT", owner=player)
            transaction.set_rollback(True)
        assert not WebhookDelivery.objects.exists()


class TestRounds:
    def test_a_round_is_told_when_it_locks_and_when_it_is_over_and_again_when_corrected(self, pool, server, stranger):
        subscribed(stranger, server, events=["round.locked", "round.revealed", "round.settled", "pool.ended"])
        enter(pool, "ANT", "CAT")
        enter(pool, "CAT", "ANT")
        play(pool, 1)
        settle_competition(competition_id=pool.competition_id)
        assert [body["type"] for body in sent(server)] == ["round.locked", "round.revealed", "round.settled"]
        assert sent(server)[2]["data"] == {"pool": pool.pk, "round": 1}

        finish(Game.objects.get(round__number=1, home__code="ELK"), 0, 3)
        settle_competition(competition_id=pool.competition_id)
        assert [body["type"] for body in sent(server)][3:] == ["round.settled"]


class TestSecrecy:
    def test_no_delivery_holds_a_pick_or_a_name_whatever_happens(self, pool, player):
        """Every team that somebody picked, by its code; the owner's name; and the fallback list."""
        with BadServer() as own, BadServer() as staff:
            subscribed(player, own)
            subscribed(ModeratorFactory(), staff, covers="all",
                       events=[t for t in EventType.values if t.partition(".")[0] in ("entry", "request")])  # fmt: skip
            enter(pool, "ANT", "CAT", "ELK", owner=player)
            enter(pool, "DOG", "ANT", "ELK")
            enter(pool, "FOX", "DOG", "ANT")
            lock_round(pool.competition.rounds.get(number=1))
            before_results = WebhookDelivery.objects.count()
            play(pool, 1, "DOG")
            assert WebhookDelivery.objects.count() > before_results
            while deliver_due():
                pass
            bodies = told(own) + told(staff)
        about_people = [json.dumps(body) for body in bodies if body["type"].partition(".")[0] in ("entry", "request")]
        assert len(about_people) > 3
        words = [*(f'"{code}"' for code in CODES), player.display_name, player.email, '"team', '"pick"', '"picks"']
        assert [word for word in words if any(word in body for body in about_people)] == []


class TestCost:
    def test_without_a_subscriber_one_look_is_taken_however_many_change(self):
        pool = paid_pool(300)
        looks = []
        for where in ("id = (SELECT min(id) FROM entries_entry)", f"pool_id = {pool.pk}"):
            before = looks_at_endpoints()
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE entries_entry SET strikes = strikes + 1 WHERE {where}")
            looks.append(looks_at_endpoints() - before)
        assert looks[0] == looks[1] <= 2
        assert not WebhookDelivery.objects.exists()
        assert EntryChange.objects.filter(details__strikes__gt=0).count() == 301

    def test_of_thousands_that_fall_only_those_of_subscribers_are_written(self, server):
        pool = paid_pool(2000)
        owners = list(Entry.objects.order_by("id").values_list("user_id", flat=True)[:3])
        for owner in owners:
            subscribed(Entry.objects.get(user_id=owner).user, server, events=["entry.eliminated"])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('outlast.correction', 'settlement', true)")
            cursor.execute(
                "UPDATE entries_entry SET status = 'eliminated', eliminated_round_number = 1,"
                " eliminated_code = 'no_pick', rules_version = 1 WHERE pool_id = %s", [pool.pk]
            )  # fmt: skip
        assert WebhookDelivery.objects.count() == 3
        assert sorted(WebhookDelivery.objects.values_list("endpoint__user", flat=True)) == sorted(owners)
        assert {one.data["entry"]["status"] for one in WebhookDelivery.objects.all()} == {"eliminated"}

    def test_every_change_of_status_has_its_event(self, pool, server):
        """Nothing that changes a fate or a request gets past somebody who asked for all of it."""
        subscribed(ModeratorFactory(), server, covers="all",
                   events=[t for t in EventType.values if t.partition(".")[0] in ("entry", "request")])  # fmt: skip
        for codes in (("ANT", "DOG"), ("DOG", "CAT"), ("CAT", "BAT"), ("BAT", "ANT")):
            enter(pool, *codes, owner=UserFactory())
        play(pool, 1, "DOG")
        finish(Game.objects.get(round__number=1, away__code="DOG"), 3, 0)
        settle_competition(competition_id=pool.competition_id)

        histories = [change for model in (EntryChange, RequestChange) for change in model.objects.all()]
        moved = [change for change in histories if change.from_status != change.to_status]
        assert WebhookDelivery.objects.count() == len(moved) == 4 + 4 + 4


def looks_at_endpoints():
    """How often this transaction has read the table, by any way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_xact_user_tables WHERE relid = %s::regclass",
            ["accounts_webhookendpoint"],
        )
        return cursor.fetchone()[0]
