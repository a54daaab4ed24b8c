"""Tallies: how many entries stand where, how picks are spread, how many paid which fee, kept by the database.

Pages of a pool show these numbers, and counting a million rows for each page is what they avoid. Triggers add what a
statement changed, in the same transaction, so the sum of a pool's rows is exact at all times.

Rows are only ever added: one row that everybody raises would make players who pay at the same time wait for each
other, and wait for settlement. What has piled up is folded together by whoever happens to add every 64th row, without
waiting: rows that somebody else folds are left to him.
"""

from typing import Any

import pgtrigger
from django.db import models

from config.pages.changes import tells_pages
from config.triggers import Guard, planned_anew

FOLD_EVERY = 64


class EntryTally(models.Model):
    """So many entries more (or fewer) of the pool stand here. Void ones are counted, too."""

    pool_id = models.BigIntegerField()
    status = models.CharField(max_length=10)
    eliminated_round_number = models.PositiveSmallIntegerField(default=0, help_text="0 for none.")
    first_round_number = models.PositiveSmallIntegerField()
    entries = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["pool_id"], name="entry_tally_pool")]

    def __str__(self) -> str:
        return f"{self.entries:+} {self.status} in pool {self.pool_id}"


class PickTally(models.Model):
    """So many picks more (or fewer) of the pool's entries that play the round. As secret as the picks."""

    pool_id = models.BigIntegerField()
    round_id = models.BigIntegerField()
    game_id = models.BigIntegerField()
    team_id = models.BigIntegerField()
    slot = models.PositiveSmallIntegerField()
    picks = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["pool_id", "round_id"], name="pick_tally_pool_round")]

    def __str__(self) -> str:
        # Neither the team nor the game: this text reaches logs before the lock.
        return f"{self.picks:+} picks of round {self.round_id} in pool {self.pool_id}"


class FeeTally(models.Model):
    """So many more (or fewer) paid requests of the pool with this fee, for entries and for buying back in."""

    pool_id = models.BigIntegerField()
    fee_cents = models.BigIntegerField()
    requests = models.IntegerField()

    class Meta:
        indexes = [models.Index(fields=["pool_id"], name="fee_tally_pool")]
        # What is paid and given back shows on the page of the pool, as its pot.
        triggers = tells_pages("'pool:' || n.pool_id", update=False)

    def __str__(self) -> str:
        return f"{self.requests:+} fees of {self.fee_cents} in pool {self.pool_id}"


ENTRY_KEYS = "pool_id, status, eliminated_round_number, first_round_number"
PICK_KEYS = "pool_id, round_id, game_id, team_id, slot"
FEE_KEYS = "pool_id, fee_cents"

STANDS = "pool_id, status, coalesce(eliminated_round_number, 0) AS eliminated_round_number, first_round_number"
# The last round that an entry plays, as far as the entry itself says; a void one plays none.
LAST = "CASE WHEN status = 'void' THEN -1 ELSE coalesce(nullif(eliminated_round_number, 0), 32000) END"
PLAYS = f"id, pool_id, first_round_number AS first, {LAST} AS last"


def entry_tallies() -> list[Guard]:
    """For `Entry`: where entries stand, and the picks of those that stopped playing a round, or play it again."""
    born = _add("entries_entrytally", ENTRY_KEYS, "entries", f"SELECT {STANDS}, 1 AS n FROM new_rows", pile="pool_id")
    moved = f"SELECT {STANDS}, 1 AS n FROM new_rows UNION ALL SELECT {STANDS}, -1 FROM old_rows"
    return [
        _guard("tally_insert", pgtrigger.Insert, born, new=True),
        _guard(
            "tally_update",
            pgtrigger.Update,
            _add("entries_entrytally", ENTRY_KEYS, "entries", moved, pile="pool_id", rounds=CONCERNED)
            + _picks_of_moved_entries(),
            old=True,
            new=True,
        ),
    ]


# Of `grouped`, the keys of all rows before and after: rounds that somebody may have stopped playing, or play again, and
# that somebody has picked for. Mostly nobody has, and then no pick is looked at.
CONCERNED = f"""
    SELECT array_agg(DISTINCT r.id)
    FROM (SELECT pool_id, CASE WHEN min(first_round_number) = max(first_round_number) THEN min({LAST}) ELSE -1 END
              AS after FROM grouped GROUP BY pool_id) moved
    JOIN pools_pool p ON p.id = moved.pool_id
    JOIN pools_round r ON r.competition_id = p.competition_id AND r.number > moved.after
    WHERE EXISTS (SELECT 1 FROM entries_pick k WHERE k.round_id = r.id)
"""


