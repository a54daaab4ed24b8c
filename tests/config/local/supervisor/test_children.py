import os
import signal
import subprocess
import sys
import time
from io import StringIO

import pytest

from config.local import home
from config.local.supervisor.children import Children
from config.local.supervisor.programs import Program
from tests.config.local.conftest import is_running, wait_until

# A parent as `up` is one, which says who its child and grandchild are, and then is killed.
PARENT = """
import sys, time
from config.local import home
from config.local.supervisor.children import Children
from config.local.supervisor.programs import Program
children = Children(sys.stdout, lock=home.open_lock("up.lock"))
children.start(Program("web", ["sh", "-c", "trap '' TERM; sleep 60 & echo $$ $!; wait; wait"]))
while True:
    children.pump(0.1)
"""


@pytest.fixture
def children(place):
    lock = home.open_lock("up.lock")
    found = Children(StringIO(), lock=lock)
    yield found
    found.close()
    os.close(lock)


def sh(name, script, **more):
    return Program(name, ["sh", "-c", script], **more)


def pump_until(children, is_so):
    def look():
        children.pump(0.02)
        return is_so()

    return wait_until(look)


def test_lines_are_shown_with_the_childs_name_and_kept_in_its_log(children, place):
    children.start(sh("web", "echo one; echo two; sleep 60"))

    pump_until(children, lambda: "two" in children.output.getvalue())

    assert children.output.getvalue() == "    web | one\n    web | two\n"
    assert (place / "logs" / "web.log").read_text() == "one\ntwo\n"


def test_chatter_is_kept_in_the_log_alone(children, place):
    children.start(sh("beat", "echo '12:00 INFO tick'; echo '12:00 ERROR tock'; sleep 60", chatter=" INFO "))

    pump_until(children, lambda: "tock" in children.output.getvalue())

    assert children.output.getvalue() == "   beat | 12:00 ERROR tock\n"
    assert (place / "logs" / "beat.log").read_text() == "12:00 INFO tick\n12:00 ERROR tock\n"


def test_a_terminal_sees_names_in_colour(place):
    class Terminal(StringIO):
        def isatty(self):
            return True

    lock = home.open_lock("up.lock")
    children = Children(Terminal(), lock=lock)
    children.start(sh("web", "echo one"))
    pump_until(children, lambda: "one" in children.output.getvalue())
    children.close()
    os.close(lock)

    assert children.output.getvalue() == "\033[36m    web | \033[0mone\n"


def test_a_child_gets_its_own_variables_besides_ours(children, monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "http://ours")
    children.start(sh("web", 'echo "$PUBLIC_URL $OUTLAST_PROCESS"', env={"OUTLAST_PROCESS": "web"}))

    pump_until(children, lambda: "http://ours web" in children.output.getvalue())


def test_a_child_that_ends_by_itself_is_noticed_with_its_last_words(children):
    children.start(sh("web", "sleep 60"))
    children.start(sh("worker", "seq 100; exit 3"))

    ending = pump_until(children, children.ended)

    assert (ending.name, ending.code) == ("worker", 3)
    assert ending.lines == [str(number) for number in range(86, 101)]


def test_nobody_has_ended_while_all_run(children):
    children.start(sh("web", "sleep 60"))

    assert children.ended() is None


def test_stopping_takes_the_childs_own_children_along(children):
    children.start(sh("web", "sleep 60 & echo $!; wait"))
    grandchild = int(pump_until(children, lambda: children.running["web"].recent)[0])

    children.stop("web")

    assert children.running == {}
    wait_until(lambda: not is_running(grandchild))


def test_a_child_that_does_not_listen_is_killed(children):
    children.start(sh("web", "trap '' TERM; echo ready; while true; do sleep 0.05; done"))
    process = children.running["web"].process
    pump_until(children, lambda: children.running["web"].recent)

    children.stop("web", timeout=0.3)

    assert process.returncode == -signal.SIGKILL


def test_last_words_without_a_line_end_are_kept(children):
    children.start(sh("web", "trap 'printf bye; exit' TERM; echo ready; while true; do sleep 0.05; done"))
    pump_until(children, lambda: children.running["web"].recent)

    children.stop("web")

    assert children.output.getvalue().endswith("    web | bye\n")


def test_a_terminal_that_is_gone_does_not_stop_the_logs(children, place):
    class Gone(StringIO):
        def write(self, text):
            raise BrokenPipeError

    children.output = Gone()
    children.start(sh("web", "echo one; sleep 0.2; echo two; sleep 60"))

    pump_until(children, lambda: (place / "logs" / "web.log").read_text() == "one\ntwo\n")


def test_a_killed_undertaker_counts_as_an_ended_child(children):
    children._undertaker.kill()

    assert pump_until(children, children.ended).name == "undertaker"
    children.start(sh("web", "sleep 60"))


def test_kill_9_of_the_parent_takes_even_stubborn_groups_along(place):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=home.ROOT, stdout=subprocess.PIPE, text=True)
    child, grandchild = map(int, parent.stdout.readline().partition("|")[2].split())

    parent.kill()
    began = time.monotonic()
    parent.communicate()

    wait_until(lambda: not is_running(child) and not is_running(grandchild))
    # The undertaker's patience, since both ignored the polite request.
    assert time.monotonic() - began < 40


def test_an_ended_child_can_be_started_again_in_the_same_log(children, place):
    children.start(sh("worker", "echo begun; sleep 0.1"))
    first = children.running["worker"].process
    pump_until(children, children.ended)

    children.restart("worker")

    assert children.running["worker"].process.pid != first.pid
    pump_until(children, lambda: (place / "logs" / "worker.log").read_text() == "begun\nbegun\n")
