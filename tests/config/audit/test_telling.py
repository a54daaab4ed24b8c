"""Whatever writes, the triggers know from where: with `attribute()`, without it, after a rollback, in the next one."""

import pytest
from django.db import connection, transaction

from config import audit
from config.audit.origin import coming_from
from config.logging import current_request_id
from config.models import AuditEntry
from tests.factories.entries import RequestFactory


@pytest.fixture
def in_request():
    token = current_request_id.set("req-7")
    with coming_from("203.0.113.7"):
        yield
    current_request_id.reset(token)


def origins(**which):
    return list(AuditEntry.objects.filter(**which).order_by("id").values_list("request_id", "address"))


HERE = ("req-7", "203.0.113.7")


@pytest.mark.django_db(transaction=True)
class TestATransactionThatSaysNothing:
    def test_is_told(self, in_request):
        with transaction.atomic():
            request = RequestFactory()

        assert set(origins(subject_type="request", subject_id=request.pk)) == {HERE}

    def test_is_told_after_another_of_the_same_service(self, in_request):
        @transaction.atomic
        def service():
            return RequestFactory(status="pending")

        first, second = service(), service()

        for request in (first, second):
            assert origins(action="request.pending", subject_id=request.pk) == [HERE]

    def test_is_told_again_after_a_block_was_rolled_back(self, in_request):
        with transaction.atomic():
            with transaction.atomic():
                RequestFactory()
                transaction.set_rollback(True)
            request = RequestFactory()

        assert origins(action="request.pending", subject_id=request.pk) == [HERE]

    def test_is_told_again_after_it_was_rolled_back(self, in_request):
        with transaction.atomic():
            RequestFactory()
            transaction.set_rollback(True)
        with transaction.atomic():
            request = RequestFactory()

        assert origins(action="request.pending", subject_id=request.pk) == [HERE]

    def test_is_told_outside_of_any_block(self, in_request):
        request = RequestFactory()
        request.status = "withdrawn"
        request.save(update_fields=["status"])

        assert origins(action="request.withdrawn") == [HERE]

    def test_is_told_of_the_request_at_hand_alone(self):
        with coming_from("203.0.113.7"):
            RequestFactory()
        with coming_from("198.51.100.1"), transaction.atomic():
            request = RequestFactory()

        assert origins(action="request.pending", subject_id=request.pk) == [("", "198.51.100.1")]

    def test_costs_no_statement_of_the_service(self, in_request, django_assert_num_queries):
        request = RequestFactory()
        with django_assert_num_queries(1):
            type(request).objects.filter(pk=request.pk).update(status="withdrawn")


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_says_who_is_told_nothing_twice(in_request, moderator):
    said = []
    with transaction.atomic():
        audit.attribute(by=moderator)
        raw = connection.connection.cursor
        connection.connection.cursor = lambda *args, **kwargs: said.append(1) or raw(*args, **kwargs)
        try:
            with connection.cursor() as cursor:
                del said[:]
                cursor.execute("UPDATE config_outboxmessage SET attempts = 1")
        finally:
            del connection.connection.cursor

    assert said == []
