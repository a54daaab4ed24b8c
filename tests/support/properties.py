"""How properties are tried on a machine that other work keeps busy: no example is failed for being slow."""

from hypothesis import HealthCheck, settings

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
