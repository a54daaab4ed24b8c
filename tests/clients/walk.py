"""The whole main job by the generated Python client. A program of its own: it knows the client, and nothing of us.

python walk.py '{"base": …, "mail": …, "email": …, "password": …, "boss": …, "pool": …, "team": …, "round": 1}'
"""

import datetime
import json
import re
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
from outlast_client import ApiError, ErrorCode, Outlast, Patience, answered
from outlast_client.generated.api.auth import register, verify_email
from outlast_client.generated.api.entries import get_entry, save_pick
from outlast_client.generated.api.pools import create_pool_request, list_pool_standings, list_pools
from outlast_client.generated.api.requests import approve_requests, get_request, list_requests, start_payment
from outlast_client.generated.models import (
    ApproveManyBodyRequest,
    CountryCode,
    PickBodyRequest,
    RegisterBodyRequest,
    TokenBodyRequest,
)

T = TypeVar("T")


def wait_for(question: Callable[[], T | None]) -> T:
    for _ in range(150):
        if (answer := question()) is not None:
            return answer
        time.sleep(0.2)
    raise TimeoutError(question)


def code_of(call: Callable[[], object]) -> str:
    """What the call is refused with."""
    try:
        call()
    except ApiError as error:
        if not isinstance(error.code, ErrorCode):
            raise
        return error.code.value
    return ""


def sign_up(outlast: Outlast, told: dict[str, Any]) -> str:
    body = RegisterBodyRequest(
        email=told["email"], password=told["password"], display_name="Pia",
        date_of_birth=datetime.date(1990, 5, 17), country=CountryCode.US,
    )  # fmt: skip
    # Nobody is signed in, so it is not tried again by itself: the first attempt stumbles.
    refused = code_of(lambda: register.sync(client=outlast.client, body=body))
    answered(register.sync(client=outlast.client, body=body))

    def token_in_mail() -> str | None:
        for mail in Path(told["mail"]).glob("*.eml"):
            text = mail.read_text().replace("=\n", "").replace("=3D", "=")
            found = re.search(r"verify-email\?token=([\w:.\-]+)", text)
            if found is not None and told["email"] in text:
                return found.group(1)
        return None

    token = TokenBodyRequest(token=wait_for(token_in_mail))
    assert answered(verify_email.sync(client=outlast.client, body=token)).data.user.email_verified
    outlast.sign_in(told["email"], told["password"])
    return refused


def join(player: Outlast, boss: Outlast, told: dict[str, Any]) -> dict[str, Any]:
    asked = answered(create_pool_request.sync(told["pool"], client=player.client)).data
    body = ApproveManyBodyRequest(requests=[asked.id])
    [decision] = answered(approve_requests.sync(client=boss.client, body=body)).data
    assert decision.decided, decision
    payment = answered(start_payment.sync(asked.id, client=player.client, idempotency_key=str(uuid.uuid4()))).data
    httpx.post(f"{payment.checkout_url}/pay", json={"card": "4242424242424242"}).raise_for_status()

    def entry() -> int | None:
        return answered(get_request.sync(asked.id, client=player.client)).data.entry

    return {"request": asked.id, "number": asked.number, "entry": wait_for(entry)}


def main(told: dict[str, Any]) -> dict[str, Any]:
    patience = Patience(first_wait=0.05)
    with Outlast(told["base"], patience=patience) as player, Outlast(told["base"], patience=patience) as boss:
        refused = sign_up(player, told)
        boss.sign_in(told["boss"], told["password"])
        pools = [pool.id for pool in answered(list_pools.sync(client=player.client)).data]
        joined = join(player, boss, told)
        pick = PickBodyRequest(team=told["team"])
        saved = answered(save_pick.sync(joined["entry"], told["round"], client=player.client, body=pick)).data
        unknown = PickBodyRequest(team="NOBODY")
        player.tokens.keep("spent", player.tokens.refresh)
        requests = answered(list_requests.sync(client=player.client))
        standings = answered(list_pool_standings.sync(told["pool"], client=player.client)).data
        result = {
            **joined,
            "pools": pools,
            "register_refused": refused,
            "picked": saved.team,
            "wrong_team": code_of(lambda: save_pick.sync(joined["entry"], 1, client=player.client, body=unknown)),
            "strangers": code_of(lambda: get_entry.sync(10**9, client=player.client)),
            "requests": len(requests.data),
            "standings": [row.entry for row in standings],
        }
        player.sign_out()
        return result | {"signed_out": code_of(lambda: list_requests.sync(client=player.client))}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
