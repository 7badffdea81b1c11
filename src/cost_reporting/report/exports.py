"""The figures as files beside the PDF: CSV and XLSX with the column names of FOCUS 1.2, aggregated.

FOCUS (the FinOps Foundation's Open Cost and Usage Specification) describes charges one by one. Cost Explorer answers
with sums, so a row here is a sum: one service, one record type, one month (weekly reports: one day). The files call
themselves "FOCUS-aligned, aggregated" and nothing more. Columns of our own begin with ``x_``, as FOCUS asks.

``record_types`` says which record type is which ChargeCategory. ``x_ReportedCost`` is the report's own metric and adds
up to the report's exact total; a rest by which Cost Explorer's two views differ (at most 0.01) has a row of its own
rather than a service's name."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from cost_reporting.clients import Attachment
from cost_reporting.contracts import Fact, Period
from cost_reporting.costs import CostDocument, RecordLine, Split, account_ids, holds, period_total
from cost_reporting.money import total
from cost_reporting.periods import month_of
from cost_reporting.record_types import ChargeCategory, charge_category_of
from cost_reporting.report.edition import Edition, one_line
from cost_reporting.report.naming import CONTENT_TYPES, file_name

DATASET: Final = "FOCUS-aligned, aggregated"
REST: Final = "Rounding between two views"
NOT_FILLED: Final = "Part of a day that is not filled yet"

_FORMULA: Final = re.compile(r"(^|[;,|\"'])(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""Where a spreadsheet could begin to compute: at the start, or after what it may take for the end of a cell."""
_CELL: Final = 32_767
"""Characters that a cell of Excel holds."""
_DATES: Final = 'yyyy-mm-dd"T"hh:mm:ss"Z"'
_AMOUNTS: Final = "#,##0.00########"


class File(Fact):
    """A file to be stored beside the PDF as ``costs.<kind>``, and attached as ``file_name``."""

    kind: Attachment
    file_name: str
    body: bytes

    @property
    def content_type(self) -> str:
        """Its media type."""
        return CONTENT_TYPES[self.kind]


@dataclass(frozen=True)
class Row:
    """A row of the dataset. The names of its fields are the titles of the columns."""

    BillingPeriodStart: date
    BillingPeriodEnd: date
    ChargePeriodStart: date
    ChargePeriodEnd: date
    ProviderName: str
    ServiceName: str
    SubAccountId: str
    ChargeCategory: ChargeCategory
    BilledCost: Decimal
    EffectiveCost: Decimal
    BillingCurrency: str
    x_RecordType: str  # noqa: N815 - so FOCUS wants a column that is not its own
    x_ReportedCost: Decimal  # noqa: N815
    x_ReportedMetric: str  # noqa: N815
    x_Estimated: str  # noqa: N815
    x_SourceAccountId: str  # noqa: N815
    x_AccountsNotRead: str  # noqa: N815
    x_Dataset: str  # noqa: N815


COLUMNS: Final = tuple(field.name for field in fields(Row))


def exports(edition: Edition) -> tuple[File, ...]:
    """The files that the client wants, in the order in which its record names them. Same input, same bytes."""
    wanted = dict.fromkeys(edition.client.attachments)
    table = rows(edition.costs) if wanted else ()
    return tuple(
        File(
            kind=kind,
            file_name=file_name(
                edition.client.client_id,
                edition.run,
                kind,
                estimated=edition.costs.estimated,
                incomplete=edition.is_incomplete,
            ),
            body=as_csv(table) if kind == "csv" else as_xlsx(table, edition),
        )
        for kind in wanted
    )


