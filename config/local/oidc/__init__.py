"""An OpenID Connect issuer for this machine alone: discovery, keys, an authorization page, signed ID tokens.

It is strict where a real one is: registered redirect addresses, PKCE with S256 checked, codes good once and for a
minute, the client's secret, RS256 under a key that its JWKS has. It asks nobody for a password: whoever opens the page
types the person they want to be. `/control` sets what goes wrong next, so that a client can be tried on it.
"""
