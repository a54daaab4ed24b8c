"""Entries become links of one chain, whoever is late; the chain tells the first place that was touched."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from config import audit, outbox
from config.audit.chain import hash_of, parts_of
from config.audit.sealing import close_days, seal
from config.audit.verifying import verify
from config.clock import database_now
from config.models import AuditDay, AuditEntry, AuditLink, AuditPending
from tests.support.threads import run_together


def write(count, action="thing.done"):
    for _ in range(count):
        audit.record(action=action, reason="a reason\nof two lines, with ünïcode", data={"count": 3})


def today():
    return database_now().date()


def tamper(sql, *params):
    """As somebody with all rights over the database would."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, params)
        cursor.execute("SET session_replication_role = origin")


@pytest.fixture
def chained(db):
    write(5)
    seal()
    return list(AuditLink.objects.order_by("day", "number"))


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
    def yesterday(self, count=3):
        """Links of the day before: entries cannot be written in the past, so theirs is moved there afterwards."""
        write(count)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE config_auditentry DISABLE TRIGGER USER")
            cursor.execute("UPDATE config_auditentry SET at = at - interval '1 day'")
            cursor.execute("ALTER TABLE config_auditentry ENABLE TRIGGER USER")
        seal()
        return today() - timedelta(days=1)

    def test_a_day_that_is_over_is_closed_once_with_its_head(self, db):
        day = self.yesterday()
        write(2)

        (closed,) = close_days()

        assert close_days() == []
        assert (closed.day, closed.entries) == (day, 3)
        assert closed.head == AuditLink.objects.get(day=day, number=3).hash
        assert AuditLink.objects.get(day=today(), number=1).previous_hash == closed.head
        assert verify(first=day, last=today()).fault is None

    def test_what_comes_late_for_a_closed_day_belongs_to_the_next(self, db):
        day = self.yesterday()
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
        day = self.yesterday()
        (closed,) = close_days()

        outbox.drain()

        (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("The audit")]
        assert mail.to == [admin_user.email]
        assert closed.head in mail.body
        assert "is whole" in mail.body
        assert f"{day}={closed.head}" in mail.body

    def test_that_it_is_broken_is_mailed_and_logged(self, db, admin_user, mailoutbox, settings, caplog):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        day = self.yesterday()
        close_days()
        tamper("UPDATE config_auditentry SET reason = 'another' WHERE action = 'thing.done'")

        outbox.drain()

        (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("The audit")]
        assert mail.subject == f"The audit of {day} is broken"
        assert "is not what it was" in mail.body
        assert "is not what it was" in mail.alternatives[0][0]
        assert f"the audit of {day} is broken" in caplog.text


