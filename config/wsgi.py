"""The web process: the API and the admin."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"

application = get_wsgi_application()
