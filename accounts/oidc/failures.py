"""What can go wrong between a provider and us. The messages are for the log: they carry no token and no person."""


class OidcFailed(Exception):
    """The sign-in came to nothing."""


class ProviderAway(OidcFailed):
    """The provider did not answer, or answered that it cannot now."""


class WrongAnswer(OidcFailed):
    """What the provider sent does not hold: another issuer, a bad signature, a token for somebody else."""
