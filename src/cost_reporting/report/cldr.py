"""Locales of which none can change what another says.

Babel's locales share what they inherit, and where an alias of CLDR is looked up through one of them, what it found is
written into the shared part: after a Japanese report the stand-alone month of a French one would be Japanese, in the
same warm function (python-babel/babel#1234). Here every locale has data of its own.
"""

from functools import cached_property
from typing import Any, override

from babel import Locale, localedata


class OwnLocale(Locale):
    """A locale that shares nothing that Babel writes to. Hand over the object: a name would find the shared one."""

    @cached_property
    @override
    def _data(self) -> localedata.LocaleDataDict:
        return localedata.LocaleDataDict(_apart(localedata.load(str(self))))


def _apart(data: Any) -> dict[str | int | None, Any]:
    return {key: _apart(value) if isinstance(value, dict) else value for key, value in data.items()}
