"""Client records as people write them: JSON or CSV into a record or every fault of it, and what differs between two.

Nothing here repeats a value: it may be secret or hostile. Amounts are read from their digits and never pass a float.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from cost_reporting.clients import Client, RoleAccess, SecretAccess, dotted, examine
from cost_reporting.contracts import Fact
from cost_reporting.periods import label, month_of
from cost_reporting.soundness import NOWHERE, OLD_RATE, Fault, Standpoint, is_old

LARGEST: Final = 262_144
"""Bytes of a record's file. A record with fifty recipients has about 5,000."""
SECRET: Final = "access.external_id"  # noqa: S105 - the name of a field
_LONGEST_NUMBER: Final = 40
"""Digits. DynamoDB keeps 38."""

PLACEHOLDERS: Final[Mapping[str, Any]] = {
    "client_id": "client-id",
    "client_name": "Name of the client",
    "recipients": ["somebody@client.invalid"],
    "reply_to": "you@consultancy.invalid",
    "access.role_arn": "arn:aws:iam::000000000000:role/cost-reporting-reader",
    "access.external_id": "written-by-onboard",
}
"""What the sample says where every client differs. A record that still says so is refused."""

SAMPLE: Final[Mapping[str, Any]] = {
    "client_id": PLACEHOLDERS["client_id"],
    "client_name": PLACEHOLDERS["client_name"],
    "status": "active",
    "cadences": ["monthly"],
    "recipients": PLACEHOLDERS["recipients"],
    "reply_to": PLACEHOLDERS["reply_to"],
    "access": {
        "kind": "role",
        "role_arn": PLACEHOLDERS["access.role_arn"],
        "external_id": PLACEHOLDERS["access.external_id"],
    },
    "branding": {"colour": "#334155"},
    "locale": "en_US",
    "currency": "USD",
    "cost_metric": "unblended",
    "page_size": "A4",
    "sections": [],
    "attachments": [],
    "preliminary": False,
    "on_partial": "send_marked",
    "approve_first": 1,
}


Faults = tuple[Fault, ...]


class Unsound(ValueError):
    """A record that is not to be written, with every fault of it. For commands, which say them all.

    ``what`` names it: ``--to: version 2``.
    """

    def __init__(self, what: str, faults: Faults) -> None:
        super().__init__(f"{what}: {', '.join(each.field for each in faults)}")
        self.what, self.faults = what, faults


class Numbered(NamedTuple):
    """A record of a file with many, by its place there, and its client's id as far as it has one."""

    number: int
    client_id: str
    read: Client | Faults


class Difference(Fact):
    """A field that differs, by its dotted name, with both values as JSON; None is: not there."""

    field: str
    before: str | None
    after: str | None


# -- reading -----------------------------------------------------------------------------------------------------------


def read(body: bytes, at: Standpoint = NOWHERE) -> Client | Faults:
    """The record in a JSON file, or every fault of it."""
    try:
        return check(parsed(body), at)
    except _Unreadable as unreadable:
        return (unreadable.fault,)


def parsed(body: bytes) -> Any:
    """The JSON in ``body``, strictly: UTF-8, each key once, no NaN, numbers as they stand there.

    Raises an error that :func:`read` and :func:`read_many` turn into a fault.
    """
    if len(body) > LARGEST * 40:
        raise _unreadable("file", "no more than 10 MB", "Name the file of a record.")
    if body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable("file", "UTF-8 without a byte order mark", "Save it as UTF-8 without a byte order mark.")
    try:
        text = body.decode()
        found = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_constant, object_pairs_hook=_unique
        )
    except UnicodeDecodeError as wrong:
        raise _unreadable("file", f"UTF-8, which byte {wrong.start} is not", "Save it as UTF-8.") from None
    except json.JSONDecodeError as wrong:
        where = f"JSON, which line {wrong.lineno} column {wrong.colno} is not: {wrong.msg}"
        raise _unreadable("file", where, "Correct that place; `sample-config` writes a sound file.") from None
    except RecursionError:
        raise _unreadable("file", "no more than some levels of brackets", "A record has three levels.") from None
    _require_numbers("file", found)
    return found


def object_in(body: bytes) -> dict[str, Any] | Fault:
    """The JSON object in ``body``, a record or not yet one, with amounts as texts of their digits."""
    try:
        found = parsed(body)
    except _Unreadable as unreadable:
        return unreadable.fault
    if not isinstance(found, dict):
        return Fault(field="file", expected="one JSON object", remedy="`sample-config` writes a sound file.")
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain


