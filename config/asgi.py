"""The live process: composition root of what is told over sockets and event streams. All else is `config.wsgi`'s."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"

# Reads the settings and the apps; Django's own pages are not served here.
get_asgi_application()

from config.live.application import live_application  # noqa: E402  # Django is set up first
from pools.api.events import SOCKET, STREAM, PoolSource  # noqa: E402  # Django is set up first

application = live_application(PoolSource(), socket=SOCKET, stream=STREAM)
