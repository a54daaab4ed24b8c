"""Asking in GraphQL as outsiders do."""

from typing import Any

from rest_framework.test import APIClient

PATH = "/graphql"


def send(client: APIClient, query: str | None, headers: Any = None, **body: Any) -> Any:
    """The answer as it came."""
    asked = body if query is None else {"query": query, **body}
    return client.post(PATH, asked, format="json", headers=headers)


def ask(client: APIClient, query: str, **variables: Any) -> Any:
    """The data of an answer that has no errors."""
    answer = send(client, query, variables=variables)
    found = answer.json()
    assert "errors" not in found, found["errors"]
    assert answer.status_code == 200
    return found["data"]


def codes(answer: Any) -> list[str]:
    """Those of its errors, after a look at the shape of each."""
    found = answer.json()
    assert set(found) <= {"data", "errors", "extensions"}
    assert found["extensions"]["request_id"] == answer["X-Request-ID"]
    for error in found.get("errors", []):
        assert set(error) <= {"message", "path", "locations", "extensions"}
        assert set(error["extensions"]) == {"code", "details"}
    return [error["extensions"]["code"] for error in found.get("errors", [])]


def refused(client: APIClient, query: str, **variables: Any) -> list[str]:
    """The codes of a question that was answered in part, or not at all."""
    return codes(send(client, query, variables=variables))