def rows(costs: CostDocument) -> tuple[Row, ...]:
    """The period's charges: ``x_ReportedCost`` adds up to the report's exact total."""
    account, source = _only_account(costs), account_ids(costs)
    lacking = "; ".join(_lacking(costs))

    def row(
        of: Period,
        category: ChargeCategory,
        estimated: bool,
        line: RecordLine | None,
        reported: Decimal,
        rest: str = REST,
    ) -> Row:
        zero = Decimal(0)
        bill = month_of(of.start)
        return Row(
            BillingPeriodStart=bill.start,
            BillingPeriodEnd=bill.end,
            ChargePeriodStart=of.start,
            ChargePeriodEnd=of.end,
            ProviderName="AWS",
            ServiceName=one_line(line.service) if line else rest,
            SubAccountId=account,
            ChargeCategory=category,
            BilledCost=line.amounts.net_unblended if line else zero,
            EffectiveCost=line.amounts.net_amortized if line else zero,
            BillingCurrency=costs.currency,
            x_RecordType=one_line(line.record_type) if line else rest,
            x_ReportedCost=reported,
            x_ReportedMetric=costs.metric,
            x_Estimated="true" if estimated else "false",
            x_SourceAccountId=next(iter(source)) if len(source) == 1 else "",
            x_AccountsNotRead=lacking,
            x_Dataset=DATASET,
        )

    table = [
        row(span.period, charge_category_of(line.record_type), span.estimated, line, line.amounts.by(costs.metric))
        for span in sorted(costs.spans, key=lambda span: span.period.start)
        if costs.period.start <= span.period.start and span.period.end <= costs.period.end
        for line in sorted(span.lines, key=lambda line: (line.service, line.record_type))
    ]
    for day in costs.days_partly_filled if costs.cadence == "monthly" else ():
        if holds(costs.period, day.day) and (part := total(line.amount for line in day.lines)):
            of = Period(start=day.day, end=day.day + timedelta(days=1))
            table.append(row(of, "Adjustment", True, None, -part, NOT_FILLED))
    rest = period_total(costs, costs.period) - total(each.x_ReportedCost for each in table)
    if rest:
        table.append(row(costs.period, "Adjustment", costs.estimated, None, rest))
    return tuple(table)


def as_csv(table: tuple[Row, ...]) -> bytes:
    """UTF-8 with a byte order mark, which Excel needs and pandas skips; CRLF and quotes by RFC 4180.

    Text that a spreadsheet could take for a formula gets an apostrophe in front, the way that OWASP describes; numbers
    stay numbers, exact and without an exponent.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in table:
        writer.writerow([_cell(value) for value in astuple(row)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def as_xlsx(table: tuple[Row, ...], edition: Edition) -> bytes:
    """A sheet of the rows and a sheet that says what they are, dated by the figures.

    Cells are binary numbers, as Excel's are, so a sum may be off in its 16th digit; the CSV is exact.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415 - a tenth of a second, for the few who want a sheet

    body = io.BytesIO()
    book = Workbook(
        body,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    costs = edition.costs
    book.set_properties(
        {"title": edition.title, "comments": DATASET, "created": costs.fetched_at.astimezone(UTC).replace(tzinfo=None)}
    )
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    formats = {date: book.add_format({"num_format": _DATES}), Decimal: book.add_format({"num_format": _AMOUNTS})}
    sheet = book.add_worksheet("Costs")
    for column, title in enumerate(COLUMNS):
        sheet.write_string(0, column, title, bold)
    for number, row in enumerate(table, start=1):
        for column, value in enumerate(astuple(row)):
            _write(sheet, number, column, value, formats)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(table), 1), len(COLUMNS) - 1)
    sheet.set_column(0, len(COLUMNS) - 1, 22)
    about = book.add_worksheet("About")
    about.set_column(0, 0, 28, bold)
    about.set_column(1, 1, 100)
    notes = _notes(edition)
    for number, (label, note) in enumerate(notes):
        about.write_string(number, 0, label)
        about.write_string(number, 1, note, wrapped)
    reported = COLUMNS.index("x_ReportedCost")
    cells = f"Costs!${_letter(reported)}$2:${_letter(reported)}${len(table) + 1}"
    exact, tolerance = _exact(edition.total), "0.005"
    about.write_string(len(notes), 0, "Sum of x_ReportedCost")
    about.write_formula(len(notes), 1, f"=SUM({cells})", formats[Decimal], float(edition.total))
    about.write_string(len(notes) + 1, 0, "Check")
    check = f'=IF(ABS(SUM({cells})-({exact}))<{tolerance},"agrees with the report","differs from the report")'
    about.write_formula(len(notes) + 1, 1, check, wrapped, "agrees with the report")
    book.close()
    return body.getvalue()


