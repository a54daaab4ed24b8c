"""What the pages of a big pool cost: deep in the standings as at their top, at a million entries as at ten thousand."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from rest_framework.test import APIClient

from config.local.benches.bigpools import Plan
from config.local.benches.runs import TIMES, Meaningless, Runs
from config.local.benches.scale import Pair, Scale
from pools.models import Pool

# Requests per turn; the first ones warm the connection and its caches, and do not count.
WARM, COUNTED = 3, 8
LIMIT = 20
# In every name of these pools, so that the page is searched for and not kept.
EVERYBODY = "a"
# Every field that the page over REST has.
QUESTION = """
    query ($pool: BigInt!, $search: String!) {
        pool(id: $pool) {
            standings(first: 100, search: $search) {
                total
                pageInfo { hasNextPage endCursor }
                nodes {
                    rank entry displayName number status strikes eliminatedRound roundsSurvived
                    picks { round team result }
                }
            }
        }
    }
"""


def settled(name: str, entries: int) -> Plan:
    """A pool after its first round."""
    return Plan(name, entries=entries, settled=True)


def depth(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds for a page of a million entries nine tenths down by cursor, and for the first page."""
    plan = settled("million", scale.entries(1_000_000))
    deep: list[float] = []
    first: list[float] = []
    with runs.databases.original_of(plan):
        below = {"cursor": _cursor_after(plan.entries * 9 // 10)}
        for _ in range(TIMES):
            deep += _milliseconds(lambda: _standings(**below))
            first += _milliseconds(lambda: _standings(page=1))
    return Pair(statistics.median(deep), statistics.median(first))


def standings(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds for the first page of a million entries, and of ten thousand."""
    return _by_size(runs, scale, _standings)


def asked(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds for a page of 100 standings with their picks asked for in GraphQL, and for the same over REST.

    Both are read from the database, at the end of a pool of ten thousand, where nothing is kept ready.
    """
    plan = settled("small", scale.entries(10_000))
    question: list[float] = []
    page: list[float] = []
    with runs.databases.original_of(plan):
        pool_id = Pool.objects.values_list("pk", flat=True).get()
        body = {"query": QUESTION, "variables": {"pool": pool_id, "search": EVERYBODY}}
        for _ in range(TIMES):
            question += _milliseconds(lambda: _ask(body))
            page += _milliseconds(lambda: _get("standings", limit=100, search=EVERYBODY))
    return Pair(statistics.median(question), statistics.median(page))


def distribution(runs: Runs, scale: Scale) -> Pair:
    """Milliseconds for how a million picks were spread, and ten thousand."""
    return _by_size(runs, scale, lambda: _get("rounds/1/distribution"))


def _by_size(runs: Runs, scale: Scale, do: Callable[[], Any]) -> Pair:
    sizes = {
        name: settled(name, scale.entries(entries)) for name, entries in (("million", 1_000_000), ("small", 10_000))
    }
    found: dict[str, list[float]] = {name: [] for name in sizes}
    for _ in range(TIMES):
        for name, plan in sizes.items():
            with runs.databases.original_of(plan):
                found[name] += _milliseconds(do)
    return Pair(statistics.median(found["million"]), statistics.median(found["small"]))


def _milliseconds(do: Callable[[], Any]) -> list[float]:
    taken = []
    for _ in range(WARM + COUNTED):
        began = time.perf_counter()
        do()
        taken.append(1000 * (time.perf_counter() - began))
    return taken[WARM:]


def _cursor_after(place: int) -> str:
    return str(_standings(page=max(1, place // LIMIT))["meta"]["pagination"]["next_cursor"])


def _standings(**query: Any) -> Any:
    return _get("standings", limit=LIMIT, **query)


def _ask(body: dict[str, Any]) -> Any:
    answer = APIClient().post("/graphql", body, format="json", headers=_host())
    found = answer.json()
    if "errors" in found or not found["data"]["pool"]["standings"]["nodes"]:
        raise Meaningless(f"the question was answered {answer.status_code}: {found.get('errors')}")
    return found


def _host() -> dict[str, str]:
    return {"host": settings.ALLOWED_HOSTS[0].lstrip(".*") or "localhost"}


def _get(page: str, /, **query: Any) -> Any:
    """The page of the connected database's pool, through everything that a caller's request goes through."""
    pool_id = Pool.objects.values_list("pk", flat=True).get()
    answer = APIClient().get(f"/api/v1/pools/{pool_id}/{page}", query, headers=_host())
    if answer.status_code != 200 or not answer.json()["data"]:
        raise Meaningless(f"{page} answered {answer.status_code}")
    return answer.json()
