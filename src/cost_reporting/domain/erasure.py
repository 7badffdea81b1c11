"""What is left of stored facts when a client's or a person's data is erased from them. Pure: no store, no network.

An address is found in every spelling of its letters, and only as a whole: erasing anna@acme.example leaves
joanna@acme.example and anna@acme.example.org as they are. Of ids the same holds: acme is no part of acme-2.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from cost_reporting.ledger import fingerprint

Kind = Literal[
    "versions", "recipients' notes", "onboarding", "rotations", "mail ledger", "held reports", "approvals", "marks",
    "outcomes", "accounts", "other items",
]  # fmt: skip
_LOCAL: Final = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]"
_OF_CLIENT: Final[Mapping[str, Kind]] = {
    "VERSION#": "versions",
    "RECIPIENT#": "recipients' notes",
    "ONBOARDING": "onboarding",
    "KEY_ROTATION": "rotations",
    "EXTERNAL_ID": "rotations",
    "ROTATED#": "rotations",
}
_BY_CLIENT: Final[Mapping[str, Kind]] = {"HELD#": "held reports", "DELIVERED#": "marks", "FAILED#": "marks"}


def kind_of(item: Mapping[str, Any], client_id: str) -> Kind | None:
    """What an item of the outcomes table is, if it is about the client; None if it is another's, or about runs."""
    pk, sk = str(item["pk"]), str(item["sk"])
    kind: Kind | None = None
    if pk == f"CLIENT#{client_id}":
        kind = _by_start(sk, _OF_CLIENT)
    elif pk.startswith(f"LEDGER#{client_id}#"):
        kind = "mail ledger"
    elif pk == f"APPROVED#{client_id}":
        kind = "approvals"
    elif pk.startswith("RUN#") and sk == f"OUTCOME#{client_id}":
        kind = "outcomes"
    elif sk == client_id:
        kind = _by_start(pk, _BY_CLIENT)
    elif not pk.startswith(("CLIENT#", "LEDGER#")) and item.get("client_id") == client_id:
        kind = "accounts" if pk.startswith("ACCOUNTS#") else "other items"
    return kind


def _by_start(key: str, kinds: Mapping[str, Kind]) -> Kind:
    return next((kind for start, kind in kinds.items() if key.startswith(start)), "other items")


def mentions(text: str, *, address: str | None = None, client_id: str | None = None) -> bool:
    """Whether ``text`` holds the address, or the client's id: in JSON a text of its own, or a whole part of a key."""
    if address is not None and _pattern(address).search(text):
        return True
    return client_id is not None and bool(re.search(rf'["/#]{re.escape(client_id)}["/#]', text))


def without(value: Any, address: str) -> Any:
    """``value`` without the address: a member of a list goes, a reply_to goes, and elsewhere its fingerprint takes its
    place, so that what needs a text still has one.
    """
    if isinstance(value, str):
        return _pattern(address).sub(f"(erased {fingerprint(address)})", value)
    if isinstance(value, Mapping):
        gone = {name for name, each in value.items() if name == "reply_to" and _is(each, address)}
        return {name: without(each, address) for name, each in value.items() if name not in gone}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(without(each, address) for each in value if not _is(each, address))
    return value


def _is(value: Any, address: str) -> bool:
    return isinstance(value, str) and value.strip().casefold() == address.strip().casefold()


def _pattern(address: str) -> re.Pattern[str]:
    whole = rf"(?<!{_LOCAL}){re.escape(address.strip())}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
    return re.compile(whole, re.IGNORECASE)
