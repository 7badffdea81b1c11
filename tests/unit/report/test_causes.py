"""Each cause is one whole sentence beside its amount, and says no more than is known."""

import ast
import inspect
import re
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import pytest

from cost_reporting.domain.causes import Cause, Headline, Kind, Part
from cost_reporting.report import causes, headline, words
from cost_reporting.report.edition import Edition
from cost_reporting.report.mail import subject
from cost_reporting.report.renderer import Renderer
from cost_reporting.report.sections import summary
from tests.builders import a_client, a_cost_document, a_run, an_anomaly, not_read, some_accounts
from tests.unit.report.conftest import a_cause, added, an_edition, explained, number, plain

LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "ja_JP")
EC2 = "Amazon Elastic Compute Cloud - Compute"


def parts(**amounts: str) -> tuple[Part, ...]:
    return tuple(Part(name=name.replace("_", " "), amount=Decimal(amount)) for name, amount in amounts.items())


def money(**amounts: str) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in amounts.items()}


INCIDENT = an_anomaly(date(2026, 10, 17), account_id=None)
BEFORE = an_anomaly(date(2026, 9, 12), account_id=None)
OVER_THE_END = an_anomaly(date(2026, 10, 28), last_day=date(2026, 11, 3), account_id=None, usage_type=None)

