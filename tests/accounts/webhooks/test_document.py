"""The code of docs/webhooks-out.md does what the page says, in both languages."""

import base64
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from accounts.models.webhook_types import EventType
from accounts.services.webhooks.endpoints import SUBSCRIBABLE, rotate_secret
from accounts.services.webhooks.outcomes import WAITS
from accounts.services.webhooks.sending import deliver_due
from accounts.services.webhooks.signing import good_secrets
from config.clock import database_now
from tests.support.subscribing import post

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks-out.md").read_text()
# As a compiler would: what is left is JavaScript.
TYPES = re.compile(r": (?:Buffer|string|number|boolean|Record<string, string>)(?=[,;)\s={])")


def snippet(language):
    return re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)[1]


def in_python(asked, secret, tolerance):
    space = {}
    exec(snippet("python"), space)  # the page's own code
    return space["is_genuine"](asked.body, asked.headers, secret, tolerance)


def in_typescript(asked, secret, tolerance):
    program = TYPES.sub("", snippet("typescript")) + (
        "\nconst [body, headers, secret, tolerance] = JSON.parse(process.argv[1]);"
        '\nconsole.log(isGenuine(Buffer.from(body, "base64"), headers, secret, tolerance));'
    )
    given = json.dumps([base64.b64encode(asked.body).decode(), asked.headers, secret, tolerance])
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program, given], capture_output=True, text=True, timeout=60, check=True
    )
    return {"true": True, "false": False}[done.stdout.strip()]


@pytest.fixture(params=["python", "typescript"])
def is_genuine(request):
    if request.param == "typescript" and shutil.which("node") is None:
        pytest.skip("no node here to run the page's TypeScript with")
    return {"python": in_python, "typescript": in_typescript}[request.param]


@pytest.fixture
def asked(server, endpoint):
    post(endpoint)
    deliver_due()
    return server.asked[0]


def test_what_we_sent_is_genuine(asked, endpoint, is_genuine):
    assert is_genuine(asked, endpoint.secret, 300)


def test_nothing_else_is(asked, endpoint, is_genuine):
    later = str(int(asked.headers["webhook-timestamp"]) + 1)
    others = [
        replace(asked, body=asked.body + b" "),
        replace(asked, headers=asked.headers | {"webhook-id": "evt_other"}),
        replace(asked, headers=asked.headers | {"webhook-timestamp": later}),
        replace(asked, headers=asked.headers | {"webhook-signature": "v1,AAAA"}),
        replace(asked, headers=asked.headers | {"webhook-signature": ""}),
    ]
    assert [is_genuine(other, endpoint.secret, 300) for other in others] == [False] * 5
    assert not is_genuine(asked, "whsec_" + "A" * 43 + "=", 300)


def test_an_old_call_is_refused(asked, endpoint, is_genuine):
    assert not is_genuine(asked, endpoint.secret, -1)


def test_while_a_secret_changes_both_will_do(server, endpoint, is_genuine):
    now = database_now()
    old = endpoint.secret
    endpoint = rotate_secret(user=endpoint.user, endpoint_id=endpoint.pk, now=now)
    post(endpoint)
    deliver_due()

    assert set(good_secrets(endpoint, now=now)) == {old, endpoint.secret}
    assert [is_genuine(server.asked[0], secret, 300) for secret in (old, endpoint.secret)] == [True, True]


def test_every_event_is_on_the_page():
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE, re.MULTILINE)
    named = set()
    for row in rows:
        first = ""
        for name in re.findall(r"`([a-z.]+)`", row):
            first = name.partition(".")[0] or first
            named.add(name if not name.startswith(".") else first + name)
    assert {name for name in named if "." in name and "/" not in name} >= {*SUBSCRIBABLE, EventType.TEST}


def test_the_waits_are_those_on_the_page():
    assert [wait.total_seconds() for wait in WAITS] == [5, 60, 300, 1800] + [
        hours * 3600 for hours in (2, 5, 10, 14, 18, 23)
    ]
    assert "after 5 seconds, 1, 5 and 30 minutes, 2, 5, 10, 14, 18 and 23 hours" in " ".join(PAGE.split())
