"""Approving a thousand requests at once: from the moment that somebody confirms it until the last has its result."""

from datetime import timedelta

from django.db import connection

from accounts.models import Role, User
from config import outbox
from config.clock import database_now
from config.local.benches.bigpools import USERS
from config.local.benches.runs import Meaningless, Runs, measured
from config.local.benches.scale import Pair, Scale
from entries.models import BulkKind, BulkOutcome, Request, RequestStatus
from entries.services.bulk_decisions import start_bulk_decision
from pools.models import Competition, Game, Pool, PoolStatus, Round, Rules, Team

REQUESTS = 1_000
REFERENCE_SECONDS = 20.0
# Held against the memory of a tenth of them.
FEWER = 10
ASK = """
    INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, currency, reason, waiver_reason)
    SELECT %(pool)s, id, 1, 'pending', 'not_due', '', '', '' FROM accounts_user WHERE role = 'player' ORDER BY id
"""


def seconds(runs: Runs, scale: Scale) -> Pair:
    """Seconds of a thousand approvals with their results, and what they may take."""
    count = scale(REQUESTS, least=20)
    return Pair(_approved(runs, count)[0], REFERENCE_SECONDS * count / REQUESTS)


def memory(runs: Runs, scale: Scale) -> Pair:
    """The most that this process held meanwhile, with a thousand and with a hundred of them, in megabytes."""
    count = scale(REQUESTS, least=20)
    fewer = _approved(runs, count // FEWER)[1]
    return Pair(_approved(runs, count)[1], fewer)


def _approved(runs: Runs, count: int) -> tuple[float, float]:
    with runs.databases.fresh():
        by, pool = _house()
        with connection.cursor() as cursor:
            cursor.execute(USERS, {"entries": count})
            cursor.execute(ASK, {"pool": pool.pk})
            cursor.execute("ANALYZE")
        taken = measured(lambda: _decide(by))
        _expect_all(pool, count)
    return taken.seconds, taken.megabytes


def _decide(by: User) -> None:
    """What the page does, and what a worker does with its message."""
    ids = Request.objects.filter(status=RequestStatus.PENDING).values_list("pk", flat=True)
    bulk = start_bulk_decision(kind=BulkKind.APPROVE, request_ids=ids, by=by)
    # Mails are other messages, and wait for their turn.
    while bulk.items.filter(outcome=BulkOutcome.WAITING).exists():
        outbox.drain(limit=1)


def _house() -> tuple[User, Pool]:
    """Somebody who decides, and a pool that is open."""
    by = User.objects.create_user("moderator@bench.invalid", role=Role.MODERATOR)
    competition = Competition.objects.create(code="bench", name="Bench", season="1")
    home, away = (Team.objects.create(competition=competition, code=code, name=code) for code in ("HOM", "AWY"))
    first = Round.objects.create(competition=competition, number=1, name="Round 1")
    Game.objects.create(
        competition=competition, round=first, external_id="1", home=home, away=away,
        kickoff_at=database_now() + timedelta(days=30),
    )  # fmt: skip
    pool = Pool.objects.create(
        competition=competition, name="Bench", status=PoolStatus.OPEN, entry_fee_cents=5000, capacity=10 * REQUESTS,
        last_round_number=1,
    )  # fmt: skip
    Rules.objects.create(pool=pool, effective_round_number=1)
    return by, pool


def _expect_all(pool: Pool, count: int) -> None:
    approved = pool.requests.filter(status=RequestStatus.APPROVED).count()
    if approved != count:
        raise Meaningless(f"{approved} of {count} were approved")