SENTENCES: list[tuple[Cause, str]] = [
    (
        a_cause("incident", "126.85", anomaly=INCIDENT, over=True),
        "Incident: EC2 - Other (SAE1-NatGateway-Bytes, sa-east-1), Oct 17 to Oct 18, over.",
    ),
    (
        a_cause("incident", "5400", anomaly=OVER_THE_END, over=None),
        (
            "Incident: EC2 - Other (sa-east-1), Oct 28 to Nov 3, whether it goes on is not known; the amount is its "
            "part in this period."
        ),
    ),
    (
        a_cause("incident", "-3468.78", anomaly=INCIDENT, over=False, **money(now="4608.36", before="8077.14")),
        (
            "Incident: EC2 - Other (SAE1-NatGateway-Bytes, sa-east-1), Oct 17 to Oct 18, still going on; 4,608.36 of "
            "it in this period, 8,077.14 in the one before."
        ),
    ),
    (
        a_cause("incident_before", "-120", anomaly=BEFORE, over=True),
        "Incident in September, not in this period: EC2 - Other (SAE1-NatGateway-Bytes, sa-east-1), Sep 12 to Sep 13.",
    ),
    (
        a_cause("calendar", "9524.49", days=1, working_days=0),
        "1 day more, on a weekend, at the daily rate of the month before, without monthly fees.",
    ),
    (
        a_cause("calendar", "-90", days=-3),
        "3 days fewer, at the daily rate of the month before, without monthly fees.",
    ),
    (
        a_cause("calendar", "90", days=3, working_days=2),
        "3 days more (working days: +2), at the daily rate of the month before, without monthly fees.",
    ),
    (a_cause("calendar", "-7", days=0, working_days=-2), "2 working days fewer, as many days."),
    (
        a_cause("once_a_month", "18843.06", parts=parts(tax="15819.06", reservations="3024.00")),
        "Charged once a month, on the 1st, in this week: tax 15,819.06, reservation fees 3,024.00.",
    ),
    (
        a_cause("once_a_month", "-437", parts=parts(support="-412.00", Amazon_Route_53="-25.00")),
        "Charged once a month, on the 1st, in the week before: AWS Support 412.00, Amazon Route 53 25.00.",
    ),
    (
        a_cause(
            "not_billed_yet",
            "-412",
            **money(now="0", before="412"),
            parts=(Part(name="AWS Support (Business)", amount=Decimal(-412)),),
        ),
        "Not billed yet: AWS Support (Business); in September it was 412.00.",
    ),
    (a_cause("refunds", "-2750", **money(now="-2750", before="0")), "A refund of 2,750.00; none in September."),
    (
        a_cause("refunds", "4042.50", **money(now="0", before="-4042.50")),
        "No refund now; in September there was one of 4,042.50.",
    ),
    (a_cause("refunds", "5", **money(now="-2", before="-7")), "Refunds: 2.00, after 7.00 in September."),
    (
        a_cause("credits", "51.40", **money(now="-57.20", before="-108.60")),
        "Fewer credits: 57.20, after 108.60 in September.",
    ),
    (
        a_cause("credits", "-505.51", **money(now="-825.43", before="-319.92")),
        "More credits: 825.43, after 319.92 in September.",
    ),
    (
        a_cause("credits", "108.60", **money(now="0", before="-108.60")),
        "No credits any more; in September they were 108.60.",
    ),
    (a_cause("credits", "-4890", **money(now="-4890", before="0")), "Credits of 4,890.00; none in September."),
    (
        a_cause("credits", "-10", **money(now="-110", before="-100", rate="0.5", rate_before="0.5")),
        "Credits paid the same part of the usage (50 %), so also of its change.",
    ),
    (
        a_cause("discounts", "-80", rate=Decimal("0.06"), rate_before=Decimal("0.045")),
        "Agreed discount: 6.0 % of usage, after 4.5 % in September.",
    ),
    (
        a_cause("tax", "1395.40", **money(now="15819.06", before="14423.66")),
        "Tax: 15,819.06, after 14,423.66 in September.",
    ),
    (a_cause("support", "412", **money(now="412", before="0")), "AWS Support: 412.00; nothing in September."),
    (
        a_cause("reservations", "-1820.40", **money(now="0", before="1820.40")),
        "Reservation fees: nothing now; 1,820.40 in September.",
    ),
    (
        a_cause(
            "other", "99", **money(now="99", before="0"), parts=(Part(name="FlatRateSubscription", amount=Decimal(99)),)
        ),
        "FlatRateSubscription: 99.00; nothing in September.",
    ),
    (
        a_cause("fees", "2026.13", parts=parts(tax="1395.40", support="529.93", reservations="100.80")),
        "Tax, support and other fees: tax +1,395.40, AWS Support +529.93, reservation fees +100.80.",
    ),
    (a_cause("purchase", "9000", **money(now="9000", before="0")), "Bought once: 9,000.00; nothing in September."),
    (
        a_cause("purchase", "-9000", **money(now="0", before="9000")),
        "Nothing bought once; in September it was 9,000.00.",
    ),
    (
        a_cause("plans", "-200", **money(now="-11339.33", before="-11139.33")),
        "Savings Plans saved 11,339.33, after 11,139.33 in September, at equal days.",
    ),
    (
        a_cause("new_plan", "-300", parts=parts(SavingsPlanRecurringFee="700", SavingsPlanNegation="-1000")),
        "A new Savings Plan: fee 700.00, less what it covers at on-demand prices.",
    ),
    (
        a_cause("reserved", "-880", service="Amazon RDS", parts=parts(reservations="1600", usage="-2480")),
        "Amazon RDS: the same hours, now paid by reservations: reservation fees +1,600.00, usage \u22122,480.00.",
    ),
    (a_cause("new", "30", service="Amazon Bedrock"), "Amazon Bedrock is new."),
    (
        a_cause("again", "3735.50", service=EC2, month=date(2026, 8, 1)),
        f"{EC2} is in use again (last in August 2026).",
    ),
    (a_cause("again", "12", service=EC2), f"{EC2}: nothing in September."),
    (
        a_cause("ended", "-12", service="AWS Glue", **money(now="0", before="12")),
        "AWS Glue: 12.00 in September, nothing now.",
    ),
    (
        a_cause("begun", "12", service="AWS Glue", day=date(2026, 9, 20)),
        "AWS Glue began on September 20, 2026, so this is its first whole period.",
    ),
    (
        a_cause("costs_began", "12", day=date(2026, 9, 20)),
        "Costs began on September 20, 2026, so this is the first whole period.",
    ),
    (a_cause("service", "3341.23", service="Amazon RDS"), "Amazon RDS rose."),
    (a_cause("service", "-610", service="EC2 - Other", otherwise=True), "EC2 - Other otherwise fell."),
    (
        a_cause("service", "-610", service="EC2 - Other", day=date(2026, 10, 9)),
        "EC2 - Other fell; nothing after Oct 9.",
    ),
    (a_cause("else", "2671.39", services=42), "Everything else (42 services)."),
    (a_cause("else", "0.02"), "Everything else."),
    (
        a_cause("else", "200", services=3, **money(up="5100", down="-4900")),
        "Everything else (3 services): 5,100.00 up, 4,900.00 down.",
    ),
]


