"""Webhook signatures: `t=<seconds>,v1=<HMAC-SHA256 of "t.payload">`, keyed with the endpoint's secret."""

import hashlib
import hmac


def signature_header(payload: bytes, secret: str, timestamp: int) -> str:
    signed = str(timestamp).encode() + b"." + payload
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
