"""The same application for an ASGI server; sockets and event streams will live here."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"

application = get_asgi_application()
