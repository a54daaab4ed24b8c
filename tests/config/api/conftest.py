"""The sample API in place of the real one, and limits that begin at zero."""

import pytest
from rest_framework.test import APIClient

SAMPLE = "tests.config.api.sample"


@pytest.fixture
def sample_urls(settings):
    settings.ROOT_URLCONF = SAMPLE


@pytest.fixture
def client(sample_urls, fresh_limits):
    """Anonymous, and shown a crash as an outside caller is."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def signed_in(sample_urls, fresh_limits):
    def make(user) -> APIClient:
        made = APIClient(raise_request_exception=False)
        made.force_authenticate(user)
        return made

    return make


@pytest.fixture
def outbox_rows(db):
    """Seven rows, two of one kind and five of another."""
    from config.models import OutboxMessage

    return OutboxMessage.objects.bulk_create(
        [OutboxMessage(kind="a" if number < 2 else "b", key=str(number)) for number in range(7)]
    )
