"""Each of the two clients walks the whole main job against the running system, over a way that is not always good.

Register, verify by mail, ask, approve in bulk, pay at the Stripe double, pick, read standings. On the way one answer is
lost, others are 503 and 429, and a token is spent.
"""

import json
import os
import subprocess
from itertools import pairwise

import pytest

from tests.clients.conftest import BOSS, PASSWORD
from tests.clients.stumbling import Stumble, StumblingProxy
from tests.support.running import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.slow]
SOURCES = ROOT / "tests" / "clients"
REGISTER, POOLS = "/api/v1/auth/register", "/api/v1/pools"


def finished(argv, **env):
    """What the program printed, as JSON."""
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def python_walk(clients, tools, told):
    env = tools.path() | {"PYTHONPATH": str(clients / "python"), "MYPYPATH": str(clients / "python")}
    python = str(tools.folder / "bin" / "python")
    walk = str(SOURCES / "walk.py")
    config = ["--config-file", str(clients / "python" / "mypy.ini"), "--cache-dir", str(clients / "cache")]
    finished([python, "-m", "mypy", *config, walk], **env)
    return json.loads(finished([python, walk, told], **env))


def typescript_walk(clients, tools, told):
    node, package = str(tools.node / "bin" / "node"), clients / "typescript"
    folder = package / "walk"
    folder.mkdir()
    (folder / "walk.ts").write_text((SOURCES / "walk.ts").read_text())
    # As somebody has it who installed the package.
    (package / "node_modules" / "outlast-client").symlink_to(package)
    settings = json.loads((package / "tsconfig.json").read_text())
    settings["compilerOptions"] |= {"rootDir": ".", "outDir": ".", "typeRoots": ["../node_modules/@types"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings | {"include": [], "files": ["walk.ts"]}))
    finished([node, str(package / "node_modules" / ".bin" / "tsc"), "--project", str(folder)], **tools.path())
    return json.loads(finished([node, str(folder / "walk.js"), told], **tools.path()))


@pytest.mark.parametrize("walk", [python_walk, typescript_walk])
def test_the_main_job_over_a_bad_way(walk, clients, tools, house):
    asking = f"{POOLS}/{house.pool}/requests"
    with StumblingProxy(house.system.base) as proxy:
        proxy.stumbles(
            Stumble("POST", REGISTER, status=503, retry_after=1),
            Stumble("GET", POOLS, status=503, retry_after=1),
            Stumble("GET", POOLS, status=429, retry_after=1),
            Stumble("POST", asking, cut=True),
        )
        told = {
            "base": proxy.base, "mail": str(house.system.home / "mail"), "email": f"{walk.__name__}@example.test",
            "password": PASSWORD, "boss": BOSS, "pool": house.pool, "team": house.team, "round": 1,
        }  # fmt: skip
        result = walk(clients, tools, json.dumps(told))

        assert (result["number"], result["requests"], result["pools"]) == (1, 1, [house.pool])
        assert (result["picked"], result["entry"] in result["standings"]) == (house.team, True)
        refused = [result[name] for name in ("wrong_team", "strangers", "signed_out")]
        assert refused == ["TEAM_NOT_PLAYING", "NOT_FOUND", "NOT_AUTHENTICATED"]

        # Without a sign-in nothing is sent twice by itself.
        assert result["register_refused"] == "SERVICE_UNAVAILABLE"
        assert [call.status for call in proxy.calls("POST", REGISTER)] == [503, 201]
        # What passes with time is asked again, and not before the time that was told.
        pools = proxy.calls("GET", POOLS)
        assert [call.status for call in pools] == [503, 429, 200]
        assert all(later.at - sooner.at >= 1 for sooner, later in pairwise(pools))
        # The lost answer is fetched under the same key: asked twice, one place.
        lost, found = proxy.calls("POST", asking)
        assert (lost.status, found.status, found.is_replay, lost.key == found.key != "") == (0, 201, True, True)
        # Of several calls with a spent token one has fetched another.
        assert [call.status for call in proxy.calls("POST", "/api/v1/auth/token/refresh")] == [200]


def test_what_is_generated_is_not_committed():
    listed = subprocess.run(
        ["git", "ls-files", "docs/clients"], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    ).stdout.split()
    assert [path for path in listed if "generated" in path or "node_modules" in path or "/dist/" in path] == []
