"""People in a real browser: the door and its second step, a device that is set up, personal data behind a reason."""

from datetime import date

import pytest

from accounts.models import PersonalDetails, Totp
from config.models import AuditEntry
from tests.factories.accounts import PASSWORD, FinanceFactory, UserFactory
from tests.support.devices import Device, give_device

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def give_password(page, person, password=PASSWORD):
    page.goto("/admin/login/?next=/admin/")
    page.fill("input[name=username]", person.email)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")


def test_staff_sign_in_with_a_second_factor(office):
    page, person = office.page, FinanceFactory(password=PASSWORD, display_name="Fay")
    device = give_device(person)
    page.goto("/admin/login/?next=/admin/payments/refund/")
    office.look("login")
    give_password(page, person, "nothing")
    page.wait_for_selector("text=The e-mail address or the password is wrong")
    office.look("login-refused")

    give_password(page, person)
    page.wait_for_selector("input[name=code]")
    office.look("login-code")
    page.fill("input[name=code]", device.wrong())
    page.click("button[type=submit]")
    page.wait_for_selector("text=The one-time code is wrong")
    office.look("login-code-refused")
    page.fill("input[name=code]", device.code())
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")
    page.wait_for_selector("text=Fay")


def test_a_device_is_set_up(office):
    page, person = office.page, FinanceFactory(password=PASSWORD)
    office.enter(person)
    office.open("/admin/second-factor/")
    office.look("second-factor")
    page.click("button[value=begin]")
    page.wait_for_selector("input[name=code]")
    office.look("second-factor-secret")
    page.fill("input[name=code]", Device(Totp.objects.get().secret).code())
    page.click("button[value=confirm]")
    page.wait_for_selector("li >> nth=9", state="attached")
    office.look("second-factor-codes")
    assert Totp.objects.confirmed().exists()


def test_personal_data_is_shown_after_a_reason_and_noted(office):
    page, person = office.page, UserFactory(display_name="Ann Arbor", date_of_birth=date(1984, 2, 28))
    PersonalDetails.objects.create(user=person, legal_name="Ada Canary", tax_country="GB", tax_number="QQ 123456 C")
    office.enter(FinanceFactory(password=PASSWORD))
    office.open(f"/admin/accounts/user/{person.pk}/change/")
    assert "Canary" not in page.content()
    office.look("user")
    page.click("a:has-text('Personal data')")
    office.look("personal-data-why")
    assert "Canary" not in page.content()
    page.fill("[name=reason]", "Form 1099")
    page.locator("form:has([name=reason]) button[type=submit]").click()
    page.wait_for_selector("text=Ada Canary")
    office.look("personal-data")
    assert AuditEntry.objects.get(action="personal_data.seen").reason == "Form 1099"
