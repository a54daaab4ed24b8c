"""The whole import, in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import NOBODYS_DOMAIN, User
from config import outbox
from config.audit import attribute
from config.locks import advisory_lock
from entries.services.imports.judge import judge, load
from entries.services.imports.land import land_entries, land_picks, land_players
from entries.services.imports.rows import Row
from pools.models import Pool

# Told before each step what it is.
OnStep = Callable[[str], None]


class Refusal(NamedTuple):
    """A line that did not land, and why."""

    line: int
    entry: str
    owner: str
    round: int | None
    team: str
    reason: str


@dataclass
class ImportResult:
    """What an import has done."""

    lines: int = 0
    players: int = 0
    entries: int = 0
    picks: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)


def importer() -> User:
    """Who waives the fees where no member of staff is named: the system itself, which cannot sign in."""
    user, _ = User.objects.get_or_create(
        email=f"importer@outlast{NOBODYS_DOMAIN}",
        defaults={"display_name": "Importer", "is_active": False, "password": make_password(None)},
    )
    return user


@transaction.atomic
def import_entries(
    *, pool: Pool, rows: Iterable[Row], by: User | None = None, reason: str = "", on_step: OnStep = lambda step: None
) -> ImportResult:
    """Land the rows in the pool: players, entries paid elsewhere, picks with the source `import`, also past locks.

    Importing the same rows again changes nothing. Refused, each with its line and reason: a malformed row, an unknown
    round or team, a team without a game in the round or used by the entry as often as the rules allow, more picks for
    a round than it asks for, a pick past its lock for an entry that was here before, an entry that belongs to another
    owner or is void, entries above the player's limit or the pool's capacity, and anything new once the pool is over.
    `by` answers for the waived fees. Raises whatever `rows` raises, and IntegrityError should a lock pass between the
    look at a line and its landing; then nothing has landed.
    """
    # The order of settlement: its lock first, then the pool. It must not see entries without their picks.
    advisory_lock("settle", pool.competition_id)
    pool = Pool.objects.locked().get(pk=pool.pk)
    by = by or importer()
    attribute(by=by, reason=reason)
    result = ImportResult()
    with connection.cursor() as cursor:
        on_step("reading")
        load(cursor, rows)
        on_step("checking")
        judge(cursor, pool=pool)
        on_step("players")
        result.players = land_players(cursor)
        on_step("entries")
        result.entries = land_entries(cursor, pool=pool, by=by)
        on_step("picks")
        result.picks = land_picks(cursor, pool=pool)
        if result.entries:
            _tell(pool)
        _account(cursor, result)
        # Temporary tables live until the transaction's end; inside a caller's transaction that is not ours.
        cursor.execute(
            "DROP TABLE import_line, import_round, import_label, import_game, import_picked, import_used, import_row,"
            " import_birth, import_owner"
        )
    return result


def _tell(pool: Pool) -> None:
    """Once per run: the newest entry is one of those that it made."""
    newest = pool.entries.order_by("-id").values_list("pk", flat=True)[0]
    outbox.post(kind="entries.imported", key=f"entries-imported-{pool.pk}-{newest}", payload={"pool": pool.pk})


def _account(cursor: CursorWrapper, result: ImportResult) -> None:
    cursor.execute("SELECT count(*), count(*) FILTER (WHERE reason = '' AND stands) FROM import_row")
    result.lines, result.unchanged = cursor.fetchone()
    cursor.execute("SELECT line, entry, owner, number, team, reason FROM import_row WHERE reason <> '' ORDER BY line")
    result.refused = [Refusal(*row) for row in cursor.fetchall()]
