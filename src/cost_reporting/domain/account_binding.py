"""One account, one client: which records lead to the same AWS account or secret, and which of them may.

An AWS account belongs to one client, whichever way its costs are read; so do a role and a secret. Two records may lead
to the same account only if each names the other in ``shared_with`` and says why in ``shared_reason``.

Rows are read as they stand, since a malformed record still leads somewhere: its access is taken field by field, and
what cannot be read leads nowhere. A client has a set of accounts; another kind of access adds its places to
``_places_in`` and nothing else changes.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

REMEDY: Final = (
    "Give the client an account of its own, or, for two reports about one account, let both records name each other in "
    "shared_with, with a shared_reason."
)
MOST_NAMED: Final = 10
"""Other clients that a finding names, at most: one is enough to refuse, and a worklist has to stay small."""
_MOST_READ: Final = 100
"""Members of a list that are read of a row which nothing has validated."""
_ROLE: Final = re.compile(r"\s*arn:aws[a-z-]*:iam::([0-9]{12}):role/", re.IGNORECASE)
_SECRET: Final = re.compile(r"\s*arn:aws[a-z-]*:secretsmanager:[a-z0-9-]*:[0-9]{12}:secret:(\S+)", re.IGNORECASE)
_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")
"""What Secrets Manager appends to a secret's name in its ARN (User Guide, "What's in a Secrets Manager secret?")."""


class Place(NamedTuple):
    """Where an access leads to: an AWS account by its id, or a secret by its name. ``field`` of the record says so."""

    kind: str
    name: str
    field: str

    @property
    def said(self) -> str:
        """``AWS account 123456789012``."""
        return f"AWS account {self.name}" if self.kind == "account" else f"secret {self.name}"


class Claim(NamedTuple):
    """Where a client's record leads to, and with whom it says that it shares."""

    client_id: str
    places: tuple[Place, ...]
    shares_with: frozenset[str]

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts, as far as the record or what is known of its secrets tells them."""
        return frozenset(place.name for place in self.places if place.kind == "account")

    @property
    def secrets(self) -> frozenset[str]:
        """The secrets, by name."""
        return frozenset(place.name for place in self.places if place.kind == "secret")


class Contest(NamedTuple):
    """A place to which two clients' records lead without leave. ``named`` and ``names``: which half of it is there."""

    client_id: str
    other: str
    place: Place
    named: bool = False
    names: bool = False

    @property
    def said(self) -> str:
        """``AWS account 123456789012 is that of acme``, with what is lacking if half of the leave is there."""
        half = ""
        if self.names:
            half = f", whose record does not name {shown(self.client_id)} in shared_with"
        elif self.named:
            half = ", which this record does not name in shared_with"
        return f"{self.place.said} is that of {shown(self.other)}{half}"


def claim_of(row: Mapping[str, Any], led_to: Mapping[str, str] | None = None) -> Claim:
    """Where the row of a client leads to. ``led_to`` are accounts that answered through a secret: its name by account.

    A secret that the row does not name (any more) leads nowhere.
    """
    client_id = str(row.get("client_id", ""))
    places = [place for field, access in _accesses(row) for place in _places_in(access, field, client_id)]
    secrets = {place.name: place.field for place in places if place.kind == "secret"}
    for account, secret in (led_to or {}).items():
        if secret in secrets:
            places.append(Place("account", account, secrets[secret]))
    return Claim(client_id, tuple(dict.fromkeys(places)), _shares_with(row))


def contest(one: Claim, other: Claim) -> Contest | None:
    """The first place of ``one`` that ``other`` leads to as well, unless both say that they share."""
    theirs = {(place.kind, place.name) for place in other.places}
    place = next((place for place in one.places if (place.kind, place.name) in theirs), None)
    return None if place is None else contest_about(place, one, other)


def contest_about(place: Place, one: Claim, other: Claim) -> Contest | None:
    """The contest about a place to which both lead, unless they are the same client or both say that they share."""
    names, named = other.client_id in one.shares_with, one.client_id in other.shares_with
    if one.client_id == other.client_id or (names and named):
        return None
    return Contest(one.client_id, other.client_id, place, named, names)


def contests(claims: Collection[Claim]) -> dict[str, tuple[Contest, ...]]:
    """Each client that leads where another one does, with the others: symmetric, but for ``MOST_NAMED``.

    Linear in the number of claims, however many of them lead to one place.
    """
    by_place: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        for place in claim.places:
            by_place.setdefault((place.kind, place.name), []).append(claim)
    found = {}
    for claim in claims:
        mine = tuple(_others(claim, by_place))
        if mine:
            found[claim.client_id] = mine
    return found


def _others(claim: Claim, by_place: Mapping[tuple[str, str], Sequence[Claim]]) -> Iterator[Contest]:
    seen: set[str] = set()
    for place in claim.places:
        for other in by_place[place.kind, place.name]:
            found = None if other.client_id in seen else contest_about(place, claim, other)
            if found is None:
                continue
            seen.add(other.client_id)
            yield found
            if len(seen) == MOST_NAMED:
                return


def still_led_to(claim: Claim, led_to: Mapping[str, str]) -> dict[str, str]:
    """Of the accounts that are bound to a client, those that its record still leads to: each with its secret, or "".

    An account by a role needs no answer to be known; one by a secret is as it answered last.
    """
    by_role = dict.fromkeys((place.name for place in claim.places if place.kind == "account"), "")
    by_secret = {account: secret for account, secret in led_to.items() if secret in claim.secrets}
    return by_secret | by_role


def shown(client_id: str) -> str:
    """The id of another client in a sentence; ids of rows that were written by hand may be anything."""
    safe = "".join(each if each.isprintable() else "?" for each in client_id[:60])
    return safe if len(client_id) <= 60 else f"{safe}…"


def secret_names(secret_arn: str, client_id: str) -> tuple[str, ...]:
    """The names that the secret in an ARN may have, the likeliest last.

    An ARN may or may not end with the six characters that AWS appends. A name that ends with the client's own id is
    whole: ``clients/acme-second`` of the client acme-second is not ``clients/acme``.
    """
    name = secret_arn.partition(":secret:")[2]
    shorter = _SUFFIX.sub("", name)
    return (name,) if shorter == name or name.rpartition("/")[2] == client_id else (name, shorter)


def _accesses(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "access", row.get("access")
    more = row.get("more_accounts")
    if isinstance(more, list | tuple):
        for at, each in enumerate(more[:_MOST_READ]):
            if isinstance(each, Mapping):
                yield f"more_accounts.{at}.access", each.get("access")


def _places_in(access: Any, field: str, client_id: str) -> Iterator[Place]:
    if not isinstance(access, Mapping):
        return
    role, secret = access.get("role_arn"), access.get("secret_arn")
    if isinstance(role, str) and (found := _ROLE.match(role)):
        yield Place("account", found[1], f"{field}.role_arn")
    if isinstance(secret, str) and (found := _SECRET.match(secret)):
        for name in secret_names(f":secret:{found[1]}", client_id):
            yield Place("secret", name, f"{field}.secret_arn")


def _shares_with(row: Mapping[str, Any]) -> frozenset[str]:
    """Whom the row names, if it says why."""
    named, reason = row.get("shared_with"), row.get("shared_reason")
    if not isinstance(named, list | tuple | set | frozenset) or not isinstance(reason, str) or not reason.strip():
        return frozenset()
    return frozenset(each for each in list(named)[:_MOST_READ] if isinstance(each, str))
