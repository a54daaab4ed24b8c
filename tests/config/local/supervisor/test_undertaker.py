import signal
import subprocess
import sys
import time

from config.local import home
from config.local.supervisor.undertaker import bury, is_there, listen
from tests.config.local.conftest import is_running, wait_until

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


def start(*argv):
    return subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE)


def ignores(pid, signal_number):
    with open(f"/proc/{pid}/status") as status:
        mask = next(line.split()[1] for line in status if line.startswith("SigIgn"))
    return int(mask, 16) >> (signal_number - 1) & 1


def test_it_remembers_the_groups_that_still_run():
    assert listen(["+10\n", "+11\n", "-10\n", "-99\n"]) == {11}


def test_groups_are_asked_first():
    process = start("sleep", "60")

    # We have not asked yet how it ended, so it still counts as there until the patience is over.
    bury({process.pid}, patience=0.2)

    assert process.wait(30) == -signal.SIGTERM


def test_a_group_that_does_not_listen_is_killed_with_its_children():
    process = start("sh", "-c", f'{sys.executable} -S -c "{STUBBORN}" & wait')
    process.stdout.readline()

    bury({process.pid}, patience=0.2)

    process.wait(30)
    wait_until(lambda: not is_there(process.pid))


def test_groups_that_are_gone_are_no_trouble():
    process = start("true")
    process.wait(30)

    bury({process.pid})


def test_the_end_of_its_input_sets_it_to_work_and_no_signal_does():
    process = start("sleep", "60")
    undertaker = subprocess.Popen(
        [sys.executable, "-m", "config.local.supervisor.undertaker"], cwd=home.ROOT, stdin=subprocess.PIPE
    )
    undertaker.stdin.write(f"+{process.pid}\n".encode())
    undertaker.stdin.flush()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # All of them: one may have been ignored by whoever started us.
    wait_until(lambda: all(ignores(undertaker.pid, each) for each in signals))
    for each in signals:
        undertaker.send_signal(each)
    time.sleep(0.1)
    assert is_running(process.pid)

    undertaker.stdin.close()

    assert process.wait(30) == -signal.SIGTERM
    assert undertaker.wait(5) == 0
