"""How final and how complete a report is, wherever it says so: badge, headline, tiles, decisions, subject, files."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cost_reporting.contracts import Period
from cost_reporting.costs import CostDocument, Line, Restated
from cost_reporting.report import headline, state, words
from cost_reporting.report.decisions import decisions
from cost_reporting.report.edition import Edition
from cost_reporting.report.exports import exports
from cost_reporting.report.mail import subject
from cost_reporting.report.renderer import Renderer
from cost_reporting.report.sections import budget_and_forecast, cover, summary
from cost_reporting.report.sections.summary import Figure
from tests.builders import a_client, a_cost_document, a_forecast, a_run, not_available, not_read
from tests.unit.report.conftest import an_edition, explained, plain

OCTOBER = [date(2026, 10, day) for day in range(1, 32)]
LAGER = not_read("210000000013", "Lager Gdańsk")


def estimated(days: int = 31, **changes: Any) -> CostDocument:
    return a_cost_document(estimated=OCTOBER[-days:], **changes)


def lacking_the_last(days: int, **changes: Any) -> CostDocument:
    """Costs of a month whose last days Cost Explorer has not filled."""
    costs = a_cost_document(services={"A": "310"}, previous={"A": "300"}, estimated=OCTOBER, issue="preliminary")
    absent, ten = tuple(OCTOBER[-days:]), (Line(key="A", amount=Decimal(10)),)
    known = tuple(day.model_copy(update={"lines": ten}) for day in costs.days if day.day not in absent)
    return costs.model_copy(update={"days": known, "days_not_filled": absent} | changes)


def tile(edition: Edition, name: str) -> Figure:
    (found,) = (figure for figure in summary.view(edition).figures if figure.name.startswith(name))
    return found


# -- final -------------------------------------------------------------------------------------------------------------


def test_a_final_date_on_which_aws_still_estimates_is_not_called_final() -> None:
    edition = an_edition(costs=estimated())
    assert state.badge(edition) == "Final date reached; AWS still marks 31 days as estimated"
    assert not subject(edition).endswith("\u2013 final")
    assert subject(edition).endswith("\u2013 final date reached, still estimated")
    page = cover.view(edition)
    assert page is not None
    assert (page.badge, page.is_settled) == (state.badge(edition), False)


def test_the_files_of_such_a_report_say_so_as_well(renderer: Renderer) -> None:
    rendered = renderer.render(a_client(attachments=("csv", "xlsx")), estimated(2), a_run())
    assert rendered.file_name == "northwind-retail_aws-costs_2026-10_final-estimated.pdf"
    assert rendered.file_name in rendered.mail.text
    assert [file.file_name.partition("_2026-10_")[2] for file in rendered.files] == [
        "final-estimated.csv",
        "final-estimated.xlsx",
    ]
    assert "final date reached; AWS still marks 2 days as estimated" in sheet(rendered.files[1].body)


def sheet(body: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(body)).read("xl/sharedStrings.xml").decode()


def test_the_number_of_the_report_and_its_keys_follow_the_calendar_alone() -> None:
    assert an_edition(costs=estimated()).number == an_edition().number == "NORTHWIND-RETAIL-2026-10-F"


def test_a_final_without_estimated_days_is_final() -> None:
    assert state.badge(an_edition()) == "Final"
    assert subject(an_edition()).endswith("\u2013 final")
    assert an_edition().is_settled


def test_a_preliminary_report_is_preliminary_whatever_is_estimated(renderer: Renderer) -> None:
    run = a_run(issue="preliminary")
    for costs in (a_cost_document(issue="preliminary"), estimated(issue="preliminary")):
        edition = an_edition(costs=costs, run=run)
        assert state.badge(edition) == "Preliminary"
        assert subject(edition).endswith("\u2013 preliminary")
    assert renderer.render(a_client(), costs, run).file_name.endswith("_preliminary.pdf")


# -- incomplete --------------------------------------------------------------------------------------------------------


def incomplete(**changes: Any) -> Edition:
    client = a_client(monthly_budget=changes.pop("budget", None), attachments=("csv", "xlsx"))
    return an_edition(client, a_cost_document(**({"accounts_not_read": (LAGER,)} | changes)))


def test_an_incomplete_total_is_called_incomplete_wherever_it_stands(renderer: Renderer) -> None:
    edition = incomplete()
    assert state.badge(edition) == "Final, incomplete: without Lager Gdańsk"
    assert subject(edition).endswith("\u2013 final, incomplete: without Lager Gdańsk")
    assert plain(headline.headline(edition)).startswith(
        "You spent USD 1,020.50 (incomplete: without Lager Gdańsk) in October 2026, up 5.4 %"
    )
    assert tile(edition, "Net total").note == "incomplete: without Lager Gdańsk"
    rendered = renderer.render(edition.client, edition.costs, edition.run)
    assert rendered.file_name.endswith("_final-incomplete.pdf")
    assert all("_final-incomplete." in file.file_name for file in rendered.files)
    assert "final; INCOMPLETE" in sheet(rendered.files[1].body)
    for words_of_mail in (rendered.mail.text, rendered.mail.html):
        assert words_of_mail.count("incomplete: without Lager Gdańsk") == 2
        assert "Give us access to Lager Gdańsk (210000000013) again" in words_of_mail


def test_the_access_that_is_missing_is_the_first_decision() -> None:
    said = decisions(incomplete(budget="1000.00"))
    assert said[0] == (
        "Give us access to Lager Gdańsk (210000000013) again: without this account, every total is incomplete."
    )
    assert "over its budget" in said[1]


def test_an_account_that_its_client_cannot_open_asks_for_no_decision() -> None:
    assert decisions(incomplete(accounts_not_read=(not_read(error="CostsNotReady"),))) == ()
    (said,) = decisions(incomplete(accounts_not_read=(not_read(error="CostExplorerDisabled"),)))
    assert said.startswith("Switch on Cost Explorer in Lager Berlin")
    (said,) = decisions(incomplete(accounts_not_read=(not_read(error="PayerDeniesAccess"),)))
    assert said.startswith("Let Lager Berlin (444455556666) use Cost Explorer, in the management account")


def test_many_missing_accounts_are_counted() -> None:
    many = tuple(not_read(f"{number:012d}", f"Account {number}") for number in range(5))
    edition = incomplete(accounts_not_read=many)
    assert state.badge(edition) == "Final, incomplete: without 5 accounts"
    assert decisions(edition)[0].startswith("Give us access to Account 0, Account 1, Account 2 and 2 other accounts")


@pytest.mark.parametrize(
    ("budget", "note", "sentence"),
    [
        (
            "1500.00",
            "at least USD 1,020.50 is used; the total is incomplete",
            "October 2026 used at least USD 1,020.50 of its budget of USD 1,500.00; the total is incomplete.",
        ),
        (
            "1000.00",
            "USD 20.50 too much at least; the total is incomplete",
            "October 2026 is at least USD 20.50 over its budget of USD 1,000.00; the total is incomplete.",
        ),
    ],
)
def test_an_incomplete_total_has_no_percentage_of_the_budget_and_nothing_left(
    budget: str, note: str, sentence: str
) -> None:
    edition = incomplete(budget=budget, forecast=a_forecast())
    figure = tile(edition, "Budget")
    assert (plain(figure.value), plain(figure.note)) == (budget.removesuffix(".00").replace("1", "1,", 1), note)
    view = budget_and_forecast.view(edition)
    assert view is not None
    assert plain(view.finding).startswith(sentence)
    assert not [said for said in (view.finding, figure.note, figure.name) if "left" in said or "%" in said]
    assert {line.left for line in view.lines} == {line.used for line in view.lines} == {"\u2013"}


def test_a_final_that_is_estimated_and_incomplete_says_both() -> None:
    assert state.badge(an_edition(costs=estimated(3, accounts_not_read=(LAGER,)))) == (
        "Final date reached, incomplete: without Lager Gdańsk; AWS still marks 3 days as estimated"
    )


def test_a_row_of_the_csv_names_the_account_that_is_missing() -> None:
    (file, _) = exports(incomplete())
    rows = list(csv.DictReader(io.StringIO(file.body.decode("utf-8-sig"))))
    assert {row["x_AccountsNotRead"] for row in rows} == {"Lager Gdańsk (210000000013)"}


# -- days that are not there yet ---------------------------------------------------------------------------------------


def test_days_that_are_not_there_yet_are_named_and_the_same_days_are_compared() -> None:
    edition = an_edition(costs=lacking_the_last(1), run=a_run(issue="preliminary"))
    assert plain(headline.headline(edition)) == (
        "You spent USD 300.00 from October 1 to 30, 2026, the same as on the same days of September. Not there yet: "
        "Oct 31."
    )
    assert plain(state.badge(edition)) == "Preliminary, incomplete: without Oct 31"
    assert subject(edition) == (
        "[Northwind Retail] AWS costs, October 2026: USD 300.00 \u2013 incomplete: without Oct 31"
    )
    assert (tile(edition, "Change").value, tile(edition, "Net total").note) == (
        "0\u00a0%",
        "incomplete: without Oct\u00a031",
    )


def test_fewer_days_are_compared_with_as_many_days_of_the_month_before() -> None:
    edition = an_edition(costs=lacking_the_last(3), run=a_run(issue="preliminary"))
    assert edition.days_there == Period(start=date(2026, 10, 1), end=date(2026, 10, 29))
    assert edition.previous_total == Decimal(280)
    assert "from October 1 to 28, 2026" in plain(headline.headline(edition))
    assert "Not there yet: Oct 29 to Oct 31." in plain(headline.headline(edition))


def test_a_day_that_is_missing_in_the_middle_makes_the_total_incomplete() -> None:
    costs = a_cost_document()
    costs = costs.model_copy(update={"days": tuple(day for day in costs.days if day.day != date(2026, 10, 5))})
    edition = an_edition(costs=costs)
    said = f"You spent {edition.figures.money(edition.total, 'USD')} (incomplete: without Oct 5) in October 2026"
    assert plain(headline.headline(edition)).startswith(plain(said))


def test_no_reasons_are_given_while_days_are_not_there() -> None:
    edition = explained(an_edition(costs=lacking_the_last(1)), basis="not_there_yet")
    assert words.reasons_title(edition) == "What is known so far"
    (line,) = words.reasons(edition)
    assert plain(line.sentence) == (
        "A day came to USD 10.00 on average, against USD 10.00 on the same days of September."
    )


# -- the month before --------------------------------------------------------------------------------------------------


def test_a_month_before_that_is_not_known_in_full_is_not_compared() -> None:
    edition = an_edition(costs=a_cost_document(not_comparable=not_available("CostsDoNotReconcile")))
    explained(edition, basis="previous_not_known")
    assert plain(headline.headline(edition)) == (
        "You spent USD 1,020.50 in October 2026; nothing is compared, since the figures in September are not known in "
        "full."
    )
    assert "%" not in subject(edition)
    assert tile(edition, "Change").note == "the period before is not known in full"
    assert tile(edition, "Previous period").note == "not known in full"


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ("968.25", "968.25", None),
        ("950.00", "968.25", "USD 968.25, USD 18.25 more than the USD 950.00 there."),
        ("1000.00", "968.25", "USD 968.25, USD 31.75 less than the USD 1,000.00 there."),
    ],
)
def test_what_aws_has_changed_since_the_last_report_is_said(then: str, now: str, said: str | None) -> None:
    told = Restated(then=Decimal(then), now=Decimal(now), fetched_at=datetime(2026, 10, 8, 6, tzinfo=UTC))
    first = plain(words.caveats(an_edition(costs=a_cost_document(restated=told)))[0])
    expected = f"AWS has restated September 2026 since its report of October 8, 2026: {said}"
    assert first == (expected if said else "Nothing is estimated, and nothing is missing.")


@pytest.mark.parametrize(
    ("value", "length"),
    [("328,732", ""), ("-328,732", ""), ("1,328,732", "long"), ("124,000,459", "long"), ("1,240,004,589", "longest")],
)
def test_a_long_figure_is_printed_smaller_so_that_it_stays_in_its_place(value: str, length: str) -> None:
    assert Figure(name="Net total", unit="USD", value=value, note="").length == length
