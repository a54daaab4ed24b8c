"""Addresses from the environment, as the settings Django wants: database, cache, mail, stores of files."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

from config.env.parsing import MAIL_PROVIDERS

# Milliseconds. A player waits seconds at most; settling a million entries or migrating a table may take its time.
TIMEOUTS = {
    "web": {"statement_timeout": 5_000, "lock_timeout": 3_000, "idle_in_transaction_session_timeout": 10_000},
    "worker": {"statement_timeout": 120_000, "lock_timeout": 30_000, "idle_in_transaction_session_timeout": 60_000},
    "command": {"statement_timeout": 0, "lock_timeout": 0, "idle_in_transaction_session_timeout": 0},
}
REDIS_TIMEOUT_SECONDS = 0.25
MAIL_TIMEOUT_SECONDS = 10


def database(url: str, *, process: str) -> dict[str, Any]:
    """`DATABASES["default"]` for a `postgres://` address; query parameters become connection options."""
    parts = urlsplit(url)
    # Acknowledged picks survive a killed server only with synchronous commits.
    run_time = {**TIMEOUTS[process], "synchronous_commit": "on"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "connect_timeout": 3,
            "application_name": f"outlast-{process}",
            "options": " ".join(f"-c {name}={value}" for name, value in run_time.items()),
            **dict(parse_qsl(parts.query)),
        },
        "TEST": {"TEMPLATE": "template0"},
    }


def cache(url: str, *, environment: str, forgiving: bool) -> dict[str, Any]:
    """One alias of `CACHES`. Forgiving: a Redis that is away means a miss; else it means an exception, in time."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": _own_test_database(url) if environment == "test" else url,
        "KEY_PREFIX": "outlast",
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT_SECONDS,
            "SOCKET_TIMEOUT": REDIS_TIMEOUT_SECONDS,
            "IGNORE_EXCEPTIONS": forgiving,
            # The client's own retries would turn a quarter of a second into several.
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
        },
    }


def _own_test_database(url: str) -> str:
    """Parallel test processes count in databases of their own, away from the one people use."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return urlunsplit(urlsplit(url)._replace(path=f"/{2 + int(worker) % 14}"))


def mail(url: str, *, webhook_secret: str = "") -> dict[str, Any]:
    """The settings of mail for `file:`, an SMTP address, or a provider; `MAIL_PROVIDER` is empty for the former two."""
    if url == "file:":
        return {"EMAIL_BACKEND": "config.mail.FolderBackend", "MAIL_PROVIDER": ""}
    parts = urlsplit(url)
    if parts.scheme in MAIL_PROVIDERS:
        return _provider_of_mail(parts, webhook_secret)
    return {
        "MAIL_PROVIDER": "",
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


def _provider_of_mail(parts: SplitResult, secret: str) -> dict[str, Any]:
    """Those of django-anymail. Its news are proved by Mailgun's signature, or by a password that was agreed upon."""
    key, word, options = unquote(parts.username or ""), unquote(parts.password or ""), dict(parse_qsl(parts.query))
    api_url = "https://api.eu.mailgun.net/v3" if options.get("region") == "eu" else "https://api.mailgun.net/v3"
    theirs: dict[str, dict[str, Any]] = {
        "postmark": {"POSTMARK_SERVER_TOKEN": key, "WEBHOOK_SECRET": secret},
        "mailgun": {
            "MAILGUN_API_KEY": key, "MAILGUN_SENDER_DOMAIN": parts.hostname, "MAILGUN_API_URL": api_url,
            "MAILGUN_WEBHOOK_SIGNING_KEY": secret,
        },
        "ses": {
            "AMAZON_SES_CLIENT_PARAMS": {
                "aws_access_key_id": key, "aws_secret_access_key": word, "region_name": parts.hostname,
            },
            # Without it SES tells no news.
            "AMAZON_SES_CONFIGURATION_SET_NAME": options.get("set"),
            # A subscription is confirmed by whoever makes it: an address that is called because a stranger says so, no.
            "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": False,
            "WEBHOOK_SECRET": secret,
        },
    }  # fmt: skip
    module = "amazon_ses" if parts.scheme == "ses" else parts.scheme
    return {
        "EMAIL_BACKEND": f"anymail.backends.{module}.EmailBackend",
        "MAIL_PROVIDER": parts.scheme,
        "ANYMAIL": {"REQUESTS_TIMEOUT": MAIL_TIMEOUT_SECONDS, **theirs[parts.scheme]},
    }


def file_store(url: str, *, home: Path, folder: str) -> dict[str, Any]:
    """One of `STORAGES`, for `file:` or `s3://key:secret@host/bucket`; query parameters become options.

    Nobody but this system reads what lies there: files are its own user's, objects are as private as their bucket.
    """
    if url == "file:":
        options: dict[str, Any] = {
            "location": home / folder,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
            "base_url": None,
        }
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    parts = urlsplit(url)
    scheme = "http" if parts.scheme == "s3+http" else "https"
    options = {
        "access_key": unquote(parts.username or ""),
        "secret_key": unquote(parts.password or ""),
        "bucket_name": parts.path.strip("/"),
        "endpoint_url": f"{scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""),
        "signature_version": "s3v4",
        "addressing_style": "path",
        "default_acl": None,
        "querystring_auth": True,
        "file_overwrite": False,
        # Beyond it a file that is read lies on disk, not in memory.
        "max_memory_size": 4 * 1024 * 1024,
        **dict(parse_qsl(parts.query)),
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
