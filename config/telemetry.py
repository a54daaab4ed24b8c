"""OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT names a collector: spans for requests, tasks and statements.

Off, nothing of it is imported and nothing runs. On, it begins in each process by itself, with the first span: the
exporter's thread does not survive a fork, and servers fork. Ids are those of `config.tracing`, so a span, a log line
and a caller's own trace are found by one id. Names are route templates, tasks and normalised statements; no values.

The SDK's own variables apply, such as OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from config.slow_statements import fingerprint, normalised
from config.tracing import Kind, Trace, Work, listen
from config.version import code_version

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

T = TypeVar("T")

_lock = threading.Lock()
_provider: "TracerProvider | None" = None
_pid = 0


def start() -> None:
    """Be told of all work from now on, if a collector is named. Connects to nothing yet."""
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        listen(span_of)


@contextmanager
def span_of(work: Work) -> Iterator[None]:
    """The block is a request or a task. The span's ids become the work's, so that whatever is sent on names it."""
    from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

    parent = set_span_in_context(_remote(work.trace)) if work.trace.parent_id else None
    kind = SpanKind.SERVER if work.kind is Kind.REQUEST else SpanKind.CONSUMER
    work.span = span = _started().start_span(work.route or work.kind, context=parent, kind=kind)
    context = span.get_span_context()
    work.trace = Trace(
        f"{context.trace_id:032x}", f"{context.span_id:016x}", work.trace.parent_id, context.trace_flags.sampled
    )
    try:
        yield
    except Exception as error:
        span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        if work.ended is not None or work.kind is Kind.TASK:
            span.update_name(work.route or work.kind)
            span.set_attributes({"request_id": work.request_id, "ended": str(work.ended or ""), **work.fields()})
            if work.ended == "FAILURE" or (isinstance(work.ended, int) and work.ended >= 500):
                span.set_status(StatusCode.ERROR)
            span.end()
        # Else somebody else answers the request, and has a span of their own for it.


def measured(work: Work, sql: str, execute: Callable[[], T]) -> T:
    """Run a statement as a span of the work, which has one itself."""
    from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

    text = normalised(sql)
    attributes = {"db.system.name": "postgresql", "db.query.text": text, "db.query.fingerprint": fingerprint(sql)}
    name = text.split(" ", 1)[0][:20] or "statement"
    span = _started().start_span(
        name, context=set_span_in_context(work.span), kind=SpanKind.CLIENT, attributes=attributes
    )
    try:
        return execute()
    except Exception as error:
        span.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        span.end()


def _remote(trace: Trace) -> Any:
    """The caller's span, as far as we know it."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

    flags = TraceFlags(TraceFlags.SAMPLED if trace.is_sampled else TraceFlags.DEFAULT)
    return NonRecordingSpan(
        SpanContext(int(trace.trace_id, 16), int(trace.parent_id, 16), is_remote=True, trace_flags=flags)
    )


def _started() -> "Tracer":
    """This process's own."""
    global _provider, _pid
    with _lock:
        if _provider is None or _pid != os.getpid():
            _provider, _pid = _made(), os.getpid()
    return _provider.get_tracer("outlast")


def _made() -> "TracerProvider":
    """Not the process's global one: libraries that look for that would begin spans of their own, with values."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {"service.name": f"outlast-{settings.OUTLAST_PROCESS}", "service.version": code_version()}
    provider = TracerProvider(resource=Resource.create(named))
    endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=5)))
    return provider
