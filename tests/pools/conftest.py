"""The back office, for tests of pools."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages

from accounts.models import User


@pytest.fixture
def back_office(client):
    """A signed-in browser: `back_office(person)`."""

    def sign_in(person):
        # Groups are joined in the database.
        client.force_login(User.objects.get(pk=person.pk))
        return client

    return sign_in


@pytest.fixture
def choose():
    """Choose an action for rows of a list."""

    def send(browser, address, action, rows, **fields):
        data = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], "index": "0", "select_across": "0"}
        return browser.post(address, data | fields)

    return send


@pytest.fixture
def confirm(choose):
    """Choose an action and confirm it; gives the messages."""

    def send(browser, address, action, rows, **fields):
        answer = choose(browser, address, action, rows, confirmed=str(len(rows)), **fields)
        assert answer.status_code == 302, answer.content.decode()[:2000]
        return told(answer)

    return send


def told(answer) -> list[str]:
    """The messages that an answer leaves for the next page."""
    return [str(message) for message in get_messages(answer.wsgi_request)]
