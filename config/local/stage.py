"""What local and test need before the settings can be read: running services and secrets of their own.

Each is filled in only where the environment does not give it, so a developer may bring any server, or Stripe itself.
"""

import json
import os

from config.local import home, services


def oidc_issuer() -> dict[str, str]:
    """The issuer of this machine, which `up` starts."""
    secret = home.secrets()["OIDC_CLIENT_SECRET"]
    names = {"id": "local", "name": "Local sign-in", "client_id": "outlast", "client_secret": secret}
    return {**names, "issuer": home.oidc_base()}


def prepare() -> dict[str, str]:
    """Start what is missing, and return the variables that stand in for those not given."""
    if os.environ.get("OUTLAST_SERVICES") != "off":
        services.ensure()
    standby = dict(home.secrets())
    if os.environ.get("OUTLAST_ENV", "local") == "local":
        # Everybody comes from the same address here, scripts that register a hundred players included.
        standby["RATE_LIMIT_SCALE"] = "20"
        standby["OIDC_ISSUERS"] = json.dumps([oidc_issuer()])
        standby["LIVE_URL"] = home.live_base()
    if not os.environ.get("STRIPE_SECRET_KEY"):
        standby["STRIPE_API_BASE"] = home.stripe_base()
    return standby
