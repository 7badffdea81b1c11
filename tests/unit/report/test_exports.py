"""The files beside the PDF: FOCUS's columns, the report's exact total, nothing that computes, the same bytes again."""

import csv
import io
import re
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cost_reporting.costs import CostDocument, period_total
from cost_reporting.report.exports import COLUMNS, DATASET, REST, as_csv, as_xlsx, exports, rows
from tests.builders import a_client, a_cost_document, a_run, some_accounts
from tests.unit.report.conftest import an_edition

ROOT = Path(__file__).parents[3]
NAMESPACE = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
RECORDS = {
    "AWS Tax": {"Tax": "19.00"},
    "Amazon Simple Storage Service": {"Credit": "-20.00", "Refund": "-1.00"},
    "AWS Support (Business)": {"Support": "100.00"},
    "Savings Plans": {"SavingsPlanRecurringFee": "40.00", "SavingsPlanNegation": "-55.123456789"},
}
AMOUNTS = st.decimals(min_value=-10_000, max_value=10_000, places=10, allow_nan=False, allow_infinity=False)
HOSTILE = st.text(
    alphabet=st.one_of(st.sampled_from("=+-@;,|\t\"' \n\r\u202e\uff1d<&'"), st.characters()), min_size=1, max_size=40
)


def read(body: bytes) -> list[dict[str, str]]:
    """The rows of a CSV as any reader but Excel sees them."""
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def part(book: bytes, name: str) -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        return ET.fromstring(opened.read(name))


def cells(book: bytes, sheet: int = 1) -> list[list[tuple[str, str]]]:
    """(kind, value) of every cell: kind is s for text, n for numbers, f for formulas."""
    texts = ["".join(si.itertext()) for si in part(book, "xl/sharedStrings.xml").findall("x:si", NAMESPACE)]

    def cell(element: ET.Element) -> tuple[str, str]:
        value = element.findtext("x:v", "", NAMESPACE)
        if element.find("x:f", NAMESPACE) is not None:
            return "f", value
        return ("s", texts[int(value)]) if element.get("t") == "s" else ("n", value)

    sheet_data = part(book, f"xl/worksheets/sheet{sheet}.xml").find("x:sheetData", NAMESPACE)
    assert sheet_data is not None
    return [[cell(element) for element in row] for row in sheet_data]


def documents() -> st.SearchStrategy[CostDocument]:
    services = st.dictionaries(HOSTILE, AMOUNTS, min_size=1, max_size=6)
    types = st.dictionaries(st.sampled_from(["Tax", "Credit", "Refund", "Fee", "EdpDiscount", "Novelty"]), AMOUNTS)
    return st.builds(
        lambda period, now, more: a_cost_document(period, services=now, records=more),
        st.sampled_from(["2026-10", "2026-W42"]),
        services,
        st.dictionaries(HOSTILE, types, max_size=3),
    )


def test_a_row_says_what_focus_says_of_a_charge() -> None:
    costs = a_cost_document(records=RECORDS, accounts=some_accounts([("111122223333", "shop", "1103.376543211", "1")]))
    table = read(as_csv(rows(costs)))
    (tax,) = [row for row in table if row["ServiceName"] == "AWS Tax"]
    assert tax == {
        "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00Z",
        "ChargePeriodStart": "2026-10-01T00:00:00Z",
        "ChargePeriodEnd": "2026-11-01T00:00:00Z",
        "ProviderName": "AWS",
        "ServiceName": "AWS Tax",
        "SubAccountId": "111122223333",
        "ChargeCategory": "Tax",
        "BilledCost": "19.00",
        "EffectiveCost": "19.00",
        "BillingCurrency": "USD",
        "x_RecordType": "Tax",
        "x_ReportedCost": "19.00",
        "x_ReportedMetric": "unblended",
        "x_Estimated": "false",
        "x_SourceAccountId": "111122223333",
        "x_AccountsNotRead": "",
        "x_Dataset": DATASET,
    }


def test_columns_of_our_own_come_last_and_say_so() -> None:
    own = [name.startswith("x_") for name in COLUMNS]
    assert own == sorted(own)
    assert all(re.fullmatch(r"(x_)?([A-Z][a-z]+)+", name) for name in COLUMNS)


def test_each_metric_stands_in_the_column_that_means_it() -> None:
    costs = a_cost_document(services={"S": "10"}, metric="net_unblended")
    amounts = {"unblended": "10", "amortized": "8", "net_unblended": "9", "net_amortized": "7"}
    span = costs.spans[-1]
    line = span.lines[0].model_copy(
        update={"amounts": span.lines[0].amounts.model_copy(update={k: Decimal(v) for k, v in amounts.items()})}
    )
    spans = (*costs.spans[:-1], span.model_copy(update={"lines": (line,)}))
    row, rest = rows(costs.model_copy(update={"spans": spans}))
    assert (row.BilledCost, row.EffectiveCost, row.x_ReportedCost) == (9, 7, 9)
    assert (rest.ServiceName, rest.ChargeCategory, rest.x_ReportedCost, rest.BilledCost) == (REST, "Adjustment", 1, 0)


def test_the_account_is_named_only_where_every_row_is_certainly_its_own() -> None:
    two = some_accounts([("111111111111", "a", "1000.00", "1"), ("222222222222", "b", "20.50", "1")])
    for accounts in (None, two):
        assert {row.SubAccountId for row in rows(a_cost_document(accounts=accounts))} == {""}


