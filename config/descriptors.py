"""How many files and connections this process may have open."""

import resource


def allow_descriptors(wanted: int) -> int:
    """Raise the process's own limit to `wanted`, as far as it may; the limit that holds now, for children, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft >= wanted:
        return soft
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
