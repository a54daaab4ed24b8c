"""The admin's base: read-only, and actions behind a page that says what will happen."""

import pytest
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.urls import reverse

from config.admin import HouseAdmin, ReadOnlyAdmin
from config.clock import database_now
from config.connections import cache
from config.models import OutboxMessage

LIST = reverse("admin:config_outboxmessage_changelist")

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client, admin_user):
    client.force_login(admin_user)
    return client


@pytest.fixture
def dead():
    return [
        OutboxMessage.objects.create(kind="a", key=f"dead {n}", attempts=10, dead_at=database_now()) for n in range(3)
    ]


def act(browser, rows, action="try_again", address=LIST, **more):
    return browser.post(address, {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], **more})


def said(answer):
    return [(message.level_tag, str(message)) for message in get_messages(answer.wsgi_request)]


class TestConfirmPage:
    def test_it_says_what_will_happen_and_does_nothing(self, browser, dead):
        answer = act(browser, dead)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "3 given-up messages get ten new tries" in page
        assert all(f"a {row.key}" in page for row in dead)
        assert OutboxMessage.objects.filter(dead_at=None).count() == 0

    def test_confirmed_it_does_it_and_says_so(self, browser, dead):
        answer = act(browser, dead, confirmed="3")
        assert answer.status_code == 302
        assert said(answer) == [("success", "3 of 3 put back.")]
        assert OutboxMessage.objects.filter(dead_at=None).count() == 3

    def test_refusals_are_grouped_by_reason_and_stop_nobody_else(self, browser, dead):
        waiting = [OutboxMessage.objects.create(kind="a", key=f"waiting {n}") for n in range(2)]
        answer = act(browser, [*dead, *waiting], confirmed="5")
        assert said(answer) == [
            ("success", "3 of 5 put back."),
            ("warning", "2 of 5 refused: Only a message that was given up can be tried again."),
        ]

    def test_a_list_that_changed_in_the_meantime_is_shown_again(self, browser, dead):
        answer = act(browser, dead, confirmed="2")
        assert answer.status_code == 200
        assert "The list changed in the meantime" in answer.content.decode()
        assert OutboxMessage.objects.filter(dead_at=None).count() == 0

    def test_all_rows_of_all_pages_can_be_meant(self, browser, dead):
        answer = act(browser, dead[:1], select_across="1")
        assert '<input type="hidden" name="confirmed" value="3">' in answer.content.decode()
        act(browser, dead[:1], select_across="1", confirmed="3")
        assert OutboxMessage.objects.filter(dead_at=None).count() == 3

    def test_long_lists_are_shortened(self, browser):
        OutboxMessage.objects.bulk_create(
            [OutboxMessage(kind="a", key=str(n), dead_at=database_now()) for n in range(103)]
        )
        assert "… and 3 more" in act(browser, OutboxMessage.objects.all()).content.decode()


def test_staff_keep_their_session_while_redis_is_away(browser, settings):
    dead = cache("redis://127.0.0.1:1/0", environment="local", forgiving=True)
    settings.CACHES = {**settings.CACHES, "default": dead}
    assert browser.get(LIST).status_code == 200


class TestPermission:
    @pytest.fixture
    def viewer(self, client, moderator):
        moderator.groups.clear()
        moderator.user_permissions.set([Permission.objects.get(codename="view_outboxmessage")])
        client.force_login(moderator)
        return client

    def test_without_it_the_action_is_not_offered(self, viewer, dead):
        assert "try_again" not in viewer.get(LIST).content.decode()

    def test_without_it_a_forged_post_does_nothing(self, viewer, dead):
        act(viewer, dead, confirmed="3")
        assert OutboxMessage.objects.filter(dead_at=None).count() == 0

    def test_with_it_the_action_is_offered(self, viewer, moderator, dead):
        moderator.user_permissions.add(Permission.objects.get(codename="change_outboxmessage"))
        assert "try_again" in viewer.get(LIST).content.decode()


@pytest.fixture
def noted(settings):
    """The same table under an admin that has more actions and one writable field."""
    settings.ROOT_URLCONF = "tests.config.sample_admin"
    return "/admin/sample/config/outboxmessage/"


class TestReason:
    def test_a_required_reason_that_is_missing_is_asked_for_again(self, browser, dead, noted):
        answer = act(browser, dead, "note", noted, confirmed="3", reason="  ")
        assert "Say why." in answer.content.decode()
        assert OutboxMessage.objects.filter(last_error="").count() == 3

    def test_the_reason_reaches_the_function(self, browser, dead, noted):
        act(browser, dead, "note", noted, confirmed="3", reason="  because  ")
        assert OutboxMessage.objects.filter(last_error="because").count() == 3

    def test_an_optional_reason_may_be_left_out(self, browser, dead, noted):
        assert "(optional)" in act(browser, dead, "explain", noted).content.decode()
        assert act(browser, dead[2:], "explain", noted, confirmed="1").status_code == 302

    @pytest.mark.django_db(transaction=True)
    def test_a_crash_of_one_row_tells_nothing_and_stops_nobody_else(self, browser, dead, noted):
        browser.raise_request_exception = False
        answer = act(browser, dead, "explain", noted, confirmed="3")
        found = said(answer)
        assert found[0] == ("success", "1 of 3 done.")
        assert ("warning", "1 of 3 refused: Full.") in found
        assert "swordfish" not in str(found)


class TestReadOnly:
    def test_rows_are_shown_and_nothing_can_be_saved(self, browser, dead):
        address = reverse("admin:config_outboxmessage_change", args=[dead[0].pk])
        assert browser.get(address).status_code == 200
        assert browser.post(address, {"kind": "forged"}).status_code == 403
        assert browser.get(reverse("admin:config_outboxmessage_add")).status_code == 403
        assert browser.post(reverse("admin:config_outboxmessage_delete", args=[dead[0].pk])).status_code == 403
        assert "delete_selected" not in browser.get(LIST).content.decode()

    def test_only_the_fields_opted_in_can_be_changed(self, browser, dead, noted):
        address = f"{noted}{dead[0].pk}/change/"
        answer = browser.post(address, {"last_error": "noted", "kind": "forged", "attempts": "0", "key": "forged"})
        assert answer.status_code == 302
        dead[0].refresh_from_db()
        assert (dead[0].last_error, dead[0].kind, dead[0].attempts, dead[0].key) == ("noted", "a", 10, "dead 0")

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_list_asks_the_same_however_long(self, browser, rows, django_assert_max_num_queries):
        OutboxMessage.objects.bulk_create([OutboxMessage(kind="a", key=str(n)) for n in range(rows)])
        with django_assert_max_num_queries(9):
            browser.get(LIST)


def test_adding_is_opted_into(rf, admin_user):
    class Adding(HouseAdmin):
        may_add = True

    request = rf.get("/")
    request.user = admin_user
    adding = Adding(OutboxMessage, admin.site)
    assert adding.has_add_permission(request)
    assert adding.get_readonly_fields(request) == []
    assert "kind" in adding.get_readonly_fields(request, OutboxMessage())
    assert not HouseAdmin(OutboxMessage, admin.site).has_add_permission(request)
    assert not ReadOnlyAdmin(OutboxMessage, admin.site).has_change_permission(request)
