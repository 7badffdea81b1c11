"""What clients are told about made-up bills: each case is a file with a bill, and with what may and may not be said.

    .venv/bin/python tests/replay.py tests/cases/figures/*.json

For each case one line: ``ok`` or ``FAILS``, and its name; the reasons are indented below it. Exit codes: 0 none fails,
1 some fail, 2 a file is no case. ``--show`` prints what was said as well. It needs pdftotext.

A case has a moment (``now``), a ``period``, changes of the client's record (``client``), ``rows`` of spend, ``answers``
of other operations, and ``changes`` that make Cost Explorer's answers what they should not be (``tests/bill.py``). The
regular expressions of ``must_say`` and ``must_not_say`` are looked for in subject, mail, pages and CSV, or in the error
if there is no report.
"""

import argparse
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(path) for each in (".", "src", "layers/pdf") if (path := ROOT / each) and str(path) not in sys.path]

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator  # noqa: E402

from tests.bill import FIRST, Bill, Change, Row  # noqa: E402
from tests.stage import Broke, CostExplorer, Refused, Report, Stage, Told  # noqa: E402

RECORD: Final = {
    "client_id": "acme",
    "client_name": "Acme",
    "status": "active",
    "cadences": ["monthly"],
    "recipients": ["finance@acme.example"],
    "access": {"kind": "role", "role_arn": f"arn:aws:iam::{FIRST}:role/reader", "external_id": "an-external-id"},
    "branding": {"colour": "#0b4f6c"},
    "locale": "en_US",
    "currency": "USD",
    "cost_metric": "unblended",
}
"""The client of a case that changes nothing of it."""
A_REPORT, BY_NAME, BROKE = "a report", "refused by name", "BROKE without a name"
COMPUTED: Final = "GetCostAndUsage"


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"no regular expression: {wrong}") from None
    return text


Expression = Annotated[str, AfterValidator(_expression)]


class Case(BaseModel):
    """One case. ``why`` says what is right, and how that was worked out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: str = ""
    now: datetime
    period: Annotated[str, Field(pattern=r"^\d{4}-(\d{2}|W\d{2})$")]
    cadence: Literal["monthly", "weekly"] = "monthly"
    issue: Literal["preliminary", "final"] = "final"
    client: dict[str, Any] = {}
    rows: tuple[Row, ...]
    changes: tuple[Change, ...] = ()
    answers: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    """Of linked accounts, by id."""
    unit: str = "USD"
    estimated_from: date = date.max
    must_say: tuple[Expression, ...] = ()
    must_not_say: tuple[Expression, ...] = ()
    must_end: str | None = None
    """``a report``, ``refused by name``, or the name of the error."""
    most_requests: int = 200

    @field_validator("answers")
    @classmethod
    def _of_rows(cls, answers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        if COMPUTED in answers:
            raise ValueError(f"{COMPUTED} is answered from the rows; alter it with changes")
        return answers

    @property
    def bill(self) -> Bill:
        """Cost Explorer, as the case has it."""
        return Bill(
            self.rows,
            changes=self.changes,
            answers=self.answers,
            names=self.names,
            unit=self.unit,
            estimated_from=self.estimated_from,
            most=self.most_requests,
        )

    def told(self, cost_explorer: CostExplorer, stage: Stage, *, known: Report | None = None) -> Told:
        """What the client of the case is told if ``cost_explorer`` answers; see :meth:`Stage.tell`."""
        now, record = self.now.replace(tzinfo=self.now.tzinfo or UTC), RECORD | self.client
        return stage.tell(record, cost_explorer, now=now, period=self.period, issue=self.issue, known=known)


class NoCase(Exception):
    """A file that is no case, and why."""


def read(path: Path) -> Case | None:
    """The case in a file; None if it is a record without a bill, which other programs judge. Raises NoCase."""
    try:
        found = json.loads(path.read_bytes())
        return Case.model_validate(found) if not isinstance(found, dict) or "rows" in found else None
    except (OSError, ValueError) as wrong:
        if isinstance(wrong, ValidationError):
            raise NoCase("; ".join(_said(fault) for fault in wrong.errors(include_url=False))) from None
        raise NoCase(str(wrong)) from None


def _said(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: unknown key" if fault["type"] == "extra_forbidden" else f"{where}: {fault['msg']}"


def replayed(case: Case, stage: Stage) -> tuple[Told, list[str]]:
    """What was told, and what is wrong with it."""
    bill = case.bill
    told = stage.tell(
        RECORD | case.client,
        bill,
        now=case.now.replace(tzinfo=case.now.tzinfo or UTC),
        period=case.period,
        issue=case.issue,
    )
    return told, list(_wrong(case, told, requests=len(bill.asked)))


def _wrong(case: Case, told: Told, *, requests: int) -> Iterator[str]:
    words, end = told.words, _end(told)
    yield from (f"says {each!r}: {found[0]!r}" for each in case.must_not_say if (found := re.search(each, words)))
    yield from (f"never says {each!r}" for each in case.must_say if not re.search(each, words))
    if isinstance(told, Broke):
        yield f"{BROKE}: {words[:200]}"
    elif case.must_end not in (None, end, getattr(told, "name", None)):
        yield f"ends as {end}, not {case.must_end}" + (f": {words[:200]}" if end != A_REPORT else "")
    if requests > case.most_requests:
        yield f"more than {case.most_requests} requests"


def _end(told: Told) -> str:
    return A_REPORT if isinstance(told, Report) else BY_NAME if isinstance(told, Refused) else BROKE


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay the named files."""
    parser = argparse.ArgumentParser(description="Replay cases: what is a client told about this bill?")
    parser.add_argument("cases", nargs="+", type=Path, metavar="CASE")
    parser.add_argument("--show", action="store_true", help="print what was said")
    asked = parser.parse_args(arguments)
    out, codes = sys.stdout, {0}
    for line, code in _lines(asked.cases, show=asked.show):
        print(line, file=out, flush=True)
        codes.add(code)
    return max(codes)


def _lines(paths: Iterable[Path], *, show: bool) -> Iterator[tuple[str, int]]:
    with redirect_stdout(io.StringIO()), Stage() as stage:  # the functions' logs are no part of the answer
        for path in paths:
            try:
                case = read(path)
            except NoCase as wrong:
                yield _line(path, [str(wrong)]), 2
                continue
            if case is None:
                continue
            told, wrong = replayed(case, stage)
            yield _line(path, wrong) + (f"\n{told.words}" if show else ""), int(bool(wrong))


def _line(path: Path, wrong: Sequence[str]) -> str:
    return f"{'FAILS' if wrong else 'ok':5} {path.stem}" + "".join(f"\n        {each}" for each in wrong)


if __name__ == "__main__":
    sys.exit(main())
