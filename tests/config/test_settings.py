"""The settings as whole processes see them."""

import json
import os
import subprocess
import sys

import psycopg
import pytest

from config.connections import TIMEOUTS, database, mail
from config.env import PROJECT
from config.env.declared import VARIABLES
from config.local.commands.lint import production_environment

SHOW = """
import json, sys, django
from django.conf import settings
django.setup()
import config.urls, config.celery
found = {name: getattr(settings, name) for name in %r}
found["local"] = [name for name in sys.modules if name.startswith("config.local")]
print(json.dumps(found, default=str))
"""


# The settings alone, without the applications behind them: a tenth of the time.
SHOW_ALONE = """
import json
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in %r}, default=str))
"""


def run(code, **environment):
    blank = {variable.name: "" for variable in VARIABLES}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **blank, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def settings_of(names, *, show=SHOW_ALONE, **environment):
    done = run(show % (names,), **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def production():
    return production_environment()


@pytest.mark.slow
def test_production_starts_with_a_complete_environment_and_without_local_parts(production):
    found = settings_of(
        ["DEBUG", "INSTALLED_APPS", "SESSION_COOKIE_SECURE", "STRIPE_API_BASE", "SECURE_SSL_REDIRECT", "EMAIL_BACKEND"],
        show=SHOW,
        **production,
    )
    assert found["DEBUG"] is False
    assert "config.local" not in found["INSTALLED_APPS"]
    assert found["local"] == []
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["STRIPE_API_BASE"] is None
    assert found["EMAIL_BACKEND"].endswith("smtp.EmailBackend")


@pytest.mark.parametrize(
    ("environment", "given", "is_required"),
    [
        ("production", "", True),
        ("staging", "", True),
        ("staging", "false", False),
        ("local", "", False),
        ("local", "true", True),
    ],
)
def test_staff_need_a_second_factor_where_strangers_can_reach_us(production, environment, given, is_required):
    if environment != "production":
        production["STRIPE_SECRET_KEY"] = "sk_test_abcdefghijkl"
    found = settings_of(
        ["STAFF_TOTP_REQUIRED"], **production | {"OUTLAST_ENV": environment, "STAFF_TOTP_REQUIRED": given}
    )
    assert found["STAFF_TOTP_REQUIRED"] is is_required


def test_the_cookie_of_staff_is_for_our_pages_over_https_alone(production):
    names = ["SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_AGE"]
    assert list(settings_of(names, **production).values())[:4] == ["Strict", True, True, 8 * 60 * 60]


def test_production_without_secrets_does_not_start_and_says_which(production):
    for name in ("SECRET_KEY", "STRIPE_SECRET_KEY"):
        del production[name]
    done = run("import django; django.setup()", **production)
    assert done.returncode == 1
    assert "The production environment has 2 faults:" in done.stderr
    assert "SECRET_KEY is missing." in done.stderr
    assert "STRIPE_SECRET_KEY is missing." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_web_processes_have_the_timeouts_of_web(production):
    done = run(
        "import config.wsgi; from django.conf import settings\n"
        "print(settings.DATABASES['default']['OPTIONS']['options'])",
        **production,
    )
    assert "statement_timeout=5000" in done.stdout, done.stderr


@pytest.mark.slow
def test_workers_have_the_timeouts_of_workers(production):
    done = run(
        "from config.celery import app; print(app.conf.task_acks_late, app.conf.broker_url)\n"
        "from django.conf import settings; print(settings.OUTLAST_PROCESS)",
        **production,
    )
    assert done.stdout.split() == ["True", production["CELERY_BROKER_URL"], "worker"], done.stderr


def test_commands_run_without_timeouts():
    assert set(TIMEOUTS["command"].values()) == {0}


def test_the_database_really_obeys(db):
    from django.db import connection

    # Connections of tests alone do not wait for the disk.
    here = connection.settings_dict
    ours = database("postgres://host/name", process="web")["OPTIONS"]["options"]
    with psycopg.connect(
        host=here["HOST"], port=here["PORT"], user=here["USER"], password=here["PASSWORD"], dbname=here["NAME"],
        options=ours,
    ) as apart:  # fmt: skip
        found = apart.execute("SELECT current_setting('synchronous_commit'), current_setting('statement_timeout')")
        assert found.fetchone() == ("on", "5s")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('TimeZone')")
        assert cursor.fetchone() == ("UTC",)


def test_a_database_address_is_taken_apart():
    found = database("postgres://us%40er:p%2Fw@host:5433/na-me?sslmode=require", process="web")
    assert [found[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "us@er",
        "p/w",
        "host",
        "5433",
        "na-me",
    ]
    assert found["OPTIONS"]["sslmode"] == "require"
    assert (found["CONN_MAX_AGE"], found["CONN_HEALTH_CHECKS"], found["ATOMIC_REQUESTS"]) == (60, True, False)


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp+tls://user:word@mail.example.com", 587, True, False),
        ("smtps://user:word@mail.example.com", 465, False, True),
        ("smtp://user:word@mail.example.com:2525", 2525, False, False),
    ],
)
def test_a_mail_address_is_taken_apart(url, port, tls, ssl):
    found = mail(url)
    assert (found["EMAIL_PORT"], found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (port, tls, ssl)
    assert (found["EMAIL_HOST"], found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == (
        "mail.example.com",
        "user",
        "word",
    )


def test_local_mail_goes_to_a_folder():
    assert mail("file:") == {"EMAIL_BACKEND": "config.mail.FolderBackend", "MAIL_PROVIDER": ""}


@pytest.mark.parametrize(
    ("url", "name", "module", "expected"),
    [
        ("postmark://tok%40en@api.postmarkapp.com", "postmark", "postmark", {
            "POSTMARK_SERVER_TOKEN": "tok@en", "WEBHOOK_SECRET": "s"}),
        ("mailgun://key@mg.example.org?region=eu", "mailgun", "mailgun", {
            "MAILGUN_API_KEY": "key", "MAILGUN_SENDER_DOMAIN": "mg.example.org", "MAILGUN_WEBHOOK_SIGNING_KEY": "s",
            "MAILGUN_API_URL": "https://api.eu.mailgun.net/v3"}),
        ("ses://id:word@eu-west-1?set=news", "ses", "amazon_ses", {
            "AMAZON_SES_CLIENT_PARAMS": {
                "aws_access_key_id": "id", "aws_secret_access_key": "word", "region_name": "eu-west-1"},
            "AMAZON_SES_CONFIGURATION_SET_NAME": "news", "WEBHOOK_SECRET": "s",
            "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": False}),
    ],
)  # fmt: skip
def test_a_provider_of_mail_is_taken_apart(url, name, module, expected):
    found = mail(url, webhook_secret="s")
    assert (found["MAIL_PROVIDER"], found["EMAIL_BACKEND"]) == (name, f"anymail.backends.{module}.EmailBackend")
    assert found["ANYMAIL"] == {"REQUESTS_TIMEOUT": 10, **expected}
