"""A service of FastAPI and asyncpg that shows pages of our tables: what the bars of pages measure us against.

It reads the same rows by the very statements that we have, in which PostgreSQL writes the JSON, and asks for the same
version before it says that nothing has changed. It puts no headers on its answers, and logs and counts nothing.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from fastapi import FastAPI, Header, HTTPException, Response

# Standing, version, card: as `pages.statements` writes them.
STATEMENTS = json.loads(Path(os.environ["RIVAL_STATEMENTS"]).read_text()) if "RIVAL_STATEMENTS" in os.environ else {}
CONNECTIONS = 16
LARGEST = 2**63 - 1


@asynccontextmanager
async def _lifespan(served: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        served.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan, openapi_url=None)


@app.get("/health/live")
async def live() -> dict[str, bool]:
    """Whether it answers."""
    return {"live": True}


@app.get("/pools/{pool}")
async def card(pool: int) -> Response:
    """The page of a pool, without the sentences of its rules."""
    found = await app.state.pool.fetchrow(STATEMENTS["card"], pool, [pool])
    if found is None:
        raise HTTPException(404)
    return _json(f'{{"success":true,"data":{found[0][:-1]},"rules":{found[1]}}},"meta":{{}}}}')


@app.get("/pools/{pool}/standings")
async def standings(pool: int, limit: int = 20, page: int = 1) -> Response:
    """A page of its standings."""
    found = await app.state.pool.fetchrow(STATEMENTS["standings"], pool, 0, 100_000, LARGEST, limit, (page - 1) * limit)
    if found is None:
        raise HTTPException(404)
    meta = json.dumps({"pagination": {"page": page, "limit": limit, "total": found[1]}})
    return _json(f'{{"success":true,"data":{found[0]},"meta":{meta}}}')


@app.get("/pools/{pool}/known")
async def known(pool: int, if_none_match: str = Header("")) -> Response:
    """The same, to whom has it already."""
    found = await app.state.pool.fetchrow(STATEMENTS["version"], pool)
    tag = f'W/"{found[1]}"'
    if tag == if_none_match:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(status_code=200, headers={"ETag": tag})


def _json(text: Any) -> Response:
    return Response(text, media_type="application/json")
