"""A browser at the admin, signed in as somebody."""

from collections.abc import Callable

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from tests.support.sessions import sessions_in_the_database

__all__ = ["sessions_in_the_database"]


class Browser:
    """Django's test client, with what a person does on a list: choose rows, choose an action, confirm."""

    def __init__(self, user) -> None:
        self.client = Client()
        self.client.force_login(user)

    def act(self, action: str, *rows, path: str = "/admin/accounts/user/", reason: str | None = None):
        """Choose the action; with a reason (also an empty one), confirm it too. The page, or the messages."""
        form = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows]}
        if reason is not None:
            form |= {"confirmed": str(len(rows)), "reason": reason}
        return self.client.post(path, form, follow=True)


@pytest.fixture
def browser() -> Callable[..., Browser]:
    return Browser


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]
