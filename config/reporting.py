"""Crash reports to Sentry, with nothing in them that belongs to a person.

Local variables, bodies, cookies, query strings and breadcrumbs stay here; what leaves is the kind of error, the
places in our code, the route, the request id, the trace and the version.
"""

import re
from typing import Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.logging import LoggingIntegration

from config.logging import current_request_id, current_trace_id, scrub, without_rows
from config.tracing import current_work
from config.version import code_version

QUOTED = re.compile(r"""'[^']*'|"[^"]*"|'.*|".*""")

# What an event may carry; everything else is dropped, whatever a new version of the client adds.
ALLOWED = frozenset(
    {
        "contexts",
        "environment",
        "event_id",
        "exception",
        "level",
        "logger",
        "platform",
        "release",
        "sdk",
        "timestamp",
        "transaction",
    }
)
FRAME_KEYS = frozenset({"abs_path", "filename", "function", "in_app", "lineno", "module"})
ALLOWED_CONTEXTS = frozenset({"runtime"})


def start() -> None:
    """Begin to report, if SENTRY_DSN is set."""
    if not settings.SENTRY_DSN:
        return
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        environment=settings.OUTLAST_ENV,
        release=code_version(),
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_default_pii=False,
        # Crashes come by signal; an error line is for the log.
        integrations=[LoggingIntegration(level=None, event_level=None)],
        traces_sample_rate=0.0,
        before_send=only_what_is_allowed,
    )


def only_what_is_allowed(event: Any, hint: Any) -> Any:
    """The event reduced to the allowed keys, its texts scrubbed, with the request id."""
    kept = {name: value for name, value in event.items() if name in ALLOWED}
    kept["tags"] = {"request_id": current_request_id.get(), "trace_id": current_trace_id.get()}
    contexts = event.get("contexts", {})
    kept["contexts"] = {name: contexts[name] for name in contexts if name in ALLOWED_CONTEXTS}
    # The client's own name of it is a path where no route fits.
    kept.pop("transaction", None)
    if (work := current_work.get()) is not None:
        kept["transaction"] = work.route or "unmatched"
        kept["contexts"]["trace"] = {"trace_id": work.trace.trace_id, "span_id": work.trace.span_id}
    for exception in kept.get("exception", {}).get("values", []):
        # Messages of exceptions quote rows: "Key (email)=(…) already exists", and values: `invalid input: "…"`.
        first = without_rows(str(exception.get("value", ""))).split("\n")[0].split("(")[0]
        exception["value"] = scrub(QUOTED.sub("[value]", first))
        for frame in (exception.get("stacktrace") or {}).get("frames", []):
            for name in set(frame) - FRAME_KEYS:
                del frame[name]
    return kept
