"""Collects the report's messages into its catalogues and compiles them: ``make messages``.

New messages arrive untranslated, changed ones lose their translation rather than keep one that may be wrong, and those
that are no longer said are dropped. The files depend on code and translations alone, so running this again changes
nothing. tests/unit/report/test_languages.py fails while there is something to translate or to compile.
"""

import io
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from cost_reporting.report.language import DOMAIN, LOCALES, TRANSLATED

REPORT: Final = LOCALES.parent
METHODS: Final = [("**.py", "python"), ("templates/**.j2", "jinja2.ext:babel_extract")]
KEYWORDS: Final = {"say": None, "to_say": None, "say_n": (1, 2)}
_NO_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)
OPTIONS: Final = {"templates/**.j2": {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}


def collected() -> Catalog:
    """Every message that the code and the templates say, with the files that say it."""
    messages = Catalog()
    found = extract_from_dir(REPORT, METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",))
    for file, _, message, comments, context in sorted(found, key=lambda item: (item[0], item[1])):
        messages.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return messages


def catalogue(language: str) -> Catalog:
    """The translations into ``language``."""
    with source(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def updated(language: str, messages: Catalog) -> Catalog:
    """The translations into ``language`` of exactly ``messages``, in their order."""
    known = catalogue(language) if source(language).exists() else Catalog(locale=language)
    fresh = Catalog(locale=language, fuzzy=False, header_comment=f"# The report's messages: {language}.")
    for message in messages:
        if message.id:
            old = known.get(message.id)
            fresh.add(message.id, old.string if old else None, message.locations, auto_comments=message.auto_comments)
    return fresh


def written(messages: Catalog) -> bytes:
    """The ``.po`` file. Its head names only what has a meaning here, so that no clock or person changes it."""
    file = io.BytesIO()
    write_po(file, messages, width=110, omit_header=True, include_lineno=False)
    head = (
        f'{messages.header_comment}\nmsgid ""\nmsgstr ""\n"Language: {messages.locale}\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {messages.plural_forms}\\n"\n\n'
    )
    return head.encode() + file.getvalue()


def compiled(messages: Catalog) -> bytes:
    """The ``.mo`` file of the translated messages."""
    bare = Catalog(locale=messages.locale, fuzzy=False, creation_date=_NO_DATE, revision_date=_NO_DATE)
    for message in messages:
        if message.id and not message.fuzzy and all(strings(message)):
            bare.add(message.id, message.string)
    file = io.BytesIO()
    write_mo(file, bare)
    return file.getvalue()


def source(language: str) -> Path:
    """Where the translations are."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def strings(message: Message) -> tuple[str, ...]:
    """The translations of a message: several, if a number decides."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ("",))


def places(text: str) -> frozenset[str]:
    """The names that ``text`` leaves room for."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def faults(translations: Catalog, messages: Catalog) -> Iterator[str]:
    """What is wrong with the ``translations`` of ``messages``, a line each."""
    language = translations.locale
    known = {message.id: message for message in translations if message.id}
    wanted = {message.id for message in messages if message.id}
    yield from (f"{language}: no longer said: {unused!r}" for unused in known.keys() - wanted)
    yield from (f"{language}: not in the catalogue: {missing!r}" for missing in wanted - known.keys())
    for message in known.values():
        if message.fuzzy:
            yield f"{language}: fuzzy: {message.id!r}"
        elif not all(text.strip() for text in strings(message)):
            yield f"{language}: not translated: {message.id!r}"
        elif any(places(text) != places(_longest(message.id)) for text in strings(message)):
            yield f"{language}: other places: {message.id!r}"


def _longest(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[-1]


def main() -> int:
    """Updates all catalogues. Returns 1 while something is left to translate."""
    messages, left = collected(), 0
    for language in TRANSLATED:
        fresh = updated(language, messages)
        source(language).parent.mkdir(parents=True, exist_ok=True)
        source(language).write_bytes(written(fresh))
        source(language).with_suffix(".mo").write_bytes(compiled(catalogue(language)))
        for fault in faults(catalogue(language), messages):
            print(fault)
            left += 1
    print(f"{len(messages)} messages in {len(TRANSLATED)} languages, {left} left to translate")
    return min(left, 1)


if __name__ == "__main__":
    raise SystemExit(main())
