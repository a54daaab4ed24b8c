"""The first page of the back office: what waits for somebody, and how things stand. Composed of what apps declare."""

from config.home.registry import Panel, Queue, among, panel, queue

__all__ = ["Panel", "Queue", "among", "panel", "queue"]