@pytest.mark.parametrize(
    ("cause", "said"), SENTENCES, ids=[f"{n}-{cause.kind}" for n, (cause, _) in enumerate(SENTENCES)]
)
def test_each_cause_is_a_whole_sentence(cause: Cause, said: str) -> None:
    assert plain(causes.sentence(an_edition(), cause)) == said


def test_every_kind_of_cause_has_been_tried() -> None:
    assert {cause.kind for cause, _ in SENTENCES} == set(get_args(Kind))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("period", ["2026-10", "2026-W42"])
def test_every_cause_speaks_every_language(period: str, locale: str) -> None:
    edition = an_edition(a_client(locale=locale), a_cost_document(period))
    english = an_edition(costs=a_cost_document(period))
    for cause, _ in SENTENCES:
        said, label = causes.sentence(edition, cause), causes.label(edition, cause)
        assert said.endswith("." if locale != "ja_JP" else "。")
        assert label
        assert not {"{", "}"} & {*said, *label}
        assert locale == "en_US" or said != causes.sentence(english, cause)


def test_a_cause_with_the_least_that_it_can_say_is_a_sentence_too() -> None:
    for kind in get_args(Kind):
        for amount in ("1", "-1", "0"):
            assert causes.sentence(an_edition(), a_cause(kind, amount)).endswith(".")


def test_no_sentence_claims_what_only_aws_knows() -> None:
    texts = [
        node.value
        for module in (causes, words, headline)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "{" in node.value
    ]
    assert len(texts) > 60
    assert not [text for text in texts if any(claim in text.lower() for claim in ("because", "caused by", "due to"))]


@pytest.mark.parametrize("kind", ["new", "again"])
def test_nothing_is_new_in_a_week(kind: Kind) -> None:
    edition = an_edition(costs=a_cost_document("2026-W42"))
    assert (
        causes.sentence(edition, a_cause(kind, "30", service="Amazon Bedrock"))
        == "Amazon Bedrock: nothing in the week before."
    )


def test_an_account_is_called_by_its_name() -> None:
    accounts = some_accounts([("210000000001", "catalogue-dev", "1020.50", "968.25")])
    found = a_cause("incident", "5", anomaly=an_anomaly(account_id="210000000001", usage_type=None), over=True)
    assert "(catalogue-dev, sa-east-1)" in causes.sentence(an_edition(costs=a_cost_document(accounts=accounts)), found)


def test_an_incident_is_about_so_much_where_the_report_is_amortised() -> None:
    edition = an_edition(costs=a_cost_document(metric="amortized"))
    said = causes.sentence(edition, a_cause("incident", "126.85", anomaly=INCIDENT, over=True))
    assert said.endswith("Amounts of incidents are approximate here: AWS gives them as unblended cost.")


def listed() -> Edition:
    amounts = ("12685.50", "9524.49", "-5895.40", "3341.23", "2026.13", "-827.33", "2671.39")
    return explained(an_edition(), *(a_cause("service", amount, service=f"S{n}") for n, amount in enumerate(amounts)))


