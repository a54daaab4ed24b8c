"""A program of ours in a process of its own, on the database and the double of this test, to be killed with -9."""

import os
import signal
import subprocess
import sys
from urllib.parse import quote

from django.db import connection

from tests.support.running import ROOT

READY = """
import django
django.setup()
print("ready", flush=True)
"""


def database_url():
    """The database of this test, as another process finds it."""
    here = connection.settings_dict
    who = f"{quote(here['USER'])}:{quote(here['PASSWORD'] or '')}"
    host = f"{here['HOST']}:{here['PORT']}" if not here["HOST"].startswith("/") else f":{here['PORT']}"
    query = f"?host={quote(here['HOST'], safe='')}" if here["HOST"].startswith("/") else ""
    return f"postgresql://{who}@{host}/{here['NAME']}{query}"


class Child:
    """Runs the program from where Django is ready until the block ends, and is killed then."""

    def __init__(self, program, settings):
        self.program = READY + program
        self.env = os.environ | {
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "OUTLAST_PROCESS": "worker",
            "STRIPE_API_BASE": settings.STRIPE_API_BASE,
            "STRIPE_SECRET_KEY": settings.STRIPE_SECRET_KEY,
        }

    def __enter__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.program], cwd=ROOT, env=self.env, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    @property
    def has_ended(self):
        """By itself, before it was killed."""
        return self.process.poll() is not None
