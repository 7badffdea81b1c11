"""Whether a client record that has the right form also makes sense: the rules that a form cannot say.

The one set of them. ``clients.examine`` asks it for every door: the commands that write a record, those that look at
one, the functions that read one, and the renderer. Facts are read as they stand, with or without a fault elsewhere, so
that one fault hides no other; what cannot be read here has a fault of its form.

Nothing here repeats a value of a record: it may be secret or hostile.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from cost_reporting.codes import CURRENCIES, LOCALES, near_currencies, near_locales
from cost_reporting.contracts import Fact, Period
from cost_reporting.periods import last_day

Facts = Mapping[str, Any]
BILLED: Final = "USD"
"""In which AWS bills."""
LISTS: Final = ("cadences", "sections", "tag_keys", "attachments", "shared_with")
"""Lists of which each member is there once. Recipients are compared as mail servers do, without regard to case."""
OLD_RATE: Final = timedelta(days=35)
"""A rate that is older than this at the end of a period is not used for it, unless its record says another number.

A rate is set by hand once a month at best: with a month and some days it lasts from one month's report to the next.
"""
_EAST: Final = timedelta(hours=14)
"""How far ahead of UTC it may be tomorrow already (tz database, Pacific/Kiritimati)."""


class Fault(Fact):
    """What is wrong with one field: what was expected of it, and what to do."""

    field: str
    expected: str
    remedy: str


class Standpoint(NamedTuple):
    """From where a record is judged: the last day that has begun anywhere, and the partition of the stack.

    None is not known, and what depends on it is not judged.
    """

    today: date | None = None
    partition: str | None = None


NOWHERE: Final = Standpoint()


def today(now: datetime) -> date:
    """The last day that has begun anywhere on Earth: a rate of tomorrow in UTC may be one of today in Auckland."""
    return (now + _EAST).date()


def faults(facts: Facts, at: Standpoint) -> Iterator[Fault]:
    """What makes no sense in the facts of a record, or of the part of it that a report shows."""
    yield from contradictions(facts)
    yield from unknown_codes(facts)
    if at.today is not None:
        yield from _future_rate(facts, at.today)
    if at.partition is not None:
        yield from _other_partitions(facts, at.partition)


def contradictions(facts: Facts) -> Iterator[Fault]:
    """Where the record does not agree with itself."""
    yield from _twice(facts)
    if "sections" in facts or "tag_keys" in facts:
        sections, keys = _members(facts.get("sections", ())), _members(facts.get("tag_keys", ()))
        if sections is not None and keys is not None and ("tags" in sections) != bool(keys):
            yield _fault(
                "tag_keys",
                "tag_keys and the section tags together, or neither",
                'Add "tags" to sections, or keys to tag_keys.',
            )
    currency, rate = facts.get("currency"), facts.get("exchange_rate")
    if isinstance(currency, str) and (currency == BILLED) != (rate is None):
        yield _fault(
            "exchange_rate",
            f"a rate for every currency except {BILLED}, in which AWS bills",
            'Write {"rate": "0.9214", "as_of": "2026-10-30", "source": "ECB reference rate"}'
            if rate is None
            else f"Remove it, or name the currency that it is of instead of {BILLED}.",
        )
    shared, reason = _members(facts.get("shared_with", ())), facts.get("shared_reason")
    if shared is not None and bool(shared) != (reason is not None):
        yield _fault("shared_reason", "shared_reason and shared_with together, or neither", "Add the one that lacks.")
    if shared is not None and facts.get("client_id") in shared:
        yield _fault("shared_with", "other clients' ids; the client's own id is not needed", "Remove it.")
    yield from _accounts(facts)
    yield from _foreign_secrets(facts)


def in_order(facts: Facts) -> Facts:
    """Facts whose sets are lists: a set, as DynamoDB keeps one, has an order that differs with each reading."""
    return {
        name: sorted(value) if isinstance(value, set | frozenset) and all(isinstance(i, str) for i in value) else value
        for name, value in facts.items()
    }


def misspelt(facts: Facts) -> Iterator[Fault]:
    """What a lenient reader would take for another value than was meant, or tells badly.

    ``1.234,56`` is no number, and ``1_234`` would be one; a bare number is no day but seconds since 1970; true would
    count as 1.
    """
    rate = facts.get("exchange_rate")
    rate = rate if isinstance(rate, Mapping) else {}
    for field, amount in (("monthly_budget", facts.get("monthly_budget")), ("exchange_rate.rate", rate.get("rate"))):
        if isinstance(amount, bool) or (isinstance(amount, str) and not _NUMBER.fullmatch(amount.strip())):
            yield _fault(field, "a number in digits", _AMOUNT)
    as_of = rate.get("as_of")
    if as_of is not None and not isinstance(as_of, date) and not (isinstance(as_of, str) and _DAY.fullmatch(as_of)):
        yield _fault("exchange_rate.as_of", "a day", "Write it like 2026-10-30.")
    counts = {"approve_first": facts.get("approve_first"), "version": facts.get("version")}
    for field, count in (*counts.items(), ("exchange_rate.max_age_days", rate.get("max_age_days"))):
        if isinstance(count, bool):
            yield _fault(field, "a whole number, not true or false", "Write it in digits.")


_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_AMOUNT: Final = "Write it with a decimal point and without thousands separators, like 12000.00."


def unknown_codes(facts: Facts) -> Iterator[Fault]:
    """A locale or a currency that does not exist, with those that may be meant."""
    locale, currency = facts.get("locale"), facts.get("currency")
    if isinstance(locale, str) and locale not in LOCALES:
        yield _fault("locale", "a locale that CLDR knows", _instead(near_locales(locale), "like en_US or de_DE"))
    if isinstance(currency, str) and currency not in CURRENCIES:
        instead = _instead(near_currencies(currency), "like USD or EUR")
        yield _fault("currency", "a currency that is in use (ISO 4217)", instead)


def is_old(as_of: date, period: Period, limit: int | None = None) -> bool:
    """Whether a rate is too old for a report about ``period``; ``limit`` in days where it is not :data:`OLD_RATE`."""
    return last_day(period) - as_of > (OLD_RATE if limit is None else timedelta(days=limit))


def _future_rate(facts: Facts, latest: date) -> Iterator[Fault]:
    rate = facts.get("exchange_rate")
    as_of = rate.get("as_of") if isinstance(rate, Mapping) else None
    day = as_of if isinstance(as_of, date) else _day(as_of)
    if day is not None and day > latest:
        remedy = "Write the day of which the rate is, like 2026-10-30."
        yield _fault("exchange_rate.as_of", "a day that is not in the future", remedy)


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _other_partitions(facts: Facts, partition: str) -> Iterator[Fault]:
    """A role cannot be assumed, nor a secret read, across partitions (AWS General Reference, "ARNs")."""
    for field, arn in _arns(facts):
        kind, _, rest = arn.strip().partition(":")
        if kind == "arn" and rest.partition(":")[0] != partition:
            expected = f"an ARN that begins with arn:{partition}:, the partition of this stack"
            remedy = "No role or key works in another partition: name one of this, or deploy a stack there."
            yield _fault(field, expected, remedy)


def _arns(facts: Facts) -> Iterator[tuple[str, str]]:
    for field, access in _accesses(facts):
        for name in ("role_arn", "secret_arn"):
            arn = access.get(name)
            if isinstance(arn, str):
                yield f"{field}.{name}", arn


def _accesses(facts: Facts) -> Iterator[tuple[str, Facts]]:
    """The accesses of a record that are objects, each with its field."""
    if isinstance(facts.get("access"), Mapping):
        yield "access", facts["access"]
    more = facts.get("more_accounts")
    for at, each in enumerate(more if isinstance(more, list | tuple) else ()):
        if isinstance(each, Mapping) and isinstance(each.get("access"), Mapping):
            yield f"more_accounts.{at}.access", each["access"]


def _twice(facts: Facts) -> Iterator[Fault]:
    for field in LISTS:
        members = _members(facts.get(field, ()))
        texts = [each for each in members or () if isinstance(each, str)]
        if len(set(texts)) < len(texts):
            yield _fault(field, "each member once", "Remove the duplicate.")
    recipients = _members(facts.get("recipients", ()))
    addresses = [each.strip().casefold() for each in recipients or () if isinstance(each, str)]
    if len(set(addresses)) < len(addresses):
        yield _fault("recipients", "each address once; case makes no difference", "Remove the duplicate address.")


def _accounts(facts: Facts) -> Iterator[Fault]:
    places = [place for _, access in _accesses(facts) if (place := _place(access)) is not None]
    if len(set(places)) < len(places):
        remedy = "Remove the one that is there twice, or that is the account of access."
        expected = "each account once: one is a duplicate, or is that of access"
        yield _fault("more_accounts", expected, remedy)
    more = facts.get("more_accounts")
    names = [each.get("name") for each in more if isinstance(each, Mapping)] if isinstance(more, list | tuple) else []
    plain = [_folded(each) for each in (facts.get("client_name"), *names) if isinstance(each, str)]
    if names and len(set(plain)) < len(plain):
        expected = "each name once: two have the same name, or one has the client's"
        yield _fault("more_accounts", expected, "Give each account a name that a reader can tell from the others.")


def _foreign_secrets(facts: Facts) -> Iterator[Fault]:
    client_id = facts.get("client_id")
    for field, access in _accesses(facts):
        arn = access.get("secret_arn")
        if isinstance(client_id, str) and isinstance(arn, str) and not is_own_secret_arn(arn, client_id):
            expected = "a secret that is called <Prefix>/clients/<client_id>"
            yield _fault(f"{field}.secret_arn", expected, "Store the keys in a secret of that name, and write its ARN.")


def is_own_secret(name: str, client_id: str, prefix: str | None = None) -> bool:
    """Whether a secret of this name is called ``<Prefix>/clients/<client_id>``, or is below that.

    None stands for any prefix.
    """
    top = "[A-Za-z0-9-]+" if prefix is None else re.escape(prefix)
    return re.fullmatch(rf"{top}/clients/{re.escape(client_id)}(/.+)?", name) is not None


def is_own_secret_arn(secret_arn: str, client_id: str, prefix: str | None = None) -> bool:
    """The same of an ARN, which may end with the six characters that Secrets Manager has appended to the name.

    Those may as well be the end of another client's id; only the secret's own name tells the two apart.
    """
    name = secret_arn.partition(":secret:")[2]
    whole, _, suffix = name.rpartition("-")
    return is_own_secret(name, client_id, prefix) or (len(suffix) == 6 and is_own_secret(whole, client_id, prefix))


# -- names -------------------------------------------------------------------------------------------------------------

_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and a symbol that are drawn as nothing: the Hangul fillers and the empty Braille pattern."""


