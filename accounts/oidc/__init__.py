"""OpenID Connect, our side of it: which providers there are, where they answer, and whom their tokens name.

oauthlib writes the messages of OAuth 2 and PKCE, PyJWT verifies the tokens, `config.http` bounds every call. Nothing
here knows our accounts.
"""
