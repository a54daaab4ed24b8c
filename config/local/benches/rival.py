"""A service of FastAPI and asyncpg that saves picks on our tables: what the pick bars measure us against.

It checks what ours checks: the token, the entry and its owner, the round and its lock, the team and its game. It
writes the pick, and through the triggers on the tables its history, like ours. It counts no rate limit, signs no slip
and believes a token without asking whether its person is still there.

`/one/…` does it in one statement, `/several/…` in several, in a transaction.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Annotated, Any

import asyncpg
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field

KEY = os.environ.get("RIVAL_JWT_KEY", "")
CONNECTIONS = 16

ENTRY = """
    SELECT e.id, e.pool_id, p.competition_id FROM entries_entry e JOIN pools_pool p ON p.id = e.pool_id
    WHERE e.id = $1 AND e.user_id = $2 AND e.status = 'active' AND p.status IN ('open', 'running')
    FOR NO KEY UPDATE OF e
"""
ROUND = "SELECT id FROM pools_round WHERE competition_id = $1 AND number = $2 AND locks_at > clock_timestamp()"
GAME = """
    SELECT t.id AS team_id, g.id AS game_id FROM pools_team t
    JOIN pools_game g ON g.round_id = $3 AND t.id IN (g.home_id, g.away_id) AND g.status = 'scheduled'
    WHERE t.competition_id = $1 AND t.code = $2
"""
USED = "SELECT count(*) FROM entries_pick WHERE entry_id = $1 AND team_id = $2 AND round_id <> $3"
ACTOR = "SELECT set_config('outlast.actor', $1, true)"
UPSERT = """
    ON CONFLICT (entry_id, round_id, slot) DO UPDATE
    SET team_id = excluded.team_id, game_id = excluded.game_id, source = excluded.source, nonce = excluded.nonce,
        picked_at = clock_timestamp()
    RETURNING team_id, game_id, picked_at
"""
SAVE = f"""
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)
    VALUES ($1, $2, 1, $3, $4, 'player', 1, $5) {UPSERT}
"""
ONE = f"""
    WITH who AS (SELECT set_config('outlast.actor', $2::bigint::text, true)), asked AS (
        SELECT e.id AS entry_id, r.id AS round_id, t.id AS team_id, g.id AS game_id
        FROM entries_entry e
        JOIN pools_pool p ON p.id = e.pool_id AND p.status IN ('open', 'running')
        JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = $3 AND r.locks_at > clock_timestamp()
        JOIN pools_team t ON t.competition_id = p.competition_id AND t.code = $4
        JOIN pools_game g ON g.round_id = r.id AND t.id IN (g.home_id, g.away_id) AND g.status = 'scheduled'
        WHERE e.id = $1 AND e.user_id = $2 AND e.status = 'active'
          AND NOT EXISTS (SELECT 1 FROM entries_pick k
                          WHERE k.entry_id = e.id AND k.team_id = t.id AND k.round_id <> r.id)
        FOR NO KEY UPDATE OF e
    )
    INSERT INTO entries_pick (entry_id, round_id, slot, team_id, game_id, source, rules_version, nonce)
    SELECT entry_id, round_id, 1, team_id, game_id, 'player', 1, $5 FROM asked, who {UPSERT}
"""


class Body(BaseModel):
    """What is asked for."""

    team: str = Field(max_length=20)


class Saved(BaseModel):
    """How the pick stands."""

    round: int
    team: str
    game: int
    picked_at: str


@asynccontextmanager
async def _lifespan(served: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        served.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan, openapi_url=None)


async def caller(authorization: Annotated[str, Header()]) -> int:
    """The person whom the token names, by its signature alone."""
    try:
        claims = jwt.decode(
            authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"], audience="outlast-api", issuer="outlast"
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error
    return int(claims["user_id"])


Caller = Annotated[int, Depends(caller)]


@app.get("/health/live")
async def live() -> dict[str, bool]:
    """Whether it answers."""
    return {"live": True}


@app.put("/one/entries/{entry}/picks/{number}")
async def save_in_one(entry: int, number: int, body: Body, user: Caller) -> Saved:
    """All of it in one statement."""
    row = await app.state.pool.fetchrow(ONE, entry, user, number, body.team, token_hex(16))
    return _saved(row, number, body.team)


@app.put("/several/entries/{entry}/picks/{number}")
async def save_in_several(entry: int, number: int, body: Body, user: Caller) -> Saved:
    """One statement for each thing, as most would write it."""
    async with app.state.pool.acquire() as held, held.transaction():
        own = _found(await held.fetchrow(ENTRY, entry, user))
        round_ = _found(await held.fetchrow(ROUND, own["competition_id"], number))
        game = _found(await held.fetchrow(GAME, own["competition_id"], body.team, round_["id"]))
        if await held.fetchval(USED, entry, game["team_id"], round_["id"]):
            raise HTTPException(422)
        await held.execute(ACTOR, str(user))
        row = await held.fetchrow(SAVE, entry, round_["id"], game["team_id"], game["game_id"], token_hex(16))
    return _saved(row, number, body.team)


def _found(row: Any) -> Any:
    if row is None:
        raise HTTPException(422)
    return row


def _saved(row: Any, number: int, team: str) -> Saved:
    return Saved(round=number, team=team, game=_found(row)["game_id"], picked_at=row["picked_at"].isoformat())