def _picks_of_moved_entries() -> str:
    changed = f"""
        SELECT k.round_id, k.game_id, k.team_id, k.slot, n.pool_id,
               CASE WHEN r.number BETWEEN n.first AND n.last THEN 1 ELSE -1 END AS n
        FROM (SELECT {PLAYS} FROM new_rows) n
        JOIN (SELECT {PLAYS} FROM old_rows) o ON o.id = n.id AND (o.first, o.last) <> (n.first, n.last)
        JOIN entries_pick k ON k.entry_id = n.id AND k.round_id = ANY($1)
        JOIN pools_round r ON r.id = k.round_id
        WHERE (r.number BETWEEN n.first AND n.last) <> (r.number BETWEEN o.first AND o.last)
    """
    return f"""
        IF rounds IS NOT NULL THEN
            {_add("entries_picktally", PICK_KEYS, "picks", changed, pile="pool_id, round_id")}
        END IF;
    """


def pick_tallies() -> list[Guard]:
    """For `Pick`: how picks are spread. The entry is locked, so that nobody eliminates it unseen meanwhile."""
    events = (
        ("insert", pgtrigger.Insert, ("new_rows",)),
        ("update", pgtrigger.Update, ("new_rows", "old_rows")),
        ("delete", pgtrigger.Delete, ("old_rows",)),
    )
    return [
        _guard(
            f"tally_{verb}", operation, _hold_entries(rows) + _spread(rows),
            old="old_rows" in rows, new="new_rows" in rows,
        )
        for verb, operation, rows in events
    ]  # fmt: skip


def _hold_entries(rows: tuple[str, ...]) -> str:
    picked = " UNION ALL ".join(f"SELECT entry_id FROM {name}" for name in rows)
    held = f"SELECT 1 FROM entries_entry WHERE id IN ({picked}) ORDER BY id FOR SHARE"
    return planned_anew(f"SELECT count(*) FROM ({held}) locked", rows=rows[0], into="held")


def _spread(rows: tuple[str, ...]) -> str:
    columns = "entry_id, round_id, game_id, team_id, slot"
    signs = {"new_rows": 1, "old_rows": -1}
    signed = " UNION ALL ".join(f"SELECT {columns}, {signs[name]} AS n FROM {name}" for name in rows)
    query = f"""
        SELECT e.pool_id, k.round_id, k.game_id, k.team_id, k.slot, k.n FROM ({signed}) k
        JOIN (SELECT {PLAYS} FROM entries_entry) e ON e.id = k.entry_id
        JOIN pools_round r ON r.id = k.round_id AND r.number BETWEEN e.first AND e.last
    """
    return _add("entries_picktally", PICK_KEYS, "picks", query, pile="pool_id, round_id", of=rows[0])


def fee_tallies() -> list[Guard]:
    """For `Request`: what was paid and not given back."""
    paid = "SELECT pool_id, fee_cents, {} AS n FROM {} WHERE payment_status = 'completed'"
    new, both = paid.format(1, "new_rows"), f"{paid.format(1, 'new_rows')} UNION ALL {paid.format(-1, 'old_rows')}"
    return [
        _guard("tally_insert", pgtrigger.Insert, _add("entries_feetally", FEE_KEYS, "requests", new, pile="pool_id"),
               new=True),
        _guard("tally_update", pgtrigger.Update, _add("entries_feetally", FEE_KEYS, "requests", both, pile="pool_id"),
               old=True, new=True),
    ]  # fmt: skip


def _add(
    table: str,
    keys: str,
    number: str,
    query: str,
    *,
    pile: str,
    rounds: str = "SELECT NULL::bigint[]",
    of: str = "new_rows",
) -> str:
    """PL/pgSQL: add the grouped differences, `n` by the keys, and fold the piles whose turn it is."""
    add = f"""
        WITH grouped AS MATERIALIZED (
            SELECT {keys}, sum(n) AS n FROM ({query}) changed GROUP BY {keys}
        ), added AS (
            INSERT INTO {table} ({keys}, {number}) SELECT {keys}, n FROM grouped WHERE n <> 0 RETURNING id
        )
        SELECT (SELECT array_agg(id) FROM added WHERE id % {FOLD_EVERY} = 0), ({rounds})
    """
    return f"""
        {planned_anew(add, rows=of, into="due, rounds", using="rounds")}
        IF due IS NOT NULL THEN
            WITH pile AS (
                DELETE FROM {table} WHERE id IN (
                    SELECT id FROM {table} WHERE ({pile}) IN (SELECT {pile} FROM {table} WHERE id = ANY(due))
                    ORDER BY id FOR UPDATE SKIP LOCKED)
                RETURNING *
            )
            INSERT INTO {table} ({keys}, {number})
            SELECT {keys}, sum({number}) FROM pile GROUP BY {keys} HAVING sum({number}) <> 0;
        END IF;
    """


def _guard(name: str, operation: Any, func: str, *, old: bool = False, new: bool = False) -> Guard:
    return Guard(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(old="old_rows" if old else None, new="new_rows" if new else None),
        declare=[("due", "bigint[]"), ("rounds", "bigint[]"), ("held", "bigint")],
        func=func + "RETURN NULL;",
    )
