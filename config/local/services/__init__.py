"""Embedded PostgreSQL and Valkey for people who have none running: real servers, from wheels, in the home.

`ensure()` sets DATABASE_URL, REDIS_URL and CELERY_BROKER_URL where they are missing and starts only the server that a
missing one needs. Each server has a keeper, a process of its own that starts it, restarts it when it dies and stops it
some seconds after the last process that uses it has gone, however that one went.
"""

from config.local.services.lease import InUse, ServiceFailed, ensure, exclusive, release

__all__ = ["InUse", "ServiceFailed", "ensure", "exclusive", "release"]
