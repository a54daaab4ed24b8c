"""Entries become links of one chain, whoever is late, and days close over it."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from config import outbox
from config.audit.sealing import close_days, seal
from config.audit.verifying import verify
from config.models import AuditEntry, AuditLink, AuditPending
from tests.config.audit.conftest import tamper, today, write, yesterday
from tests.support.threads import run_together


class TestSealing:
    def test_links_what_was_written_once_and_in_order(self, db):
        write(5)

        assert seal() == 5
        assert seal() == 0

        links = list(AuditLink.objects.order_by("number"))
        assert [link.number for link in links] == [1, 2, 3, 4, 5]
        assert [link.entry_id for link in links] == sorted(AuditEntry.objects.values_list("id", flat=True))
        assert [link.previous_hash for link in links] == ["0" * 64, *(link.hash for link in links[:-1])]
        assert not AuditPending.objects.exists()

    def test_is_bounded(self, db):
        write(5)

        assert seal(limit=3) == 3
        assert seal(limit=3) == 2

    def test_goes_over_many_at_once(self, db):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO config_auditentry (action) SELECT 'thing.done' FROM generate_series(1, 2500)")

        assert seal() == 2500
        assert verify(first=today(), last=today()).entries == 2500

    @pytest.mark.django_db(transaction=True)
    def test_an_entry_that_commits_late_is_linked_late_and_keeps_nobody_waiting(self):
        written, go_on = threading.Event(), threading.Event()

        def slow():
            with transaction.atomic():
                write(1, "thing.slow")
                written.set()
                assert go_on.wait(30)

        def quick():
            assert written.wait(30)
            write(3)
            try:
                return seal()
            finally:
                go_on.set()

        _, linked = run_together([slow, quick])

        assert linked.value == 3
        assert seal() == 1
        assert AuditLink.objects.get(number=4).entry.action == "thing.slow"
        assert AuditLink.objects.get(number=4).entry_id < AuditLink.objects.get(number=1).entry_id
        assert verify(first=today(), last=today()).fault is None

    @pytest.mark.django_db(transaction=True)
    def test_writers_and_sealers_at_once_make_one_chain(self):
        def work(kind):
            for _ in range(20):
                if kind == "write":
                    with transaction.atomic():
                        write(2)
                else:
                    seal()

        outcomes = run_together([lambda kind=kind: work(kind) for kind in ("write",) * 4 + ("seal",) * 3])
        seal()

        assert all(outcome.worked for outcome in outcomes), outcomes
        found = verify(first=today(), last=today())
        assert (found.entries, found.fault) == (160, None)

    @pytest.mark.django_db(transaction=True)
    def test_writing_does_not_wait_for_who_links(self):
        sealing, done = threading.Event(), threading.Event()
        write(1)

        def link():
            with transaction.atomic():
                seal()
                sealing.set()
                assert done.wait(30)

        def other():
            assert sealing.wait(30)
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '500ms'")
            try:
                write(1)
            finally:
                done.set()

        assert all(outcome.worked for outcome in run_together([link, other]))

    @pytest.mark.django_db(transaction=True)
    def test_the_database_lets_two_who_link_take_turns(self):
        """Without our own lock, as raw SQL would."""
        write(40)
        ids = list(AuditEntry.objects.order_by("id").values_list("id", flat=True))

        def link(entry_ids):
            with connection.cursor() as cursor:
                for entry_id in entry_ids:
                    cursor.execute("INSERT INTO config_auditlink (entry_id) VALUES (%s)", [entry_id])

        outcomes = run_together([lambda part=ids[start::4]: link(part) for start in range(4)])

        assert all(outcome.worked for outcome in outcomes), outcomes
        assert verify(first=today(), last=today()).fault is None

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("is_guarded", [True, False])
    def test_without_that_they_would_collide(self, is_guarded):
        """The control: the guard is taken away, and the second link of one place is refused by its key alone."""
        write(2)
        first, second = AuditEntry.objects.order_by("id").values_list("id", flat=True)
        (guard,) = [one for one in AuditLink._meta.triggers if one.name == "one_at_a_time"]
        linked, tried = threading.Event(), threading.Event()

        def link(entry_id):
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO config_auditlink (entry_id) VALUES (%s)", [entry_id])

        def slow():
            with transaction.atomic():
                link(first)
                linked.set()
                tried.wait(1)

        def quick():
            assert linked.wait(30)
            link(second)
            tried.set()

        with switched_off(guard.get_pgid(AuditLink), but=is_guarded):
            outcomes = run_together([slow, quick])

        assert [outcome.worked for outcome in outcomes] == [True, is_guarded]


@contextmanager
def switched_off(trigger, *, but):
    """Without this trigger of the links, unless `but`."""
    act = f"ALTER TABLE config_auditlink {{}} TRIGGER {trigger}"
    with connection.cursor() as cursor:
        if not but:
            cursor.execute(act.format("DISABLE"))
        try:
            yield
        finally:
            cursor.execute(act.format("ENABLE"))


class TestDays:
    def test_a_day_that_is_over_is_closed_once_with_its_head(self, db):
        day = yesterday()
        write(2)

        (closed,) = close_days()

        assert close_days() == []
        assert (closed.day, closed.entries) == (day, 3)
        assert closed.head == AuditLink.objects.get(day=day, number=3).hash
        assert AuditLink.objects.get(day=today(), number=1).previous_hash == closed.head
        assert verify(first=day, last=today()).fault is None

    def test_what_comes_late_for_a_closed_day_belongs_to_the_next(self, db):
        day = yesterday()
        close_days()
        write(1, "thing.late")
        tamper("UPDATE config_auditentry SET at = at - interval '1 day' WHERE action = 'thing.late'")

        seal()

        link = AuditLink.objects.get(entry__action="thing.late")
        assert (link.day, link.number) == (today(), 1)
        assert verify(first=day, last=today()).fault is None

    @pytest.mark.parametrize("days", [0, -1, -40])
    def test_no_day_is_closed_that_is_not_over_or_has_nothing(self, db, days):
        write(1)
        seal()

        with (
            pytest.raises(IntegrityError, match="cannot be closed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("INSERT INTO config_auditday (day) VALUES (%s)", [today() + timedelta(days=days)])

    def test_its_head_is_mailed_to_the_admins(self, db, admin_user, moderator, mailoutbox, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        day = yesterday()
        (closed,) = close_days()

        outbox.drain()

        (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("The audit")]
        assert mail.to == [admin_user.email]
        assert closed.head in mail.body
        assert "is whole" in mail.body
        assert f"{day}={closed.head}" in mail.body

    def test_that_it_is_broken_is_mailed_and_logged(self, db, admin_user, mailoutbox, settings, caplog):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        day = yesterday()
        close_days()
        tamper("UPDATE config_auditentry SET reason = 'another' WHERE action = 'thing.done'")

        outbox.drain()

        (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("The audit")]
        assert mail.subject == f"The audit of {day} is broken"
        assert "is not what it was" in mail.body
        assert "is not what it was" in mail.alternatives[0][0]
        assert f"the audit of {day} is broken" in caplog.text
