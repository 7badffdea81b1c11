"""A report for operators before it has a form: words and tables, ready to print."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from cost_reporting.contracts import Fact

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MARKUP: Final = re.compile(r"([\\`*\[\]<>|])")


class Figure(Fact):
    """A figure that stands out: what it is, what it is worth, and what to know about it."""

    name: str
    value: str
    note: str = ""


class Column(Fact):
    """A column of a table. Numbers stand under each other."""

    name: str
    numeric: bool = False


class Table(Fact):
    """Rows of cells, one cell for each column; the first one is what the row is about."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


class Part(Fact):
    """A part of the report: sentences, then a table, then what is worth a line of its own."""

    title: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None
    items: tuple[str, ...] = ()


class Document(Fact):
    """A report for operators."""

    title: str
    subtitle: str
    issued: datetime
    lead: str
    figures: tuple[Figure, ...]
    parts: tuple[Part, ...]


def table(caption: str, columns: str, rows: Iterable[Sequence[str]]) -> Table:
    """A table whose ``columns`` are named with commas between them, numeric ones with ``#`` before their name."""
    named = tuple(Column(name=name.removeprefix("#"), numeric=name.startswith("#")) for name in columns.split(", "))
    return Table(caption=caption, columns=named, rows=tuple(tuple(clean(cell) for cell in row) for row in rows))


def clean(text: str) -> str:
    """``text`` in one line, without characters that are no text: names come from elsewhere."""
    return _CONTROL.sub(" ", text)


def markdown(document: Document) -> str:
    """The document as Markdown. What stands in cells is text, whatever it looks like."""
    return "\n".join(_lines(document)).rstrip() + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_text(document.title)}"
    yield ""
    yield f"{_text(document.subtitle)}. Issued {document.issued:%Y-%m-%d %H:%M} UTC."
    yield ""
    yield f"**{_text(document.lead)}**"
    yield ""
    for figure in document.figures:
        note = f" ({_text(figure.note)})" if figure.note else ""
        yield f"- {_text(figure.name)}: **{_text(figure.value)}**{note}"
    for part in document.parts:
        yield ""
        yield f"## {_text(part.title)}"
        for paragraph in part.paragraphs:
            yield ""
            yield _text(paragraph)
        if part.table is not None:
            yield ""
            yield from _table(part.table)
        if part.items:
            yield ""
            yield from (f"- {_text(item)}" for item in part.items)


def _table(shown: Table) -> Iterator[str]:
    yield f"{_text(shown.caption)}"
    yield ""
    yield _row(column.name for column in shown.columns)
    yield _row("---:" if column.numeric else "---" for column in shown.columns)
    yield from (_row(map(_text, row)) for row in shown.rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    return _MARKUP.sub(r"\\\1", clean(text))
