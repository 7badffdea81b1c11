"""An account that could not be read is named wherever a total stands that it is not in."""

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal

import pikepdf
import pytest

from cost_reporting.costs import AccountRead, CostDocument
from cost_reporting.errors import leaves
from cost_reporting.report import words
from cost_reporting.report.exports import rows
from cost_reporting.report.gaps import Gap
from cost_reporting.report.renderer import Renderer
from cost_reporting.report.sections import about, accounts, budget_and_forecast, services, summary
from cost_reporting.report.sections.accounts import Accounts
from tests.builders import (
    ACCOUNT,
    a_client,
    a_cost_document,
    a_forecast,
    a_full_client,
    a_full_document,
    a_run,
    not_available,
    not_read,
    some_accounts,
)
from tests.unit.report.conftest import an_edition, plain

BERLIN = "Lager Berlin (444455556666)"
WHY = "AWS does not let us read the costs"
LOST = f"\u2020 account not read: {BERLIN} \u2013 {WHY}. No total of either period contains it."


def lacking(*accounts_not_read: object, **changes: object) -> CostDocument:
    """Costs of one account, beside which there are others that refused."""
    facts = {
        "accounts": some_accounts([(ACCOUNT, "Northwind Retail", "1020.50", "968.25")]),
        "accounts_read": (AccountRead(account_id=ACCOUNT, name="Northwind Retail"),),
        "accounts_not_read": accounts_not_read or (not_read(),),
    }
    return a_cost_document(**(facts | changes))  # type: ignore[arg-type]


def test_it_is_named_on_the_first_page_and_every_figure_there_is_marked() -> None:
    view = summary.view(an_edition(costs=lacking()))
    assert [plain(line) for line in view.caveats] == [LOST]
    assert all(figure.name.endswith("\u2020") for figure in view.figures)
    assert not any("\u2020" in figure.name for figure in summary.view(an_edition()).figures)


def test_it_stands_below_the_total_of_the_accounts_with_its_mark_and_no_amount() -> None:
    view = accounts.view(an_edition(costs=lacking()))
    assert isinstance(view, Accounts)
    assert [row.id for row in view.table.rows] == [ACCOUNT]
    assert plain(view.table.sum.name) == "Total \u2020"
    (row,) = view.unread
    assert (row.name, row.id) == ("Lager Berlin", "444455556666")
    assert row.reason == "not read: AWS does not let us read the costs"


def test_a_gap_in_the_place_of_the_accounts_names_it_as_well() -> None:
    view = accounts.view(an_edition(costs=lacking(accounts=not_available())))
    assert isinstance(view, Gap)
    assert plain(view.sentence) == f"Not available: AWS was too busy to answer. {LOST}"


def test_these_figures_are_about_named_accounts() -> None:
    facts = {entry.term: plain(entry.meaning) for entry in about.view(an_edition(costs=lacking())).facts}
    assert facts["Accounts included"] == f"Northwind Retail ({ACCOUNT})"
    assert facts["Accounts left out"] == f"{BERLIN}: AWS does not let us read the costs."
    marks = [entry.term for entry in about.view(an_edition(costs=lacking())).marks]
    assert "\u2020" in marks
    assert "Accounts included" not in {entry.term for entry in about.view(an_edition()).facts}
    assert "\u2020" not in [entry.term for entry in about.view(an_edition()).marks]


def test_every_total_of_a_table_is_marked() -> None:
    view = services.view(an_edition(costs=lacking()))
    assert plain(view.table.sum.name) == "Total \u2020"  # type: ignore[union-attr]


def test_the_mail_says_it(renderer: Renderer) -> None:
    mail = renderer.render(a_client(), lacking(), a_run()).mail
    assert LOST in mail.text
    assert "Lager Berlin" in mail.html


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR", "es_ES", "ja_JP"])
@pytest.mark.parametrize("period", ["2026-10", "2026-W42"])
def test_it_is_printed_on_the_first_page_with_the_accounts_and_at_the_end(
    period: str, locale: str, renderer: Renderer, text_of: Callable[[bytes], str]
) -> None:
    costs = a_full_document(period, accounts_not_read=(not_read(),))
    rendered = renderer.render(a_full_client(locale=locale), costs, a_run(period))
    pages = text_of(rendered.pdf).split("\f")
    first = pages[1 if costs.cadence == "monthly" else 0]
    assert "444455556666" in first
    assert "\u2020" in first
    assert first.count("444455556666") == 2, "what is to be done about it, and how far to trust the figures"
    assert "".join(pages).count("444455556666") == 4
    assert rendered.pdf == renderer.render(a_full_client(locale=locale), costs, a_run(period)).pdf


