"""Log lines: readable locally, JSON where machines read them, each with the request's id, none with a secret.

`scrub()` is the last thing that touches a line: e-mail addresses, tokens and keys become a mark, whoever logged them.
Control characters of a message are escaped, so that one event stays one line and nobody can forge another.
"""

import logging
import re
import time
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from pythonjsonlogger.json import JsonEncoder, JsonFormatter

# No line of ours tells threads and processes apart by their names.
logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False
_ENCODER = JsonEncoder()

# Of the request, or of the task, that this thread is working on.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="-")
current_trace_id: ContextVar[str] = ContextVar("current_trace_id", default="")

SECRETS = re.compile(
    r"""
    (?P<mail>[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+)
  | (?P<jwt>eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*)
  | (?P<key>\b(?:sk|rk|pi|cs|seti)_(?:test|live)_[A-Za-z0-9_]{4,}|\bwhsec_[A-Za-z0-9_]{4,}|\bpi_\w+_secret_\w+
      |\bol_[a-z2-7]{12}_[a-z2-7]{4,})
  | (?P<header>(?i:\b(?:bearer|api-key)\s+)[A-Za-z0-9._~+/=\-]{8,})
  | (?P<url>(?<=://)[^\s/:@]*:[^\s/@]+(?=@))
    """,
    re.VERBOSE,
)
# Without one of these there is none of the above in a text. To look for them takes a hundredth of the time, and nearly
# all lines are without; `ol_` is the end of `pool_` as well.
SIGNS = ("@", "eyJ", "_test_", "_live_", "whsec_", "_secret_")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


# What PostgreSQL quotes of rows and statements, to the next line of ours; and the value that it could not read.
QUOTED = re.compile(
    r"^(?P<what>DETAIL|CONTEXT|LINE [0-9]+):.*?(?=^(?:Traceback |The above |During |  File |HINT:)|\Z)",
    re.MULTILINE | re.DOTALL,
)
UNREADABLE = re.compile(r"""(?<=: )(?:".*"|'.*')$""", re.MULTILINE)


def without_rows(text: str) -> str:
    """An exception's text without what a database quotes in it: people's rows."""
    if ":" not in text:
        return text
    return UNREADABLE.sub("[value]", QUOTED.sub(lambda found: f"{found['what']}: [row]\n", text))


def scrub(text: str) -> str:
    """The text with e-mail addresses, tokens and keys replaced by their kind in brackets."""
    return SECRETS.sub(lambda match: f"[{match.lastgroup}]", text) if _may_have_secrets(text) else text


def _may_have_secrets(text: str) -> bool:
    # A loop, because a generator takes three times as long as all it looks for.
    for sign in SIGNS:
        if sign in text:
            return True
    if text.count("ol_") > text.count("pool_"):
        return True
    # In any case of letters, these two.
    lower = text.lower()
    return "bearer" in lower or "api-key" in lower


def one_line(text: str) -> str:
    """The text with control characters written out."""
    return (
        text if text.isprintable() else CONTROL.sub(lambda match: match.group().encode("unicode_escape").decode(), text)
    )


class RequestContext(logging.Filter):
    """Adds the request id and the trace id, and makes the message one scrubbed line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id.get()
        record.trace_id = current_trace_id.get()
        record.msg = scrub(one_line(without_rows(record.getMessage())))
        record.args = None
        return True


class Discreet(logging.Formatter):
    """Tells where something broke, and nothing of whom it was about."""

    def formatException(self, ei: Any) -> str:  # logging's own name
        return without_rows(super().formatException(ei))


class ReadableFormatter(Discreet):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


class JsonLines(Discreet, JsonFormatter):
    """For machines."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # logging's own name
        # Many lines come in one second.
        return _second(int(record.created), datefmt or self.default_time_format)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """With an encoder that is made once."""
        return _ENCODER.encode(log_data)


@lru_cache(maxsize=4)
def _second(second: int, shown_as: str) -> str:
    return time.strftime(shown_as, time.localtime(second))


def logging_config(*, level: str, as_json: bool, process: str = "command") -> dict[str, Any]:
    """The `LOGGING` setting: everything to standard error, where whoever runs the process collects it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"request_context": {"()": "config.logging.RequestContext"}},
        "formatters": {
            "readable": {
                "()": "config.logging.ReadableFormatter",
                "format": "%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s",
            },
            "json": {
                "()": "config.logging.JsonLines",
                "format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(trace_id)s %(message)s",
                "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
                "datefmt": "%Y-%m-%dT%H:%M:%S%z",
                "static_fields": {"process": process},
            },
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "filters": ["request_context"],
                "formatter": "json" if as_json else "readable",
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Statements carry the values of people's rows.
            "django.db.backends": {"level": "INFO"},
            "django.server": {"handlers": [], "propagate": True},
            "matplotlib": {"level": "WARNING"},
            # Each task has a line of ours (`config.celery`), with more in it.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # Its finest lines carry the queries of addresses.
            "urllib3": {"level": "INFO"},
        },
    }
