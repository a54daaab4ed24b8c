"""Spans, from real processes to a collector on this machine; and nothing at all where nobody asked for them."""

import gzip
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from config.env import PROJECT

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CANARIES = ["ann@example.com", "DE89370400440532013000", "secret-password"]


class Collector(BaseHTTPRequestHandler):
    """As much of an OpenTelemetry collector as an exporter needs."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as listening:
        listening.received = []
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening
        listening.shutdown()


def run(code, **env):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "OTEL_TRACES_SAMPLER": "parentbased_always_on",
    }
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        cwd=PROJECT, env=environment | env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def spans_of(collector):
    found = []
    for path, body in collector.received:
        assert path == "/v1/traces"
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = {one.key: one.value.string_value for one in each.resource.attributes}
            assert resource["service.name"].startswith("outlast-")
            found += [span for scope in each.scope_spans for span in scope.spans]
    return found


def known(span):
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


WORK = f"""
from django.db import connection
from config.api.middleware import log_answer
from config.tracing import Kind, begin, outgoing_headers
with begin(request_id="req-1", traceparent="00-{TRACE}-{SPAN}-01", route="api/v1/pools") as work:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s || 'secret-password'", ["ann@example.com"])
    print(outgoing_headers()["traceparent"])
    log_answer(work=work, method="GET", status=200, seconds=0.1)
with begin(request_id="req-2", route="entries.tasks.settle_due", kind=Kind.TASK) as work:
    work.ended = "FAILURE"
"""
FLUSH = """
from config import telemetry
telemetry._started()
telemetry._provider.force_flush()
"""


def test_off_nothing_of_it_is_imported():
    """The client of Redis imports the figures' part by itself where that is installed; nobody uses it."""
    parts = ("opentelemetry.sdk.trace", "opentelemetry.exporter")
    out = run(WORK + f"\nimport sys; print([name for name in sys.modules if name.startswith({parts})])")
    assert out.splitlines()[-1] == "[]"


def test_requests_tasks_and_statements_arrive_under_the_callers_trace(collector):
    out = run(WORK + FLUSH, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}")
    spans = {span.name: span for span in spans_of(collector)}
    assert set(spans) == {"api/v1/pools", "SELECT", "entries.tasks.settle_due"}
    request, statement, task = spans["api/v1/pools"], spans["SELECT"], spans["entries.tasks.settle_due"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, SPAN)
    assert (statement.trace_id, statement.parent_span_id) == (request.trace_id, request.span_id)
    assert out.strip() == f"00-{TRACE}-{request.span_id.hex()}-01"
    assert (known(request)["ended"], known(request)["db_queries"]) == ("200", 1)
    assert known(statement)["db.query.text"] == "SELECT ? || ?"
    assert task.trace_id != request.trace_id
    assert (task.status.code, known(task)["request_id"]) == (2, "req-2")
    assert [canary for canary in CANARIES for _, body in collector.received if canary.encode() in body] == []


def test_each_process_has_an_exporter_of_its_own_after_a_fork(collector):
    code = (
        WORK + FLUSH + "import os\nif not os.fork():\n"
        + "".join(f"    {line}\n" for line in (WORK.replace("req-", "child-") + FLUSH).strip().splitlines())
        + "    os._exit(0)\nos.wait()\n"
    )  # fmt: skip
    run(code, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}")
    told = [known(span).get("request_id") for span in spans_of(collector) if known(span).get("request_id")]
    assert sorted(told) == ["child-1", "child-2", "req-1", "req-2"]


def test_a_collector_that_is_away_holds_nobody_up():
    run(WORK, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", OTEL_BSP_EXPORT_TIMEOUT="1000")