def check(document: Any, at: Standpoint = NOWHERE, *, typed: bool = True) -> Client | Faults:
    """The record that ``document`` is, or every fault of it. A ``$schema`` at its top is for editors, and ignored.

    ``typed``: true is no "true", as in JSON; in a CSV file everything is text.
    """
    if not isinstance(document, Mapping):
        expected = "one JSON object"
        return (Fault(field="file", expected=expected, remedy="Begin with {; `sample-config` writes a sound file."),)
    facts = {key: value for key, value in document.items() if key != "$schema"}
    left = tuple(
        Fault(field=field, expected="not what the sample says", remedy=f"Write the client's own. {explained(field)}")
        for field, value in PLACEHOLDERS.items()
        if _at(facts, field) == value
    )
    examined = examine(Client, facts, at, validate=_strictly if typed else None)
    if examined.record is not None and not left:
        return examined.record
    named = {each.field for each in left}
    found = (*map(_fault, examined.form), *map(_printable, examined.others))
    return (*left, *(each for each in found if each.field not in named))


def _strictly(facts: Mapping[str, Any]) -> Client:
    return Client.model_validate_json(_typed(facts), strict=True)


def _typed(facts: Mapping[str, Any]) -> str:
    """JSON in which amounts are texts, since pydantic would read a number with a point as a float."""
    amounts = dict(facts)
    if isinstance(facts.get("monthly_budget"), Decimal):
        amounts["monthly_budget"] = str(facts["monthly_budget"])
    rate = facts.get("exchange_rate")
    if isinstance(rate, Mapping) and isinstance(rate.get("rate"), Decimal):
        amounts["exchange_rate"] = {**rate, "rate": str(rate["rate"])}
    return json.dumps(amounts, default=float)


def read_many(body: bytes, at: Standpoint = NOWHERE, *, as_csv: bool) -> tuple[Numbered, ...] | Faults:
    """Every record of a file: a JSON array, an object with it under ``clients``, JSON Lines, or CSV.

    A CSV file names the fields in its first line (``access.role_arn`` for those inside others), separates the members
    of a list by semicolons, and leaves a cell empty for what is not there. Its cells are separated by commas,
    semicolons or tabs, whichever its first line has; it is UTF-8, or UTF-16 with a byte order mark.
    """
    try:
        documents = list(_rows(body) if as_csv else _documents(body))
    except _Unreadable as unreadable:
        return (unreadable.fault,)
    if not documents:
        return (Fault(field="file", expected="at least one record", remedy="Write one, or leave the import."),)
    records = [
        Numbered(number, _id_of(document), check(document, at, typed=not as_csv))
        for number, document in enumerate(documents, start=1)
    ]
    seen: dict[str, int] = {}
    for place, record in enumerate(records):
        first = seen.setdefault(record.client_id, record.number) if record.client_id else record.number
        if first != record.number:
            twice = Fault(field="client_id", expected=f"each once; record {first} has it too", remedy="Remove one.")
            known = record.read if isinstance(record.read, tuple) else ()
            records[place] = record._replace(read=(*known, twice))
    return tuple(records)


def _documents(body: bytes) -> list[Any]:
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
        return [parsed(line) for line in lines]
    found = parsed(body)
    if isinstance(found, dict) and "clients" in found:
        found = found["clients"]
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise _unreadable("file", "an array of records", 'Write [ … ] or {"clients": [ … ]}.')
    return found


def _rows(body: bytes) -> Iterator[dict[str, Any]]:
    text = _decoded(body)
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.\r?", first):  # Excel's own word about what separates the cells
        text = rest
    separator = _separator(text)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    try:
        names = [name.strip() for name in next(lines, [])]
        if len(set(names)) < len(names):
            raise _unreadable("file", "each column once", "Remove the duplicate column.")
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(names):
                expected = f"{len(names)} cells in line {lines.line_num}, as its first line has"
                remedy = f"Put cells that hold {_SEPARATORS[separator]} into quotation marks."
                raise _unreadable("file", f"{expected}, separated by {_SEPARATORS[separator]}", remedy)
            yield _nested(zip(names, cells, strict=True))
    except csv.Error as wrong:
        raise _unreadable("file", f"CSV, which line {lines.line_num} is not: {wrong}", "Correct that line.") from None


_SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What spreadsheets write between cells: commas, semicolons where a comma is the decimal sign, tabs as Unicode text."""


def _separator(text: str) -> str:
    """What separates the cells: that by which the first line has the most columns which a record has, or at all."""

    def columns(separator: str) -> tuple[int, int]:
        try:
            names = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
        except csv.Error:
            names = []
        return sum(name.strip().partition(".")[0] in Client.model_fields for name in names), len(names)

    return max(_SEPARATORS, key=columns)


def _decoded(body: bytes) -> str:
    """The text of a table: UTF-8, or UTF-16 with its mark, as spreadsheets save "Unicode text"."""
    utf_16 = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return body.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as wrong:
        name = "UTF-16, as its first bytes say" if utf_16 else "UTF-8"
        raise _unreadable("file", f"{name}, which byte {wrong.start} is not", "Save it as CSV UTF-8.") from None


def _nested(cells: Iterable[tuple[str, str]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for name, cell in cells:
        if not cell.strip():
            continue
        *path, last = name.split(".")
        inner = whole
        for step in path:
            below = inner.setdefault(step, {})
            if not isinstance(below, dict):
                raise _unreadable(name, "a column inside another that is no list or text", "Rename the column.")
            inner = below
        is_list = not path and last in _LISTS
        inner[last] = [part.strip() for part in cell.split(";") if part.strip()] if is_list else cell.strip()
    return whole


_LISTS: Final = frozenset(name for name, field in Client.model_fields.items() if get_origin(field.annotation) is tuple)


def _id_of(document: Any) -> str:
    found = document.get("client_id") if isinstance(document, Mapping) else None
    return found if isinstance(found, str) else ""


class _Unreadable(ValueError):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.expected)
        self.fault = fault


def _unreadable(field: str, expected: str, remedy: str) -> _Unreadable:
    return _Unreadable(Fault(field=printable(field), expected=expected, remedy=remedy))


class _NoNumber(NamedTuple):
    """What stands where a number should, until the key that it belongs to is known."""

    expected: str
    remedy: str


def _decimal(digits: str) -> Decimal | _NoNumber:
    number = Decimal(digits) if len(digits) <= _LONGEST_NUMBER else None
    if number is None or not -_LONGEST_NUMBER <= number.adjusted() <= _LONGEST_NUMBER:
        return _NoNumber(f"a number of no more than {_LONGEST_NUMBER} digits", "Write a smaller number.")
    return number


def _integer(digits: str) -> int | _NoNumber:
    number = _decimal(digits)
    return int(number) if isinstance(number, Decimal) else number


def _constant(name: str) -> _NoNumber:
    return _NoNumber(f"JSON, which {name} is not", "Write a number, or leave the field out.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for key, value in pairs:
        if key in whole:
            raise _unreadable(key, "each key once in its object", "Remove one of the two.")
        if any(isinstance(each, str) and not _sound(each) for each in (key, *_members(value))):
            raise _unreadable(key, "text that is Unicode; half of a surrogate pair is not", "Write the character.")
        _require_numbers(key, value)
        whole[key] = value
    return whole


def _require_numbers(field: str, value: Any) -> None:
    for each in _members(value):
        if isinstance(each, _NoNumber):
            raise _unreadable(field, each.expected, each.remedy)


def _members(value: Any) -> Iterator[Any]:
    """The value, or what is in its lists; objects have been looked at before."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        else:
            yield each


def _sound(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


# -- faults ------------------------------------------------------------------------------------------------------------


def faults_of(row: Mapping[str, Any], at: Standpoint = NOWHERE) -> Faults:
    """What is wrong with a row of the clients table; empty for a sound one."""
    examined = examine(Client, row, at)
    return (*map(_fault, examined.form), *map(_printable, examined.others))


def warnings_of(client: Client, today: date) -> Faults:
    """What a sound record lacks for its next report to be whole: nothing fails for it, and the report says it."""
    rate, last = client.exchange_rate, month_of(month_of(today).start - timedelta(days=1))
    if rate is None or not is_old(rate.as_of, last, rate.max_age_days):
        return ()
    expected = f"a rate no older than {rate.max_age_days or OLD_RATE.days} days at the end of the period"
    remedy = f"Write a newer one: without it, the report of {label(last)} shows no amounts in {client.currency}."
    return (Fault(field="exchange_rate.as_of", expected=expected, remedy=remedy),)


def _printable(fault: Fault) -> Fault:
    return fault.model_copy(update={"field": printable(fault.field)})


_EXPECTED: Final = {
    "missing": "to be there",
    "extra_forbidden": "not to be there: a record has no such field",
    "string_pattern_mismatch": "another form",
    "tuple_type": "a list",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "union_tag_not_found": 'an object with "kind": "role" or "secret"',
    "union_tag_invalid": '"kind": "role" or "secret"',
}


def _fault(fault: ErrorDetails) -> Fault:
    kind, said = fault["type"], fault["msg"].removeprefix("Value error, ")
    if kind == "json_invalid":
        return Fault(field="file", expected=f"a record: {said}", remedy="`sample-config` writes a sound file.")
    field = printable(dotted(fault["loc"]))
    if not field:  # a fault of the whole record: its message begins with the field
        field, _, said = said.partition(": ")
    if kind == "extra_forbidden":
        name = str(fault["loc"][-1])
        like = get_close_matches(name, _names_beside(field), n=1)
        remedy = f"Did you mean {like[0]}?" if like else "Remove it."
        return Fault(field=field, expected=_EXPECTED[kind], remedy=remedy)
    remedy = explained(field) or "`sample-config` writes a sound file."
    expected = _EXPECTED.get(kind, f"{said[:1].lower()}{said[1:]}")
    return Fault(field=field, expected=expected, remedy=f"Add it. {remedy}" if kind == "missing" else remedy)


def printable(text: str) -> str:
    """Text from elsewhere, fit for a terminal: what is no letter, digit or sign is written as its number, and cut."""
    safe = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[:201])
    return safe if len(text) <= 200 else f"{safe[:200]}…"


