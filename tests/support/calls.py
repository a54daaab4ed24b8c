"""Calling the API as outsiders do, with every answer held against the OpenAPI schema."""

import itertools
import json

from django.http import HttpResponse
from rest_framework.test import APIClient

from tests.support import contract

URLS = "config.urls"
_places = itertools.count(1)


def new_place() -> str:
    """A network that no other caller comes from, so that no limit is shared."""
    number = next(_places)
    return f"198.{18 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"


class Collected(HttpResponse):
    """A streamed answer, whole."""

    def json(self):
        return json.loads(self.content)


def respond(client: APIClient, method: str, path: str, data=None, **query):
    """The answer to a call under /api/v1."""
    path = f"/api/v1{path}"
    verb = getattr(client, method.lower())
    answer = verb(path, query) if method == "GET" else verb(path, data, query_params=query)
    if answer.streaming:
        answer = Collected(b"".join(answer.streaming_content), status=answer.status_code, headers=answer.headers)
    assert contract.faults(URLS, method, path, answer) == []
    return answer


def call(client: APIClient, method: str, path: str, data=None, **query):
    """Its status, and its data or the code of its error."""
    answer = respond(client, method, path, data, **query)
    body = answer.json() if answer.content else {"success": True, "data": None}
    return answer.status_code, body["data"] if body["success"] else body["error"]["code"]