def _notes(edition: Edition) -> list[tuple[str, str]]:
    costs = edition.costs
    each = "one calendar month" if costs.cadence == "monthly" else "one UTC day"
    return [
        ("Dataset", f"{DATASET}. Column names follow FOCUS 1.2; this is not a complete FOCUS dataset."),
        ("Client", edition.client_name),
        ("Report", edition.number),
        ("Period", f"{costs.period.start} to {costs.period.end}, UTC, the end not included"),
        ("Fetched", f"{costs.fetched_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, from Cost Explorer"),
        ("Issue", _issue(costs)),
        ("Total of the report", f"{costs.currency} {_exact(edition.total)} by the metric {costs.metric}"),
        ("A row", f"is a sum: one service, one record type, {each}. FOCUS has one row for each charge."),
        ("BilledCost", "Cost Explorer's NetUnblendedCost: what the invoice is made of, discounts applied."),
        ("EffectiveCost", "Cost Explorer's NetAmortizedCost: the same with upfront and recurring fees spread."),
        ("x_ReportedCost", "The metric of the report; its sum is the total of the report."),
        (
            "ChargeCategory",
            (
                "From AWS's record type, in x_RecordType. Refunds, discounts that are lines of their own, and record "
                "types that are not known are Adjustment."
            ),
        ),
        (
            "SubAccountId",
            (
                "Only where all costs are of one account: Cost Explorer was not asked for accounts within a row. "
                "x_SourceAccountId is the account whose Cost Explorer answered, if it is one."
            ),
        ),
        ("Accounts read", "; ".join(_read(costs))),
        ("Accounts not read", "; ".join(_lacking(costs)) or "None. Of such an account there is nothing in any row."),
        ("Left out", "Resources, SKUs, prices, quantities, invoices and the billing account: Cost Explorer sums them."),
        ("Days not filled", ", ".join(str(day) for day in costs.absent) or "None. Such a day is in no total."),
        ("Period before", _before(costs)),
        (REST, "A rest of at most 0.01 between Cost Explorer's answers by day and by record type, if there is one."),
    ]


def _issue(costs: CostDocument) -> str:
    """What the file says of itself, in the report's words."""
    estimated = sum(day.estimated for day in costs.days if costs.period.start <= day.day < costs.period.end)
    said = "final" if costs.closed else "preliminary"
    if costs.closed and estimated:
        said = f"final date reached; AWS still marks {estimated} days as estimated"
    return (
        f"{said}; INCOMPLETE, see the accounts not read and the days not filled"
        if (costs.total_is_incomplete)
        else said
    )


def _before(costs: CostDocument) -> str:
    """What the total is compared with, or why it is not."""
    if costs.not_comparable is not None:
        return "Not known in full, so the report compares nothing with it."
    return f"{costs.compared.start} to {costs.compared.end}, the end not included"


def _only_account(costs: CostDocument) -> str:
    if not isinstance(costs.accounts, Split):
        return ""
    accounts = {line.key for line in costs.accounts.current}
    return accounts.pop() if len(accounts) == 1 else ""


def _read(costs: CostDocument) -> Iterator[str]:
    for account in costs.accounts_read:
        yield f"{one_line(account.name)} ({account.account_id})"
    if not costs.accounts_read:
        yield costs.account_id


def _lacking(costs: CostDocument) -> Iterator[str]:
    """The accounts that no row has anything of."""
    for account in costs.accounts_not_read:
        yield f"{one_line(account.name)} ({account.account_id or 'id unknown'})"


def _exact(amount: Decimal) -> str:
    """Every digit that says something, and at least the cents."""
    whole, _, fraction = f"{amount:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


def _cell(value: object) -> str:
    match value:
        case Decimal():
            return f"{value:f}"
        case date():
            return f"{value}T00:00:00Z"
        case _:
            return _FORMULA.sub(r"\1\2'", str(value))


def _write(sheet: Any, number: int, column: int, value: object, formats: dict[type, Any]) -> None:
    match value:
        case Decimal():
            sheet.write_number(number, column, float(value), formats[Decimal])
        case date():
            sheet.write_datetime(number, column, datetime(value.year, value.month, value.day), formats[date])  # noqa: DTZ001
        case _:
            sheet.write_string(number, column, str(value)[:_CELL])


def _letter(column: int) -> str:
    return chr(ord("A") + column)