def test_the_list_has_its_signs_beside_the_words_and_adds_up_to_its_last_line() -> None:
    *lines, last = causes.reasons(listed())
    assert last.is_sum
    assert added(line.amount for line in lines) == number(last.amount) == Decimal("23526.01")
    assert (plain(lines[2].amount), lines[2].sentence) == ("\u22125,895.40", "S2 fell.")


def test_a_mail_has_the_first_three_and_the_sum_of_the_others() -> None:
    *lines, last = causes.reasons_of_a_mail(listed())
    assert [line.sentence for line in lines] == ["S0 rose.", "S1 rose.", "S2 fell.", "4 other changes."]
    assert added(line.amount for line in lines) == number(last.amount) == Decimal("23526.01")


def test_four_causes_are_named_in_a_mail_rather_than_three_and_one_other() -> None:
    edition = explained(an_edition(), *(a_cause("service", "1", service=f"S{n}") for n in range(4)))
    assert causes.reasons_of_a_mail(edition) == causes.reasons(edition)


def test_the_mail_and_the_first_page_show_the_same_causes(renderer: Renderer) -> None:
    edition = listed()
    view = summary.view(edition)
    assert view.has_amounts
    assert view.reasons == causes.reasons(edition)
    assert view.reasons_title == "Why it changed, in USD"
    mail = renderer.render(a_client(), a_cost_document(), a_run()).mail
    assert re.search(r"Why it changed, in USD\n(.{6}  .*\.\n)+\+52\.25  Change in all\n", mail.text)
    assert "Change in all" in mail.html


@pytest.mark.parametrize(
    ("basis", "title", "said"),
    [
        (
            "previous_not_known",
            "What it was spent on",
            "The figures in September are not known in full, so nothing is compared.",
        ),
        (
            "not_known",
            "What is known so far",
            "The figures in October 2026 are not known in full, so nothing is explained.",
        ),
        ("change", "Why it changed, in USD", "Nothing changed enough to be named."),
    ],
)
def test_where_there_is_no_list_the_page_says_why(basis: Any, title: str, said: str) -> None:
    edition = explained(an_edition(), basis=basis)
    assert words.reasons_title(edition) == title
    assert plain(words.reasons(edition)[0].sentence) == said
    assert not any("%" in line.sentence and "usage" not in line.sentence for line in words.reasons(edition))


def test_a_first_report_says_what_was_spent_on_what_with_monthly_fees_apart() -> None:
    records = {"AWS Support (Business)": {"Support": "29.00"}, "Tax": {"Tax": "19.00"}}
    costs = a_cost_document(
        services={"A": "60", "B": "30", "C": "9", "D": "1"}, previous={}, older=None, records=records
    )
    edition = explained(an_edition(costs=costs), basis="first")
    assert words.reasons_title(edition) == "What it was spent on"
    assert [plain(line.sentence) for line in words.reasons(edition)] == [
        "A: usage of USD 60.00, 60 % of all usage.",
        "B: usage of USD 30.00, 30 % of all usage.",
        "C: usage of USD 9.00, 9.0 % of all usage.",
        "Charged once a month: AWS Support 29.00, tax 19.00.",
    ]


def test_costs_that_credits_paid_are_explained_by_their_usage() -> None:
    edition = explained(an_edition(), a_cause("service", "9.31", service="A"), basis="usage")
    assert words.reasons_title(edition) == "Credits paid for everything. Why usage rose, in USD"
    assert words.reasons(edition)[-1].sentence == "Usage, in all"


def test_the_list_of_an_incomplete_total_is_about_the_accounts_read() -> None:
    edition = explained(
        an_edition(costs=a_cost_document(accounts_not_read=(not_read(),))), a_cause("service", "1", service="A")
    )
    assert words.reasons_title(edition) == "Why it changed, of the accounts read, in USD"


# -- the headline ------------------------------------------------------------------------------------------------------


