"""Who may receive a test report: addresses that the operators answer for, and the client's own."""

from collections.abc import Iterable, Iterator

PARAMETER = "TestRecipientDomains"
"""The stack's parameter that lists the domains. Without it, the domain of the parameter Operators is allowed."""


def domains(listed: str, operators: str) -> frozenset[str]:
    """The domains in ``listed``, separated by commas; if there are none, that of the address ``operators``."""
    found = frozenset(filter(None, (each.strip().casefold() for each in listed.split(","))))
    return found or frozenset(filter(None, (_domain(operators),)))


def outside(recipients: Iterable[str], allowed: frozenset[str]) -> Iterator[tuple[int, str]]:
    """The addresses, each with its place in ``recipients``, whose domain is none of ``allowed``.

    Domains are compared whole and without regard to case (RFC 5321, 2.4): a subdomain is a domain of its own, since
    others may receive its mail.
    """
    return ((at, to) for at, to in enumerate(recipients) if _domain(to) not in allowed)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip().casefold()