def explained(field: str) -> str:
    """What the record's model says about a field, or about the list that it is in; "" if there is none such."""
    models: list[type[BaseModel]] = [Client]
    said = ""
    for part in field.split("."):
        found = next((model.model_fields[part] for model in models if part in model.model_fields), None)
        if found is None:
            break
        said, models = found.description or "", _models_in(found.annotation)
    return said


def _names_beside(field: str) -> list[str]:
    """The fields that may stand where ``field`` stands."""
    inside = field.rpartition(".")[0]
    models: list[type[BaseModel]] = [Client]
    for part in filter(None, inside.split(".")):
        known = [model.model_fields[part].annotation for model in models if part in model.model_fields]
        models = [each for annotation in known for each in _models_in(annotation)]
    return [name for model in models for name in model.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for each in get_args(annotation) for model in _models_in(each)]


def _at(document: Any, field: str) -> Any:
    for part in field.split("."):
        document = document.get(part) if isinstance(document, Mapping) else None
    return document


# -- writing -----------------------------------------------------------------------------------------------------------


def exported(row: Mapping[str, Any]) -> bytes:
    """A row of the table as a JSON file, which `add` and `update` take if the row is sound. It holds the ExternalId."""
    client = examine(Client, row, NOWHERE).record
    if client is not None:
        text = client.model_dump_json(indent=2, exclude_none=True)
    else:
        text = json.dumps(row, indent=2, ensure_ascii=False, default=_plain)
    return f"{text}\n".encode()


def sample(schema: str) -> bytes:
    """A record to be edited, whose editor finds the explanations in ``schema``."""
    return (json.dumps({"$schema": schema} | dict(SAMPLE), indent=2) + "\n").encode()


def schema() -> bytes:
    """The JSON Schema of a record, made from the model, with an explanation of every field."""
    whole = Client.model_json_schema()
    whole["properties"] = {"$schema": {"type": "string", "description": "Where this schema is."}} | whole["properties"]
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | _untitled(whole)
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


_BY_NAME: Final = ("properties", "$defs")


def _untitled(schema: Any) -> Any:
    """Without the titles, which say again what the names say; a property may be called so."""
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _untitled(each) for name, each in value.items()}
        if key in ("properties", "$defs")
        else _untitled(value)
        for key, value in schema.items()
        if key != "title"
    }


# -- comparing ---------------------------------------------------------------------------------------------------------


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Difference, ...]:
    """Every field that differs, by name, except ``version``. Of the ExternalId is said only that it differs."""
    old, new = dict(_leaves(before or {})), dict(_leaves(after or {}))
    return tuple(
        Difference(field=field, before=_shown(field, old), after=_shown(field, new))
        for field in sorted(old.keys() | new.keys())
        if field != "version" and (field not in old or field not in new or _json(old[field]) != _json(new[field]))
    )


def _leaves(row: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _shown(field: str, leaves: Mapping[str, Any]) -> str | None:
    if field not in leaves:
        return None
    return "(secret)" if field == SECRET else _json(_masked(leaves[field]))


def _masked(value: Any) -> Any:
    """Without the ExternalIds in it, as those of ``more_accounts``."""
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    if isinstance(value, Mapping):
        return {name: "(secret)" if name == "external_id" else _masked(each) for name, each in value.items()}
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain, sort_keys=True)


def _plain(value: Any) -> Any:
    """Amounts as their digits, the same for 12, 12.0 and 12.00."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and abs(value) < 10**15
        return int(value) if whole else f"{value.normalize():f}"
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def account_of(client: Client) -> str:
    """The account that the record's access is in: the client's for a role, ours for a secret."""
    access: RoleAccess | SecretAccess = client.access
    return (access.role_arn if isinstance(access, RoleAccess) else access.secret_arn).split(":")[4]
