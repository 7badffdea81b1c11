"""The language of a report: its sentences are English messages in the code, looked up in a catalogue for the client.

``edition.say("You spent {amount} in {month}.", amount=…, month=…)`` in code, ``say(…)`` in templates, and
``say_n("{n} account had costs.", "{n} accounts had costs.", n)`` where a number decides about the form. A message is a
whole sentence or a whole label, never a piece of one, and its values are named, since their order differs between
languages. A message that stands in a constant is marked by ``to_say("…")`` there and said later.

``make messages`` collects the messages into ``locales/<language>/LC_MESSAGES/report.po`` and compiles the ``.mo`` files
that are read here; tests/unit/report/test_languages.py fails while a translation is missing, stale or uncompiled.
"""

import gettext
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

LOCALES: Final = Path(__file__).parent / "locales"
DOMAIN: Final = "report"
ENGLISH: Final = "en"
TRANSLATED: Final = ("de", "fr", "es", "ja")
"""The languages with a catalogue. Everybody else reads English."""

_ISOLATE: Final = "\u2068"
_POP: Final = "\u2069"


@dataclass(frozen=True)
class Language:
    """A language in which reports speak, and its messages."""

    code: str
    _messages: gettext.NullTranslations

    def say(self, message: str, /, **values: object) -> str:
        """``message`` in this language, with its named places filled."""
        return _ended(self._messages.gettext(message).format_map(_isolated(values)))

    def say_n(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """The form for ``n`` things in this language, with its named places filled. ``{n}`` is a value like others."""
        return _ended(self._messages.ngettext(singular, plural, n).format_map(_isolated({"n": n} | values)))

    def listed(self, items: Iterable[str]) -> str:
        """``items`` behind each other with commas."""
        return ("、" if self.code == "ja" else ", ").join(isolated(item) for item in items)

    def together(self, *sentences: str) -> str:
        """Whole sentences behind each other."""
        return ("" if self.code == "ja" else " ").join(sentences)


def to_say(message: str) -> str:
    """``message`` itself: marks it for the catalogues where it stands in a constant and is said elsewhere."""
    return message


def speaks(locale: str) -> bool:
    """Whether a report for ``locale`` is written in its own language."""
    return _code(locale) in {ENGLISH, *TRANSLATED}


def language_for(locale: str) -> Language:
    """The language of a locale, or English where there is no translation."""
    return _language(_code(locale) if speaks(locale) else ENGLISH)


def isolated(text: str) -> str:
    """``text`` so that right-to-left letters in it leave the line around them alone; other text as it is."""
    if any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in text):
        return f"{_ISOLATE}{text}{_POP}"
    return text


def _ended(sentence: str) -> str:
    """``sentence`` with one full stop, where its last value is abbreviated: "1. Nov." """
    return sentence[:-1] if sentence.endswith("..") and not sentence.endswith("...") else sentence


@lru_cache(maxsize=8)
def _language(code: str) -> Language:
    if code == ENGLISH:
        return Language(code=code, _messages=gettext.NullTranslations())
    with (LOCALES / code / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        return Language(code=code, _messages=gettext.GNUTranslations(file))


def _code(locale: str) -> str:
    return locale.partition("_")[0]


def _isolated(values: dict[str, object]) -> dict[str, object]:
    return {name: isolated(value) if isinstance(value, str) else value for name, value in values.items()}
