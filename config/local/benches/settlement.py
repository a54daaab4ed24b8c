"""Settling one round in one set-based pass, against the loop over model objects that everybody writes first."""

import secrets
import time
from datetime import timedelta

from django.db import connection, transaction

from accounts.models import User
from config.clock import database_now
from config.local.replay.scratch import scratch_database
from entries.models import Entry, EntryStatus, PaymentStatus, Pick, PickSource, Request, RequestStatus
from entries.models.entry import EliminationReason
from entries.models.pick import LATE_SETTING
from entries.queries.reveal import revealed_rounds
from entries.services.settlement import settle_competition
from pools.models import Competition, Game, GameStatus, Pool, PoolStatus, Round, Rules, Team

ENTRIES = 4_000


def set_based() -> float:
    """Seconds that our settlement takes for a round of `ENTRIES` entries, half of which fall."""
    with scratch_database("bench"):
        competition = _round_of_entries()
        began = time.monotonic()
        settlement = settle_competition(competition_id=competition.pk)
        seconds = time.monotonic() - began
        _expect(settlement.difference.eliminated)
    return seconds


def model_loop() -> float:
    """Seconds that the loop takes for the same round: per entry its pick, the pick's game, and a save."""
    with scratch_database("bench"):
        competition = _round_of_entries()
        began = time.monotonic()
        revealed_rounds(competition.pk)
        with transaction.atomic():
            fallen = sum(_settle_one(entry) for entry in Entry.objects.filter(status=EntryStatus.ACTIVE).locked())
        seconds = time.monotonic() - began
        _expect(fallen)
    return seconds


def _settle_one(entry: Entry) -> bool:
    pick = Pick.objects.select_related("game").get(entry=entry)
    home_won = (pick.game.home_score or 0) > (pick.game.away_score or 0)
    if pick.team_id == (pick.game.home_id if home_won else pick.game.away_id):
        return False
    entry.move_to(EntryStatus.ELIMINATED)
    entry.eliminated_round_number, entry.eliminated_code, entry.rules_version = 1, EliminationReason.PICK_LOST, 1
    entry.save(update_fields=["status", "eliminated_round_number", "eliminated_code", "rules_version"])
    return True


def _expect(fallen: int) -> None:
    if fallen != ENTRIES // 2:
        raise RuntimeError(f"{fallen} entries fell, {ENTRIES // 2} should have: the measurement means nothing")


@transaction.atomic
def _round_of_entries() -> Competition:
    """A round that has been played, of two, with an entry for each player, half of them on the losing side."""
    now = database_now()
    competition = Competition.objects.create(code="bench", name="Bench", season="1")
    home, away = Team.objects.bulk_create(
        Team(competition=competition, code=code, name=code) for code in ("HOM", "AWY")
    )
    rounds = Round.objects.bulk_create(Round(competition=competition, number=n, name=f"Round {n}") for n in (1, 2))
    game = Game.objects.create(
        competition=competition, round=rounds[0], external_id="1", home=home, away=away,
        kickoff_at=now - timedelta(hours=4), status=GameStatus.FINAL, home_score=1, away_score=0,
    )  # fmt: skip
    Game.objects.create(
        competition=competition, round=rounds[1], external_id="2", home=away, away=home,
        kickoff_at=now + timedelta(days=7),
    )  # fmt: skip
    pool = Pool.objects.create(
        competition=competition, name="Bench", status=PoolStatus.OPEN, entry_fee_cents=100, last_round_number=2
    )
    Rules.objects.create(pool=pool, effective_round_number=1)
    users = User.objects.bulk_create(
        User(email=f"p{n}@bench.test", display_name=f"P{n}", password="!") for n in range(ENTRIES)
    )
    requests = Request.objects.bulk_create(
        Request(
            pool=pool, user=user, number=1, status=RequestStatus.APPROVED, payment_status=PaymentStatus.COMPLETED,
            fee_cents=100, currency="usd", decided_at=now,
        )
        for user in users
    )  # fmt: skip
    entries = Entry.objects.bulk_create(Entry(request=r, pool=pool, user=r.user, number=1) for r in requests)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [LATE_SETTING, PickSource.IMPORT])
    Pick.objects.bulk_create(
        Pick(
            entry=entry, round=rounds[0], game=game, team=home if place % 2 else away, source=PickSource.IMPORT,
            nonce=secrets.token_hex(16),
        )
        for place, entry in enumerate(entries)
    )  # fmt: skip
    return competition
