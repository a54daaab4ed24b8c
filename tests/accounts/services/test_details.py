"""What people may say about themselves, and in which form it is kept."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.services import details
from config.errors import Code, Malformed

TODAY = date(2026, 2, 28)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("ada@example.test", "ada@example.test"),
        ("  Ada.LOVELACE@Example.Test ", "ada.lovelace@example.test"),
        ("ada+pools@xn--bcher-kva.example", "ada+pools@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_kept_in_lower_case(given, kept):
    assert details.clean_email(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ada",
        "ada@",
        "@example.test",
        "ada@example",
        "ada@exam ple.test",
        "ada@example.test\nbcc: all@example.test",
        "a@b.test, c@d.test",
        "\u0131an@example.test",  # the dotless i, which upper-cases to a plain one
        "ad\u212a@example.test",  # the Kelvin sign, which lower-cases to a plain k
        "ada@b\u00fccher.example",
        '"a\u0007"@example.test',
        "closed-1@closed.invalid",
        "a" * 250 + "@b.test",
    ],
)
def test_a_bad_address_is_refused(given):
    with pytest.raises(ValidationError):
        details.clean_email(given)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Ada  Lovelace ", "Ada Lovelace"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("Grace \U0001f3c8", "Grace \U0001f3c8"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("نگار\u200cا", "نگار\u200cا"),
        ("x" * 60, "x" * 60),
        ("=1+1", "=1+1"),
        ("<b>Bob</b>", "<b>Bob</b>"),
    ],
)
def test_a_name_is_kept_composed_and_without_needless_space(given, kept):
    assert details.clean_display_name(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "",
        "   ",
        "\u200d",
        "\u200c \u200d",
        "x" * 61,
        "Ada\nLovelace",
        "Ada\x00",
        "Ada\x1b[31m",
        "\u202egnp.exe",
        "Ada\u200b",
        "\ufeffAda",
        "Ada\u2028",
        "Ada\ud800",
    ],
)
def test_a_bad_name_is_refused(given):
    with pytest.raises(ValidationError):
        details.clean_display_name(given)


@pytest.mark.parametrize(("given", "kept"), [("US", "US"), ("gb", "GB"), (" de ", "DE")])
def test_a_country_is_kept_in_capitals(given, kept):
    assert details.clean_country(given) == kept


@pytest.mark.parametrize("given", ["", "U", "USA", "UK", "XX", "12", "ß", "ＵＳ"])
def test_a_bad_country_is_refused(given):
    with pytest.raises(ValidationError):
        details.clean_country(given)


@pytest.mark.parametrize(
    ("given", "kept"), [("", ""), ("nv", "NV"), ("NSW", "NSW"), ("13", "13"), (" us-nv ", "US-NV")]
)
def test_a_region_is_kept_in_capitals(given, kept):
    assert details.clean_region(given) == kept


@pytest.mark.parametrize("given", ["N V", "ß", "-", "NV-", "N/V", "x" * 11, "Ñ", "N\nV"])
def test_a_bad_region_is_refused(given):
    with pytest.raises(ValidationError):
        details.clean_region(given)


@pytest.mark.parametrize("given", [TODAY, date(2000, 2, 29), date(1906, 1, 1)])
def test_a_date_of_birth_lies_in_a_lifetime(given):
    assert details.birth_check(TODAY)(given) == given


@pytest.mark.parametrize("given", [date(2026, 3, 1), date(9999, 12, 31), date(1905, 12, 31), date(1, 1, 1)])
def test_an_absurd_date_of_birth_is_refused(given):
    with pytest.raises(ValidationError):
        details.birth_check(TODAY)(given)


def test_a_long_passphrase_is_a_password():
    check = details.password_check(User())

    assert check("correct horse battery staple") == "correct horse battery staple"
    assert check(" " + "x7" * 60) == " " + "x7" * 60


@pytest.mark.parametrize(
    "given",
    ["", "short", "qwertyuiop", "12345678901234", "ada.lovelace", "lovelace-of-london", "x7" * 65],
)
def test_a_weak_password_is_refused(given):
    owner = User(email="ada.lovelace@example.test", display_name="Lovelace of London")

    with pytest.raises(ValidationError):
        details.password_check(owner)(given)


def test_every_fault_is_named_at_once():
    with pytest.raises(Malformed) as caught:
        details.cleaned(
            {
                "email": (details.clean_email, "x"),
                "country": (details.clean_country, "UK"),
                "region": (details.clean_region, "NV"),
            }
        )

    assert caught.value.code is Code.VALIDATION_ERROR
    assert set(caught.value.details) == {"email", "country"}
    assert all(isinstance(text, str) for texts in caught.value.details.values() for text in texts)


def test_what_is_fine_comes_back_cleaned():
    assert details.cleaned({"country": (details.clean_country, "us")}) == {"country": "US"}