def test_a_week_has_a_row_for_each_day_in_the_month_that_bills_it() -> None:
    table = rows(a_cost_document("2026-W40", services={"S": "70"}))
    assert [(str(row.ChargePeriodStart), str(row.BillingPeriodStart)) for row in table][2:4] == [
        ("2026-09-30", "2026-09-01"),
        ("2026-10-01", "2026-10-01"),
    ]
    assert len(table) == 7


@given(documents())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_rows_add_up_to_the_exact_total_of_the_report(costs: CostDocument) -> None:
    table = read(as_csv(rows(costs)))
    assert sum(Decimal(row["x_ReportedCost"]) for row in table) == period_total(costs, costs.period)
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", row[name]) for row in table for name in ("BilledCost", "EffectiveCost"))


@given(documents())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_of_a_csv_begins_a_formula_wherever_a_spreadsheet_splits_it(costs: CostDocument) -> None:
    for row in read(as_csv(rows(costs))):
        for name in ("ServiceName", "x_RecordType"):
            assert not re.search(r"(^|[;,|\"])\s*[=+\-@＝＋－＠]", row[name])
            assert not re.search(r"[\t\r\n\x00-\x1f\u202e]", row[name])


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1+cmd|'/c calc'!A0", "'-1+cmd|'/c calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("  =1", "'=1"),
        ("\t=1", "'=1"),
        ("a;=1+1", "a;'=1+1"),
        ('"=1', "\"'=1"),
        ("＝1+1", "'＝1+1"),
        ("Amazon EC2 - Other", "Amazon EC2 - Other"),
        ("東京 <b>&", "東京 <b>&"),
    ],
)
def test_a_name_that_would_compute_is_text(name: str, cell: str) -> None:
    costs = a_cost_document(services={name: "1"})
    assert read(as_csv(rows(costs)))[0]["ServiceName"] == cell
    kinds = [row[COLUMNS.index("ServiceName")][0] for row in cells(as_xlsx(rows(costs), an_edition(costs=costs)))]
    assert set(kinds) == {"s"}


def test_a_csv_is_what_excel_and_everybody_else_read() -> None:
    body = as_csv(rows(a_cost_document(services={'S3, "東京"': "1"})))
    assert body.startswith(b"\xef\xbb\xbfBillingPeriodStart,")
    assert body.endswith(b"\r\n")
    assert read(body)[0]["ServiceName"] == 'S3, "東京"'


def test_a_sheet_has_numbers_dates_and_no_formula_but_its_own_check() -> None:
    costs = a_cost_document(records=RECORDS)
    book = as_xlsx(rows(costs), an_edition(costs=costs))
    titles, *table = cells(book)
    assert [value for _, value in titles] == list(COLUMNS)
    reported = [row[COLUMNS.index("x_ReportedCost")] for row in table]
    assert {kind for kind, _ in reported} == {"n"}
    exact = period_total(costs, costs.period)
    assert abs(sum(Decimal(value) for _, value in reported) - exact) < Decimal("1e-9")
    assert {row[0] for row in table} == {("n", "46296")}, "1 October 2026 as Excel counts days"
    assert "f" not in {kind for row in table for kind, _ in row}
    about = {row[0][1]: row[1] for row in cells(book, sheet=2)}
    assert about["Total of the report"][1] == "USD 1103.376543211 by the metric unblended"
    assert DATASET in about["Dataset"][1]
    assert "not a complete FOCUS dataset" in about["Dataset"][1]
    assert about["Check"] == ("f", "agrees with the report")
    assert Decimal(about["Sum of x_ReportedCost"][1]).quantize(Decimal("1e-9")) == exact


def test_a_sheet_is_dated_by_its_figures_and_loads_nothing() -> None:
    book = as_xlsx(rows(a_cost_document(services={"https://evil.example": "1"})), an_edition())
    with zipfile.ZipFile(io.BytesIO(book)) as opened:
        assert b"2026-11-10T06:12:00Z" in opened.read("docProps/core.xml")
        assert {entry.date_time[0] for entry in opened.infolist()} == {1980}
        everything = b"".join(opened.read(name) for name in opened.namelist())
    assert b"TargetMode" not in everything
    assert b"hyperlink" not in everything


def test_a_client_gets_what_it_asks_for_under_a_name_beside_the_pdf() -> None:
    assert exports(an_edition()) == ()
    files = exports(an_edition(a_client(attachments=("xlsx", "csv")), run=a_run(mode="test")))
    assert [(file.kind, file.file_name) for file in files] == [
        ("xlsx", "TEST_northwind-retail_aws-costs_2026-10_final.xlsx"),
        ("csv", "TEST_northwind-retail_aws-costs_2026-10_final.csv"),
    ]
    assert [file.body[:4] for file in files] == [b"PK\x03\x04", b"\xef\xbb\xbfB"]


def test_the_same_input_gives_the_same_bytes_in_every_process() -> None:
    script = (
        "import hashlib; from tests.builders import *; from tests.unit.report.conftest import an_edition;"
        "from cost_reporting.report.exports import exports;"
        "files = exports(an_edition(a_client(attachments=('csv', 'xlsx'))));"
        "print(hashlib.sha256(b''.join(file.body for file in files)).hexdigest())"
    )
    environment = {"PYTHONPATH": ":".join(str(ROOT / part) for part in ("src", "layers/pdf", "."))}
    hashes = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=environment | {"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(hashes) == 1


def test_five_hundred_services_are_a_matter_of_a_moment_and_little_space() -> None:
    services: dict[str, Any] = {f"Amazon Service {number} {'x' * 200}": "1.23" for number in range(500)}
    files = exports(an_edition(a_client(attachments=("csv", "xlsx")), a_cost_document(services=services)))
    assert sum(len(file.body) for file in files) < 1_000_000
