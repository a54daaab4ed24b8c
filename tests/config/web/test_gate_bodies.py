"""Bodies that are read at the gate: slow ones, and such as break off."""

import threading

import pytest

from tests.config.web.test_gate import OTHER, PATIENCE, Application, call, gate_of, sent, until, waiting_in


class TestBodies:
    def test_who_sends_slowly_keeps_nobody_from_work(self):
        class Slow:
            def read(self, size):
                assert arrived.wait(PATIENCE)
                return b"x" * size

        arrived = threading.Event()
        application = Application()
        application.open.set()
        gate = gate_of(application, waiting=8)
        with sent(gate, *[OTHER] * 4, CONTENT_LENGTH="5", **{"wsgi.input": Slow()}) as answers:
            until(lambda: waiting_in(gate) == 4)
            assert call(gate, OTHER)[0] == 200
            arrived.set()
        assert [status for status, *_ in answers] == [200] * 4

    def test_whose_body_breaks_off_leaves_the_queue(self):
        class Broken:
            def read(self, size):
                raise OSError("gone")

        gate = gate_of(Application())
        for _ in range(20):
            with pytest.raises(OSError, match="gone"):
                call(gate, OTHER, CONTENT_LENGTH="5", **{"wsgi.input": Broken()})
        assert waiting_in(gate) == 0