def by_usage(now: str, before: str, records: dict[str, str], records_before: dict[str, str]) -> Edition:
    costs = a_cost_document(
        services={EC2: now}, previous={EC2: before}, records={EC2: records}, previous_records={EC2: records_before}
    )
    return explained(an_edition(costs=costs), a_cause("credits", "1", **money(now="0", before="-1")), by_usage=True)


@pytest.mark.parametrize(
    ("edition", "said", "in_subject"),
    [
        (
            by_usage("4941.13", "4603.70", {"Refund": "-2750.00"}, {}),
            "You paid USD 2,191.13 in October 2026 after a refund of USD 2,750.00; usage rose 7.3 % to USD 4,941.13.",
            "USD 2,191 (usage +7.3 %)",
        ),
        (
            by_usage("166", "162", {"Tax": "16.40"}, {"Credit": "-108.60", "Tax": "5.20"}),
            ("You paid USD 182.40 in October 2026, against USD 58.60 in September after credits of USD 108.60; usage "
            "rose 2.5 % to USD 166.00."),
            "USD 182.40 (usage +2.5 %)",
        ),
        (
            by_usage("90", "100", {"Credit": "-40"}, {}),
            "You paid USD 50.00 in October 2026 after credits of USD 40.00; usage fell 10 % to USD 90.00.",
            "USD 50.00 (usage \u221210 %)",
        ),
        (
            by_usage("100", "100", {"Credit": "-40", "Refund": "-10"}, {}),
            "You paid USD 50.00 in October 2026 after credits and refunds of USD 50.00; usage stayed at USD 100.00.",
            "USD 50.00 (usage 0 %)",
        ),
        (
            by_usage("100", "0.40", {"Credit": "-40"}, {}),
            "You paid USD 60.00 in October 2026 after credits of USD 40.00; usage was USD 100.00.",
            "2026: USD 60.00 \u2013 final",
        ),
    ],
)  # fmt: skip
def test_a_total_that_credits_or_refunds_moved_is_judged_by_usage(edition: Edition, said: str, in_subject: str) -> None:
    assert plain(headline.headline(edition)) == said
    assert in_subject in subject(edition)


def test_a_net_credit_has_its_usage_beside_it() -> None:
    edition = by_usage("929.81", "914.04", {"Credit": "-825.43", "Refund": "-640.25"}, {"Credit": "-319.92"})
    assert plain(headline.headline(edition)).endswith("larger than the charges. Usage rose 1.7 % to USD 929.81.")


@pytest.mark.parametrize(
    ("share", "amount", "said"),
    [
        ("half", "126.85", "About half of the rise: one incident, which is over (EC2 - Other)."),
        ("all", "126.85", "All of the rise: one incident, which is over (EC2 - Other)."),
        ("most", "-126.85", "Most of the fall: one incident, which is over (EC2 - Other)."),
        (None, "126.85", "Largest change: one incident, which is over (EC2 - Other)."),
    ],
)  # fmt: skip
def test_the_headline_names_the_main_cause(share: Any, amount: str, said: str) -> None:
    main = a_cause("incident", amount, anomaly=INCIDENT, over=True)
    found = Headline(causes=(main,), share=share, with_usage=False)
    assert headline.headline(explained(an_edition(), main, headline=found)).endswith(said)


def test_the_subject_of_a_week_with_the_first_is_judged_by_usage() -> None:
    costs = a_cost_document(
        "2026-W44", services={EC2: "943.25"}, previous={EC2: "943.25"}, records={"Tax": {"Tax": "310"}}
    )
    main = a_cause("once_a_month", "310", parts=parts(tax="310"))
    edition = explained(an_edition(costs=costs), main, headline=Headline(causes=(main,), share="all", with_usage=False))
    assert "USD 1,253 (usage 0 %)" in subject(edition)
    assert headline.headline(edition).endswith("All of the rise: charges once a month.")
