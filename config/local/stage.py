"""What local and test need before the settings can be read: running services and secrets of their own.

Each is filled in only where the environment does not give it, so a developer may bring any server, or Stripe itself.
"""

import os

from config.local import home, services


def prepare() -> dict[str, str]:
    """Start what is missing, and return the variables that stand in for those not given."""
    if os.environ.get("OUTLAST_SERVICES") != "off":
        services.ensure()
    standby = dict(home.secrets())
    if os.environ.get("OUTLAST_ENV", "local") == "local":
        # Everybody comes from the same address here, scripts that register a hundred players included.
        standby["RATE_LIMIT_SCALE"] = "20"
    if not os.environ.get("STRIPE_SECRET_KEY"):
        standby["STRIPE_API_BASE"] = home.stripe_base()
    return standby
