"""The live process: what is told over sockets and event streams. All else is the web process's."""

from config.live.application import live_application
from pools.api.events import SOCKET, STREAM, PoolSource

application = live_application(PoolSource(), socket=SOCKET, stream=STREAM)