def test_twenty_lost_accounts_leave_the_summary_one_page(renderer: Renderer) -> None:
    lost = tuple(
        not_read(f"{number:012d}", f"A long name of a project in an account of its own, number {number}", error)
        for number, error in zip(
            range(20), ("ClientAccessDenied", "CostExplorerDisabled", "CostsNotReady", "New") * 5, strict=True
        )
    )
    rendered = renderer.render(a_full_client(), a_full_document(accounts_not_read=lost), a_run())
    with pikepdf.open(io.BytesIO(rendered.pdf)) as pdf, pdf.open_outline() as outline:
        pages = [pdf.pages.index(pikepdf.Page(item.destination[0])) for item in outline.root[0].children]
    assert pages[:3] == [1, 2, 3]


@pytest.mark.parametrize("error", [*leaves(), "KeyError"])
def test_no_reason_speaks_of_errors(error: str) -> None:
    (said,) = words.caveats(an_edition(costs=lacking(not_read(error=error))))
    assert error not in said
    assert "Exception" not in said


def test_an_account_without_a_known_id_goes_by_its_name() -> None:
    (said,) = words.caveats(an_edition(costs=lacking(not_read(None, "Keys\u202e <b>"))))
    assert plain(said).startswith("\u2020 account not read: Keys <b> \u2013 ")


def test_a_part_that_one_of_several_accounts_lacks_names_that_account() -> None:
    missing = not_available("CostsNotReady").model_copy(update={"accounts": ("Lager Berlin",)})
    (said,) = words.caveats(an_edition(costs=a_cost_document(forecast=missing)))
    assert said == (
        "Not available: forecast (Lager Berlin: the account has too little history for AWS to forecast its costs)."
    )


def test_the_forecast_of_several_accounts_says_how_it_was_made() -> None:
    read = tuple(AccountRead(account_id=f"{number:012d}", name=f"Account {number}") for number in (1, 2))
    view = budget_and_forecast.view(an_edition(costs=a_cost_document(forecast=a_forecast(), accounts_read=read)))
    assert view is not None
    assert view.finding.endswith("its expectations of the accounts, added up.")


def test_each_row_of_a_file_says_which_account_it_lacks() -> None:
    table = rows(lacking())
    assert {row.x_AccountsNotRead for row in table} == {BERLIN}
    assert {row.x_SourceAccountId for row in table} == {ACCOUNT}
    assert sum(row.x_ReportedCost for row in table) == Decimal("1020.50")
    read = tuple(AccountRead(account_id=f"{number:012d}", name=f"Account {number}") for number in (1, 2))
    assert {row.x_SourceAccountId for row in rows(a_cost_document(accounts_read=read))} == {""}
    assert {row.x_AccountsNotRead for row in rows(a_cost_document())} == {""}


def test_the_figures_of_the_page_are_those_without_it(renderer: Renderer, text_of: Callable[[bytes], str]) -> None:
    text = text_of(renderer.render(a_client(attachments=("csv",)), lacking(), a_run()).pdf)
    alone = text_of(renderer.render(a_client(), lacking().model_copy(update={"accounts_not_read": ()}), a_run()).pdf)
    number = re.compile(r"\d[\d,]*\.\d\d")
    assert set(number.findall(text)) == set(number.findall(alone))


def test_a_file_can_be_read_with_the_new_column(renderer: Renderer) -> None:
    (file,) = renderer.render(a_client(attachments=("csv",)), lacking(), a_run()).files
    read = list(csv.DictReader(io.StringIO(file.body.decode("utf-8-sig"))))
    assert {row["x_AccountsNotRead"] for row in read} == {BERLIN}
