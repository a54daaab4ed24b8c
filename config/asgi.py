"""The same application for an ASGI server; sockets and event streams will live here."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("OUTLAST_PROCESS", "web")

application = get_asgi_application()