def visible_line(text: str) -> str:
    """``text``, if it is one line in which there is something to be seen. Raises ValueError saying what is expected.

    Marks of direction and joiners belong to some scripts, so they may be in it; the report leaves out those that reach
    beyond the name (``report.edition.one_line``).
    """
    if any(unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} for each in text):
        raise ValueError("one line of text, without control characters")
    if not any(_is_visible(each) for each in unicodedata.normalize("NFKC", text)):
        raise ValueError("text with something to be seen in it")
    return text


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _BLANK


def _folded(text: str) -> str:
    """A name as a reader sees it: forms, case, spaces and invisible marks make no difference."""
    plain = unicodedata.normalize("NFKC", text)
    seen = "".join(each for each in plain if unicodedata.category(each) != "Cf" and each not in _BLANK)
    return " ".join(seen.split()).casefold()


def _place(access: Facts) -> str | None:
    role, secret = access.get("role_arn"), access.get("secret_arn")
    if isinstance(role, str) and len(parts := role.split(":")) > 4:
        return parts[4]
    return secret if isinstance(secret, str) else None


def _members(value: Any) -> list[Any] | None:
    """The members of what DynamoDB, JSON or a model has for a list; None for what is none, which is a fault of form."""
    return list(value) if isinstance(value, list | tuple | set | frozenset) else None


def _instead(near: tuple[str, ...], like: str) -> str:
    return f"Did you mean {' or '.join(near)}?" if near else f"Write one {like}."


def _fault(field: str, expected: str, remedy: str) -> Fault:
    return Fault(field=field, expected=expected, remedy=remedy)