class TestAttacks:
    @pytest.mark.parametrize("table", ["config_auditentry", "config_auditlink", "config_auditday"])
    @pytest.mark.parametrize("sql", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
    def test_nothing_is_rewritten(self, db, table, sql):
        TestDays().yesterday()
        close_days()
        column = {"config_auditentry": "reason", "config_auditlink": "hash", "config_auditday": "head"}[table]

        with (
            pytest.raises(IntegrityError, match="kept as they are"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.format(table, column))

    def test_a_link_without_an_entry_is_refused(self, db):
        with (
            pytest.raises(DatabaseError, match="returned no rows"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("INSERT INTO config_auditlink (entry_id) VALUES (777)")

    def test_a_link_is_computed_whatever_is_given(self, db):
        write(1)
        entry_id = AuditEntry.objects.values_list("id", flat=True).get()

        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO config_auditlink (entry_id, day, number, previous_hash, hash)"
                " VALUES (%s, '2001-01-01', 77, 'x', 'y')",
                [entry_id],
            )

        link = AuditLink.objects.get()
        assert (link.day, link.number, link.previous_hash) == (today(), 1, "0" * 64)
        assert verify(first=today(), last=today()).fault is None


class TestVerifying:
    def fault(self, **heads):
        found = verify(first=today(), last=today(), **heads).fault
        return found and str(found)

    def test_a_chain_that_nobody_touched_is_whole(self, chained):
        assert verify(first=today(), last=today()).entries == 5
        assert self.fault() is None

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("reason", "'another'"),
            ("actor_id", "77"),
            ("action", "'thing.other'"),
            ("data", "'{}'"),
            ("at", "at + interval '1 microsecond'"),
            ("address", "'10.0.0.1'"),
            ("person_id", "5"),
            ("request_id", "'r'"),
            ("subject_id", "'9'"),
            ("subject_type", "'pool'"),
            ("actor_kind", "'user'"),
            ("api_key", "'ol_x'"),
        ],
    )
    def test_a_changed_column_is_found(self, chained, column, value):
        entry_id = chained[2].entry_id
        tamper(f"UPDATE config_auditentry SET {column} = {value} WHERE id = %s", entry_id)

        assert self.fault() == f"{today()}, number 3, entry {entry_id}: is not what it was"

    def test_a_deleted_entry_is_found(self, chained):
        tamper("DELETE FROM config_auditentry WHERE id = %s", chained[3].entry_id)

        assert self.fault() == f"{today()}, number 4, entry {chained[3].entry_id}: was deleted"

    def test_an_entry_that_was_deleted_with_its_link_is_found(self, chained):
        tamper("DELETE FROM config_auditlink WHERE number = 2")
        tamper("DELETE FROM config_auditentry WHERE id = %s", chained[1].entry_id)

        assert self.fault().startswith(f"{today()}, number 2, no entry: is missing")

    def test_a_link_that_was_computed_anew_is_found_at_the_next(self, chained):
        tamper("UPDATE config_auditentry SET reason = 'another' WHERE id = %s", chained[1].entry_id)
        tamper("DELETE FROM config_auditlink WHERE number = 2")
        # What the trigger would compute at that place.
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {parts_of('e')} FROM config_auditentry e WHERE id = %s", [chained[1].entry_id])
            parts = cursor.fetchone()
        forged = hash_of(before=chained[0].hash, day=str(today()), number=2, parts=parts)
        tamper(
            "INSERT INTO config_auditlink VALUES (%s, %s, 2, %s, %s)",
            chained[1].entry_id, today(), chained[0].hash, forged,
        )  # fmt: skip

        assert self.fault() == f"{today()}, number 3, entry {chained[2].entry_id}: does not follow the one before it"

    def test_a_tail_that_was_cut_off_a_closed_day_is_found(self, db):
        day = TestDays().yesterday()
        close_days()
        tamper("DELETE FROM config_auditlink WHERE number = 3")
        tamper("DELETE FROM config_auditentry WHERE id = (SELECT max(id) FROM config_auditentry)")

        found = verify(first=day, last=day).fault
        assert "the day was closed with 3 entries" in str(found)

    def test_an_entry_that_was_kept_out_of_the_chain_is_found(self, chained):
        write(1)
        hidden = AuditEntry.objects.order_by("-id").first()
        tamper("DELETE FROM config_auditpending")
        tamper("UPDATE config_auditentry SET at = at - interval '11 minutes' WHERE id = %s", hidden.pk)
        day = AuditEntry.objects.get(pk=hidden.pk).at.date()

        found = verify(first=day, last=today()).fault
        assert (found.entry_id, found.what) == (hidden.pk, "was never linked")

    def test_a_chain_that_was_rewritten_as_a_whole_differs_from_what_was_mailed(self, db):
        day = TestDays().yesterday()
        (closed,) = close_days()
        tamper("UPDATE config_auditentry SET reason = 'another'")
        tamper("DELETE FROM config_auditlink")
        tamper("DELETE FROM config_auditday")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO config_auditlink (entry_id) SELECT id FROM config_auditentry ORDER BY id")
        close_days()

        assert verify(first=day, last=day).fault is None
        found = verify(first=day, last=day, heads={str(day): closed.head}).fault
        assert "head that was published" in str(found)
        assert AuditDay.objects.get().head != closed.head


class TestTheCommand:
    def test_says_how_much_is_whole(self, chained):
        said = StringIO()
        call_command("verify_audit", stdout=said)

        assert said.getvalue() == "5 entries of 1 days are whole.\n"

    def test_names_the_first_place(self, chained):
        tamper("UPDATE config_auditentry SET reason = 'x' WHERE id >= %s", chained[1].entry_id)

        with pytest.raises(CommandError, match=f"1 entries are whole, then: .*number 2, entry {chained[1].entry_id}"):
            call_command("verify_audit")

    def test_looks_at_some_days(self, chained):
        said = StringIO()
        call_command("verify_audit", "--from", "2001-01-01", "--to", "2001-01-31", stdout=said)

        assert said.getvalue() == "0 entries of 0 days are whole.\n"

    @pytest.mark.parametrize("head", ["x", "2026-09-10", "2026-09-10=abc", "=" + "0" * 64])
    def test_refuses_a_head_that_is_none(self, db, head):
        with pytest.raises(CommandError, match="must be a day"):
            call_command("verify_audit", "--head", head)

    def test_compares_with_what_was_mailed(self, chained):
        good = f"{today()}={chained[-1].hash}"
        call_command("verify_audit", "--head", good, stdout=StringIO())

        with pytest.raises(CommandError, match="published"):
            call_command("verify_audit", "--head", f"{today()}={'0' * 64}")
