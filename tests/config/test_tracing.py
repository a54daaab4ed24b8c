"""One id and one trace from the caller to the row."""

import pytest

from config import tracing
from config.logging import current_request_id, current_trace_id
from config.tracing import Trace, continued

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("given", "is_sampled"),
    [(GOOD, True), (f"00-{TRACE}-{SPAN}-00", False), (f"cc-{TRACE}-{SPAN}-01-what-comes", True)],
)
def test_a_valid_trace_goes_on_with_a_span_of_ours(given, is_sampled):
    trace = continued(given)
    assert (trace.trace_id, trace.parent_id, trace.is_sampled) == (TRACE, SPAN, is_sampled)
    assert trace.span_id != SPAN
    assert trace.traceparent == f"00-{TRACE}-{trace.span_id}-0{int(is_sampled)}"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-1",
        f"cc-{TRACE}-{SPAN}-01-{'x' * 600}",
    ],
)
def test_anything_else_begins_a_new_trace(given):
    trace = continued(given)
    assert trace.trace_id != TRACE
    assert (trace.parent_id, trace.is_sampled) == ("", False)
    assert continued(given).trace_id != trace.trace_id


def test_what_is_begun_is_over_at_the_end():
    assert tracing.outgoing_headers() == {}
    with tracing.begin(request_id="outer", traceparent=GOOD):
        with tracing.begin(request_id="inner") as inner:
            assert (current_request_id.get(), current_trace_id.get()) == ("inner", inner.trace.trace_id)
        assert (current_request_id.get(), current_trace_id.get()) == ("outer", TRACE)
    assert (current_request_id.get(), current_trace_id.get()) == ("-", "")
    assert tracing.traceparent() == ""


def test_other_servers_are_told_both_ids():
    with tracing.begin(request_id="req-1", traceparent=GOOD) as work:
        assert tracing.outgoing_headers() == {"traceparent": work.trace.traceparent, "X-Request-ID": "req-1"}


def test_what_is_told_is_on_the_line_and_nothing_else_is():
    with tracing.begin(request_id="req-1") as work:
        tracing.tell(entry_id=3, operation="Standings")
        tracing.tell(user_id=7)
    assert work.fields() == {"operation": "Standings", "user_id": 7, "entry_id": 3, "db_ms": 0.0, "db_queries": 0}
    tracing.tell(user_id=8)
    assert work.user_id == 7


def test_a_trace_without_a_caller_has_no_parent():
    assert Trace("a" * 32, "b" * 16).traceparent == f"00-{'a' * 32}-{'b' * 16}-00"
