"""What the tests of the report share."""

import subprocess
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cost_reporting.clients import Client
from cost_reporting.contracts import Run
from cost_reporting.costs import CostDocument
from cost_reporting.domain.causes import Basis, Cause, Explanation, Headline, Kind
from cost_reporting.report.comparison import Comparison
from cost_reporting.report.edition import Edition
from cost_reporting.report.renderer import Renderer
from tests.builders import a_client, a_cost_document, a_run


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """One renderer for all tests, as a warm function has."""
    return Renderer()


def a_cause(kind: Kind, amount: str, **facts: Any) -> Cause:
    """A cause made by hand."""
    return Cause(kind=kind, amount=Decimal(amount), **facts)


def explained(
    edition: Edition, *found: Cause, basis: Basis = "change", headline: Headline | None = None, by_usage: bool = False
) -> Edition:
    """``edition`` with causes made by hand, in the place of those that its costs have."""
    change = sum((cause.amount for cause in found), Decimal(0)) if basis in {"change", "usage"} else None
    made = {"explanation": Explanation(basis=basis, change=change, causes=found), "headline_cause": headline}
    edition.__dict__.update(made | {"judged_by_usage": by_usage})
    return edition


def an_edition(client: Client | None = None, costs: CostDocument | None = None, run: Run | None = None) -> Edition:
    """The edition for a client, its costs and a run that fits them."""
    costs = costs or a_cost_document()
    return Edition(client=client or a_client(), costs=costs, run=run or a_run(costs.period))


@pytest.fixture
def text_of(tmp_path: Path) -> Callable[[bytes], str]:
    """The text of a PDF, as a reader would copy it, with ordinary spaces."""

    def text(pdf: bytes) -> str:
        file = tmp_path / "report.pdf"
        file.write_bytes(pdf)
        done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True)
        return done.stdout.decode(errors="replace").replace("\u00a0", " ")

    return text


def number(text: str) -> Decimal:
    """A printed amount as a number; what is less than half a cent counts as nothing."""
    text = text.replace("\u00a0", "").replace(",", "")
    return Decimal(0) if text.startswith(("<", ">")) else Decimal(text.replace("\u2212", "-").removeprefix("+") or "0")


def added(texts: Iterable[str]) -> Decimal:
    """Printed amounts, added as a reader would."""
    return sum((number(text) for text in texts), Decimal(0))


def adds_up(table: Comparison) -> bool:
    """Whether every column's rows make its total."""
    return all(
        added(getattr(row, column) for row in table.rows) == number(getattr(table.sum, column))
        for column in ("now", "before", "difference", *(["usage"] if table.has_usage else []))
    )


def plain(text: str) -> str:
    """``text`` with ordinary spaces."""
    return text.replace("\u00a0", " ")
