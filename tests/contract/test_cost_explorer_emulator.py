"""The emulated Cost Explorer, asked through boto3: serialized, parsed and raised as the real service's answers are."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ListShape
from botocore.validate import ParamValidator

from local.accounts import ACCOUNTS, Account, crowd, ledger
from local.accounts.account import Spike
from local.accounts.services import UNITS, USAGE_TYPES, prices, without_region
from local.cost_explorer import DIMENSIONS, OPERATIONS, CostExplorer

NOW = datetime(2026, 7, 8, 6, 30, tzinfo=UTC)
JUNE = {"Start": "2026-06-01", "End": "2026-07-01"}
MAY_AND_JUNE = {"Start": "2026-05-01", "End": "2026-07-01"}
THIRTEEN_MONTHS = {"Start": "2025-06-01", "End": "2026-07-01"}
COSTS = ["UnblendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost"]
METRICS = [*COSTS, "BlendedCost", "UsageQuantity", "NormalizedUsageAmount"]

NORTHWIND, BAKERY, CREDITS, REFUND, NEGATIVE, YOUNG, TOKYO, EURO, DENIED, NOT_ENABLED, THROTTLED, SILENT = (
    f"2100000000{n:02d}" for n in range(1, 13)
)
GDANSK = "210000000013"
HEALTHY = [each for each in ACCOUNTS if each not in (DENIED, NOT_ENABLED, THROTTLED, GDANSK)]

SHARED = {"TimedStorage-ByteHrs", "DataTransfer-Out-Bytes", "DataProcessing-Bytes", "Requests-Tier1"}
"""Usage types that several services have, at prices of their own."""

SERVICE_MODEL = botocore.session.get_session().get_service_model("ce")


class _Body:
    """A response body as urllib3 would give it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> Iterator[bytes]:
        yield self.content


def connect(emulator: CostExplorer, account_id: str) -> Any:
    """A boto3 client whose requests end in the emulator, not in a socket; every answer is held against the model."""
    client = boto3.client(
        "ce",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
    )

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().removeprefix("AWSInsightsIndexService.")
        status, body = emulator.answer(operation, json.loads(request.body), account_id)
        wire = json.loads(json.dumps(body))
        if status == 200:
            report = ParamValidator().validate(wire, SERVICE_MODEL.operation_model(operation).output_shape)
            assert not report.has_errors(), report.generate_report()
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": "emulated"}
        return AWSResponse(request.url, status, headers, _Body(json.dumps(wire).encode()))

    client.meta.events.register("before-send.ce", send)
    return client


def explorer(now: datetime = NOW, page_size: int = 1000, **more: Account) -> CostExplorer:
    return CostExplorer({**ACCOUNTS, **{each.id: each for each in more.values()}}, lambda: now, page_size)


@pytest.fixture(scope="module")
def ask() -> Callable[..., dict[str, Any]]:
    """GetCostAndUsage of one account in one emulator, following every page."""
    emulator = explorer(page_size=100_000)
    clients = {account_id: connect(emulator, account_id) for account_id in HEALTHY}

    def asked(account_id: str, period: dict[str, str], granularity: str = "MONTHLY", **request: Any) -> dict[str, Any]:
        request.setdefault("Metrics", ["UnblendedCost"])
        client = clients[account_id]
        answer: dict[str, Any] = client.get_cost_and_usage(TimePeriod=period, Granularity=granularity, **request)
        assert "NextPageToken" not in answer
        return answer

    return asked


def by(*keys: str) -> list[dict[str, str]]:
    return [{"Type": "TAG" if key in ("Environment", "Project") else "DIMENSION", "Key": key} for key in keys]


def only(key: str, *values: str) -> dict[str, Any]:
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def tagged(key: str, *values: str, match: str = "EQUALS") -> dict[str, Any]:
    return {"Tags": {"Key": key, "MatchOptions": [match], **({"Values": list(values)} if values else {})}}


def amount(measured: dict[str, Any], metric: str = "UnblendedCost") -> Decimal:
    return Decimal(measured[metric]["Amount"])


def total(answer: dict[str, Any], metric: str = "UnblendedCost") -> Decimal:
    """All that an answer holds, grouped or not."""
    parts = [result["Total"] for result in answer["ResultsByTime"] if result["Total"]]
    parts += [group["Metrics"] for result in answer["ResultsByTime"] for group in result["Groups"]]
    return sum((amount(part, metric) for part in parts), Decimal(0))


def spent(answer: dict[str, Any]) -> dict[str, Decimal]:
    """Of an answer for one period and one grouping, the unblended cost of each group."""
    (result,) = answer["ResultsByTime"]
    return {group["Keys"][0]: amount(group["Metrics"]) for group in result["Groups"]}


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# -- sums --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [*DIMENSIONS, "Environment", "Project"])
@pytest.mark.parametrize("account_id", HEALTHY)
def test_groups_of_every_dimension_add_up_to_the_ungrouped_total(ask, account_id, key):
    whole = ask(account_id, MAY_AND_JUNE, Metrics=METRICS)
    parts = ask(account_id, MAY_AND_JUNE, Metrics=METRICS, GroupBy=by(key))
    for each, grouped in zip(whole["ResultsByTime"], parts["ResultsByTime"], strict=True):
        for metric in METRICS:
            assert sum(amount(group["Metrics"], metric) for group in grouped["Groups"]) == amount(each["Total"], metric)


@pytest.mark.parametrize("keys", [("SERVICE", "RECORD_TYPE"), ("LINKED_ACCOUNT", "SERVICE"), ("REGION", "Environment")])
def test_pairs_of_groups_add_up_to_the_ungrouped_total(ask, keys):
    pairs = ask(NORTHWIND, JUNE, Metrics=COSTS, GroupBy=by(*keys))
    whole = ask(NORTHWIND, JUNE, Metrics=COSTS)
    assert all(total(pairs, metric) == total(whole, metric) for metric in COSTS)
    assert pairs["GroupDefinitions"] == by(*keys)
    assert {len(group["Keys"]) for group in pairs["ResultsByTime"][0]["Groups"]} == {2}


@pytest.mark.parametrize("account_id", HEALTHY)
def test_the_days_of_a_month_add_up_to_the_month(ask, account_id):
    daily = ask(account_id, THIRTEEN_MONTHS, "DAILY", Metrics=METRICS)
    monthly = ask(account_id, THIRTEEN_MONTHS, Metrics=METRICS)
    assert len(daily["ResultsByTime"]) == 395
    for month, metric in product(monthly["ResultsByTime"], METRICS):
        days = [
            each
            for each in daily["ResultsByTime"]
            if each["TimePeriod"]["Start"][:7] == month["TimePeriod"]["Start"][:7]
        ]
        assert sum(amount(day["Total"], metric) for day in days) == amount(month["Total"], metric)


def test_the_days_of_each_linked_account_add_up_to_its_month(ask):
    monthly = spent(ask(NORTHWIND, JUNE, GroupBy=by("LINKED_ACCOUNT")))
    daily: dict[str, Decimal] = {}
    for result in ask(NORTHWIND, JUNE, "DAILY", GroupBy=by("LINKED_ACCOUNT"))["ResultsByTime"]:
        for group in result["Groups"]:
            daily[group["Keys"][0]] = daily.get(group["Keys"][0], Decimal(0)) + amount(group["Metrics"])
    assert daily == monthly


def test_amounts_are_plain_decimal_strings_of_at_most_ten_places(ask):
    answer = ask(NEGATIVE, JUNE, Metrics=METRICS, GroupBy=by("SERVICE", "RECORD_TYPE"))
    for group, metric in product(answer["ResultsByTime"][0]["Groups"], METRICS):
        text = group["Metrics"][metric]["Amount"]
        assert "e" not in text.lower()
        assert -Decimal(text).as_tuple().exponent <= 10
        assert group["Metrics"][metric]["Unit"] == ("USD" if metric.endswith("Cost") else "N/A")


def test_a_quantity_has_the_unit_of_its_usage_type_and_costs_its_price(ask):
    """So that a report can tell "more used" from "dearer"."""
    answer = ask(NORTHWIND, JUNE, Metrics=METRICS, GroupBy=by("USAGE_TYPE"), Filter=only("RECORD_TYPE", "Usage"))
    prices: dict[str, Decimal] = {}
    for group in answer["ResultsByTime"][0]["Groups"]:
        (usage_type,) = group["Keys"]
        measured = group["Metrics"]["UsageQuantity"]
        assert measured["Unit"] == UNITS[without_region(usage_type)]
        price = amount(group["Metrics"]) / Decimal(measured["Amount"])
        if without_region(usage_type) not in SHARED:
            assert prices.setdefault(without_region(usage_type), price) == pytest.approx(price, rel=Decimal("1e-6"))
    assert prices["EBS:VolumeUsage.gp3"] == pytest.approx(Decimal("0.08"), rel=Decimal("1e-6"))
    assert prices["BoxUsage:m7i.large"] == pytest.approx(Decimal("0.1008"), rel=Decimal("1e-6"))


def test_what_is_metered_by_the_month_costs_the_same_in_february_and_in_march():
    """100 GB of S3 for a month cost the same in either; what is used by the hour or by request follows the days."""
    keeper = Account("230000000002", "keeper", prices(("Amazon Simple Storage Service", "100")), mood=0)
    client = connect(explorer(keeper=keeper), keeper.id)

    def month(first, end, usage_type):
        answer = client.get_cost_and_usage(
            TimePeriod={"Start": first, "End": end},
            Granularity="MONTHLY",
            Metrics=["UnblendedCost", "UsageQuantity"],
            Filter=only("USAGE_TYPE", usage_type),
        )
        return {name: amount(answer["ResultsByTime"][0]["Total"], name) for name in ("UnblendedCost", "UsageQuantity")}

    february, march = ("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-04-01")
    stored, stored_again = (month(*each, "TimedStorage-ByteHrs") for each in (february, march))
    assert stored["UnblendedCost"] == stored_again["UnblendedCost"] == 65
    assert stored["UsageQuantity"] == pytest.approx(stored_again["UsageQuantity"], rel=Decimal("1e-9"))
    assert stored["UsageQuantity"] == pytest.approx(Decimal(65) / Decimal("0.023"), rel=Decimal("1e-9"))
    asked, asked_again = (month(*each, "Requests-Tier1") for each in (february, march))
    assert asked_again["UnblendedCost"] / asked["UnblendedCost"] == pytest.approx(Decimal(31) / 28, rel=Decimal("0.03"))


def test_the_shares_of_a_services_usage_types_make_up_the_whole():
    for service, kinds in USAGE_TYPES.items():
        assert sum(kind.share for kind in kinds) == 1000, service
        assert {kind.by_month for kind in kinds if kind.unit == "GB-Mo"} <= {True}, service


def test_the_same_question_has_the_same_answer_in_another_emulator(ask):
    question = {"Metrics": METRICS, "GroupBy": by("SERVICE", "LINKED_ACCOUNT")}
    again = connect(explorer(page_size=100_000), NORTHWIND)
    answer = again.get_cost_and_usage(TimePeriod=JUNE, Granularity="MONTHLY", **question)
    assert answer["ResultsByTime"] == ask(NORTHWIND, JUNE, **question)["ResultsByTime"]


def test_a_closed_month_without_events_does_not_change_while_the_clock_moves_on():
    def june(now):
        client = connect(explorer(now), TOKYO)
        return client.get_cost_and_usage(
            TimePeriod=JUNE, Granularity="DAILY", Metrics=METRICS, GroupBy=by("SERVICE", "REGION")
        )["ResultsByTime"]

    assert june(NOW) == june(NOW + timedelta(days=20)) == june(NOW + timedelta(days=200))


# -- periods -----------------------------------------------------------------------------------------------------------


def test_the_end_of_a_period_is_exclusive(ask):
    first = ask(SILENT, {"Start": "2026-06-01", "End": "2026-06-02"}, "DAILY")
    both = ask(SILENT, {"Start": "2026-06-01", "End": "2026-06-03"}, "DAILY")
    second = ask(SILENT, {"Start": "2026-06-02", "End": "2026-06-03"}, "DAILY")
    assert [each["TimePeriod"] for each in first["ResultsByTime"]] == [{"Start": "2026-06-01", "End": "2026-06-02"}]
    assert total(both) == total(first) + total(second)


def test_months_are_clipped_to_the_period_asked_for(ask):
    answer = ask(SILENT, {"Start": "2026-04-20", "End": "2026-06-03"})
    assert [(each["TimePeriod"]["Start"], each["TimePeriod"]["End"]) for each in answer["ResultsByTime"]] == [
        ("2026-04-20", "2026-05-01"),
        ("2026-05-01", "2026-06-01"),
        ("2026-06-01", "2026-06-03"),
    ]
    assert total(answer) == total(ask(SILENT, {"Start": "2026-04-20", "End": "2026-06-03"}, "DAILY"))


def test_today_is_not_billed_yet_and_the_rest_of_the_month_is_empty(ask):
    days = ask(SILENT, {"Start": "2026-07-07", "End": "2026-08-01"}, "DAILY")["ResultsByTime"]
    assert [amount(day["Total"]) > 0 for day in days] == [True] + [False] * 24
    grouped = ask(SILENT, {"Start": "2026-07-08", "End": "2026-07-09"}, "DAILY", GroupBy=by("SERVICE"))
    assert [(result["Groups"], result["Total"]) for result in grouped["ResultsByTime"]] == [([], {})]


@pytest.mark.parametrize(
    ("now", "june", "july"),
    [
        (datetime(2026, 7, 5, 23, 59, 59, tzinfo=UTC), True, True),
        (datetime(2026, 7, 6, tzinfo=UTC), False, True),
        (datetime(2026, 8, 5, 23, tzinfo=UTC), False, True),
        (datetime(2026, 8, 6, tzinfo=UTC), False, False),
    ],
)
@pytest.mark.parametrize("granularity", ["MONTHLY", "DAILY"])
def test_a_month_is_estimated_until_the_sixth_of_the_next(now, june, july, granularity):
    client = connect(explorer(now), SILENT)
    period = {"Start": "2026-06-01", "End": (now.date() + timedelta(days=1)).isoformat()}
    answer = client.get_cost_and_usage(TimePeriod=period, Granularity=granularity, Metrics=["UnblendedCost"])
    for result in answer["ResultsByTime"]:
        month = result["TimePeriod"]["Start"][:7]
        assert result["Estimated"] is {"2026-06": june, "2026-07": july, "2026-08": True}[month]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-06-02", "2026-06-02", "Start date (and hour) should be before end date (and hour)"),
        ("2026-06-02", "2026-06-01", "Start date (and hour) should be before end date (and hour)"),
        ("2025-05-31", "2026-07-01", "You haven't enabled historical data beyond 14 months"),
        ("2026-07-01", "2026-08-02", "end date past the beginning of next month"),
        ("2026-07-09", "2026-07-10", "start date should not be after today"),
        ("2026-06-31", "2026-07-01", "'2026-06-31' at 'TimePeriod.Start'"),
        ("2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z", "at 'TimePeriod.Start'"),
    ],
)
def test_periods_that_cost_explorer_has_no_data_for_are_refused(start, end, words):
    client = connect(explorer(), SILENT)
    code, message = refusal(
        client.get_cost_and_usage,
        TimePeriod={"Start": start, "End": end},
        Granularity="DAILY",
        Metrics=["UnblendedCost"],
    )
    assert code == "ValidationException"
    assert words in message


# -- requests ----------------------------------------------------------------------------------------------------------

GOOD = {"TimePeriod": JUNE, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}


@pytest.mark.parametrize(
    ("flaw", "field"),
    [
        ({"Granularity": "WEEKLY"}, "granularity"),
        ({"Granularity": "HOURLY"}, "Hourly"),
        ({"Metrics": ["Price"]}, "metrics"),
        ({"Metrics": []}, "metrics"),
        ({"Metrics": "UnblendedCost"}, "Metrics"),
        ({"TimePeriod": {"Start": "2026-06-01"}}, 'TimePeriod: "End"'),
        ({"Nonsense": 1}, "Nonsense"),
        ({"GroupBy": by("SERVICE", "REGION", "RECORD_TYPE")}, "Group by"),
        ({"GroupBy": by("SERVICE", "SERVICE")}, "Group by"),
        ({"GroupBy": by("TENANCY")}, "TENANCY"),
        ({"GroupBy": [{"Type": "SIZE", "Key": "SERVICE"}]}, "groupBy.1.member.Type"),
        ({"Filter": only("PLANET", "Mars")}, "filter.Dimensions.Key"),
        ({"Filter": only("SERVICE")}, "Dimensions.Values"),
        ({"Filter": {}}, "exactly one"),
        ({"Filter": {**only("SERVICE", "x"), **tagged("y", "z")}}, "exactly one"),
        ({"Filter": {"And": [only("SERVICE", "AWS Lambda")]}}, "at least 2"),
        (
            {"Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["A"], "MatchOptions": ["STARTS_WITH"]}}},
            "STARTS_WITH",
        ),
        ({"Filter": {"Tags": {"Key": "a", "Values": ["b"], "MatchOptions": ["ABSENT"]}}}, "ABSENT"),
    ],
)
def test_a_flawed_request_is_refused_and_the_field_is_named(flaw, field):
    status, body = explorer().answer("GetCostAndUsage", {**GOOD, **flaw}, SILENT)
    assert (status, body["__type"]) == (400, "ValidationException")
    assert field in body["message"]


def test_metrics_are_answered_under_the_names_of_cost_and_usage(ask):
    answer = ask(SILENT, JUNE, Metrics=["UNBLENDED_COST", "UnblendedCost", "AmortizedCost"])
    assert set(answer["ResultsByTime"][0]["Total"]) == {"UnblendedCost", "AmortizedCost"}


def test_operations_that_are_not_emulated_say_so():
    client = connect(explorer(), SILENT)
    assert refusal(client.list_cost_allocation_tags)[0] == "UnknownOperationException"
    assert set(OPERATIONS) <= set(SERVICE_MODEL.operation_names)


# -- filters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", list(DIMENSIONS))
def test_a_filter_selects_exactly_the_group_of_that_value(ask, key):
    for value, cost in list(spent(ask(NORTHWIND, JUNE, GroupBy=by(key))).items())[:12]:
        assert total(ask(NORTHWIND, JUNE, Filter=only(key, value))) == cost


def test_tags_are_selected_by_value_and_by_their_absence(ask):
    groups = spent(ask(NORTHWIND, JUNE, GroupBy=by("Environment")))
    assert set(groups) == {"Environment$", "Environment$production", "Environment$staging", "Environment$development"}
    for match, values, key in [
        ("EQUALS", ["staging"], "staging"),
        ("ABSENT", [], ""),
        ("CASE_INSENSITIVE", ["STAGING"], "staging"),
    ]:
        assert (
            total(ask(NORTHWIND, JUNE, Filter=tagged("Environment", *values, match=match)))
            == groups[f"Environment${key}"]
        )
    assert total(ask(NORTHWIND, JUNE, Filter=tagged("Environment", "STAGING"))) == 0


def test_not_selects_the_rest_and_or_the_union(ask):
    whole = total(ask(NORTHWIND, JUNE))
    ec2, west = only("SERVICE", "EC2 - Other"), only("REGION", "us-west-2")
    one, other, both, neither = (
        total(ask(NORTHWIND, JUNE, Filter=each))
        for each in (ec2, west, {"And": [ec2, west]}, {"Not": {"Or": [ec2, west]}})
    )
    assert both > 0
    assert neither == whole - one - other + both
    assert total(ask(NORTHWIND, JUNE, Filter={"Not": ec2})) == whole - one


def test_costs_without_a_cost_category_are_grouped_under_its_bare_name(ask):
    answer = ask(SILENT, JUNE, GroupBy=[{"Type": "COST_CATEGORY", "Key": "Team"}])
    assert list(spent(answer)) == ["Team$"]
    absent = {"CostCategories": {"Key": "Team", "MatchOptions": ["ABSENT"]}}
    assert total(ask(SILENT, JUNE, Filter=absent)) == total(answer) > 0


def test_grouping_by_linked_account_comes_with_the_accounts_names(ask):
    answer = ask(NORTHWIND, JUNE, GroupBy=by("LINKED_ACCOUNT"))
    names = {each["Value"]: each["Attributes"]["description"] for each in answer["DimensionValueAttributes"]}
    assert len(names) == len(set(names.values())) == 300
    assert set(names) == set(spent(answer))
    assert names[NORTHWIND] == "northwind-retail"


# -- pages -------------------------------------------------------------------------------------------------------------


def pages(client: Any, **request: Any) -> list[dict[str, Any]]:
    found = [client.get_cost_and_usage(**request)]
    while token := found[-1].get("NextPageToken"):
        found.append(client.get_cost_and_usage(**request, NextPageToken=token))
    return found


@pytest.mark.parametrize("size", [1, 7, 48, 49, 1000])
def test_pages_hold_every_group_once_and_no_more_than_a_page_of_them(ask, size):
    request = {**GOOD, "TimePeriod": MAY_AND_JUNE, "GroupBy": by("SERVICE")}
    emulator = explorer(page_size=size)
    found = pages(connect(emulator, NORTHWIND), **request)
    whole = ask(NORTHWIND, MAY_AND_JUNE, GroupBy=by("SERVICE"))["ResultsByTime"]

    def flat(results):
        return [
            (each["TimePeriod"]["Start"], *group["Keys"], amount(group["Metrics"]))
            for each in results
            for group in each["Groups"]
        ]

    assert [item for page in found for item in flat(page["ResultsByTime"])] == flat(whole)
    assert max(len(flat(page["ResultsByTime"])) for page in found) <= size
    assert len(emulator.calls) == len(found)


def test_periods_without_costs_keep_their_place_among_the_pages():
    request = {
        **GOOD,
        "TimePeriod": {"Start": "2026-05-30", "End": "2026-06-03"},
        "Granularity": "DAILY",
        "GroupBy": by("SERVICE"),
    }
    results = [
        each for page in pages(connect(explorer(page_size=4), YOUNG), **request) for each in page["ResultsByTime"]
    ]
    starts = [each["TimePeriod"]["Start"] for each in results]
    assert sorted(set(starts)) == ["2026-05-30", "2026-05-31", "2026-06-01", "2026-06-02"]
    assert all(earlier <= later for earlier, later in pairwise(starts))
    assert [each["Groups"] for each in results[:2]] == [[], []]


def test_a_token_is_good_for_its_own_request_only():
    emulator = explorer(page_size=3)
    client = connect(emulator, NORTHWIND)
    request = {**GOOD, "GroupBy": by("SERVICE")}
    token = client.get_cost_and_usage(**request)["NextPageToken"]
    ask_again = client.get_cost_and_usage
    assert (
        refusal(ask_again, **{**request, "Metrics": ["AmortizedCost"]}, NextPageToken=token)[0]
        == "RequestChangedException"
    )
    assert (
        refusal(connect(emulator, EURO).get_cost_and_usage, **request, NextPageToken=token)[0]
        == "RequestChangedException"
    )
    for broken in ("nonsense", token[:-6], token[4:], "ö"):
        assert refusal(ask_again, **request, NextPageToken=broken)[0] == "InvalidNextTokenException"
    with pytest.raises(client.exceptions.InvalidNextTokenException):
        ask_again(**request, NextPageToken="nonsense")


# -- faults ------------------------------------------------------------------------------------------------------------


def test_faults_of_an_account_are_raised_as_the_service_raises_them():
    emulator = explorer(empty=Account("230000000001", "empty", (), no_data=True))
    assert refusal(connect(emulator, DENIED).get_cost_and_usage, **GOOD)[0] == "AccessDeniedException"
    assert "ce:GetCostAndUsage" in refusal(connect(emulator, DENIED).get_cost_and_usage, **GOOD)[1]
    assert refusal(connect(emulator, NOT_ENABLED).get_cost_and_usage, **GOOD) == (
        "AccessDeniedException",
        "User not enabled for cost explorer access",
    )
    assert refusal(connect(emulator, "230000000001").get_cost_and_usage, **GOOD)[0] == "DataUnavailableException"
    assert refusal(connect(emulator, "999999999999").get_cost_and_usage, **GOOD)[0] == "UnrecognizedClientException"


ROLE = "arn:aws:sts::210000000009:assumed-role/CostReports/session"
NO_RIGHT = (
    f"User: {ROLE} is not authorized to perform: ce:GetCostAndUsage "
    "on resource: arn:aws:ce:us-east-1:210000000009:/GetCostAndUsage "
)


@pytest.mark.parametrize(
    ("denied_by", "code", "words"),
    [
        ("no_policy", "AccessDeniedException", NO_RIGHT + "because no identity-based policy allows the ce:"),
        ("permissions_boundary", "AccessDeniedException", NO_RIGHT + "because no permissions boundary allows the ce:"),
        ("identity_policy", "AccessDeniedException", NO_RIGHT + "with an explicit deny in an identity-based policy"),
        (
            "service_control_policy",
            "AccessDeniedException",
            NO_RIGHT + "with an explicit deny in a service control policy",
        ),
        ("payer_switch", "AccessDeniedException", "Linked account doesn't have access to cost explorer"),
        ("closed", "OptInRequired", "The AWS Access Key Id needs a subscription for the service"),
    ],
)
def test_a_refusal_says_in_awss_words_why(denied_by, code, words):
    emulator = explorer(denied=replace(ACCOUNTS[DENIED], denied_by=denied_by))
    assert refusal(connect(emulator, DENIED).get_cost_and_usage, **GOOD)[0] == code
    assert refusal(connect(emulator, DENIED).get_cost_and_usage, **GOOD)[1].startswith(words)


def test_the_last_days_can_be_there_without_groups_and_the_one_before_in_part():
    whole = connect(explorer(), SILENT)
    late = connect(explorer(late=replace(ACCOUNTS[SILENT], unfilled_days=1, last_filled=300)), SILENT)
    request = {**GOOD, "TimePeriod": {"Start": "2026-07-05", "End": "2026-07-08"}, "Granularity": "DAILY"}
    by_service = {**request, "GroupBy": by("SERVICE")}
    full, lacking = (client.get_cost_and_usage(**by_service)["ResultsByTime"] for client in (whole, late))
    assert [each["TimePeriod"] for each in full] == [each["TimePeriod"] for each in lacking]
    assert full[0] == lacking[0]
    assert total({"ResultsByTime": [lacking[1]]}) == pytest.approx(
        total({"ResultsByTime": [full[1]]}) * 3 / 10, rel=Decimal("1e-6")
    )
    assert (lacking[2]["Groups"], lacking[2]["Total"], lacking[2]["Estimated"]) == ([], {}, True)
    assert total(late.get_cost_and_usage(**request)) == total({"ResultsByTime": lacking})


def test_support_can_be_missing_by_linked_account():
    emulator = explorer(tokyo=replace(ACCOUNTS[TOKYO], support_by_account=False))
    client = connect(emulator, TOKYO)
    support = total(client.get_cost_and_usage(**GOOD, Filter=only("RECORD_TYPE", "Support")))
    by_service, by_account = (
        total(client.get_cost_and_usage(**GOOD, GroupBy=by(key))) for key in ("SERVICE", "LINKED_ACCOUNT")
    )
    assert by_service - by_account == support > 0
    assert total(client.get_cost_and_usage(**GOOD)) == by_service


def test_a_token_can_come_again_with_the_first_page():
    emulator = explorer(silent=replace(ACCOUNTS[SILENT], repeats_token=True))
    client = connect(emulator, SILENT)
    request = {**GOOD, "GroupBy": by("SERVICE")}
    first = client.get_cost_and_usage(**request)
    again = client.get_cost_and_usage(**request, NextPageToken=first["NextPageToken"])
    assert again["NextPageToken"] == first["NextPageToken"]
    assert again["ResultsByTime"] == first["ResultsByTime"]


@pytest.mark.parametrize("account", ACCOUNTS.values(), ids=lambda account: account.name)
def test_an_account_leaves_out_only_what_the_model_does_not_require(account):
    for path in account.leaves_out:
        operation, *members = path.split(".")
        shape = SERVICE_MODEL.operation_model(operation).output_shape
        for member in members:
            while isinstance(shape, ListShape):
                shape = shape.member
            parent, shape = shape, shape.members[member]
        assert members[-1] not in parent.required_members, path


def test_what_an_account_leaves_out_is_in_none_of_its_answers():
    emulator = explorer(games=replace(ACCOUNTS[THROTTLED], throttle_first=0))
    client = connect(emulator, THROTTLED)
    anomalies = client.get_anomalies(DateInterval={"StartDate": "2026-06-01"})["Anomalies"]
    assert len(anomalies) == 2
    assert all(set(each["Impact"]) == {"MaxImpact", "TotalImpact"} for each in anomalies)
    assert all("UsageType" not in cause for each in anomalies for cause in each["RootCauses"])
    assert "Total" not in client.get_reservation_utilization(TimePeriod=JUNE)
    assert "Total" not in client.get_reservation_coverage(TimePeriod=JUNE)


def test_an_account_can_be_changed_while_the_emulator_runs():
    emulator = explorer()
    client = connect(emulator, SILENT)
    assert total(client.get_cost_and_usage(**GOOD)) > 0
    emulator.change(SILENT, access_denied=True, denied_by="payer_switch")
    assert "Linked account" in refusal(client.get_cost_and_usage, **GOOD)[1]
    emulator.change(SILENT, access_denied=False, unfilled_days=7)
    week = {**GOOD, "TimePeriod": {"Start": "2026-07-01", "End": "2026-07-08"}}
    assert total(client.get_cost_and_usage(**week)) == 0


def test_a_throttled_account_is_served_after_its_first_requests():
    emulator = explorer()
    client = connect(emulator, THROTTLED)
    for _ in range(4):
        with pytest.raises(client.exceptions.LimitExceededException):
            client.get_cost_and_usage(**GOOD)
    assert total(client.get_cost_and_usage(**GOOD)) > 0
    assert [status for _, _, status in emulator.calls] == [400] * 4 + [200]
    assert emulator.calls[-1] == (THROTTLED, "GetCostAndUsage", 200)


def test_throttled_requests_are_counted_once_among_threads():
    emulator = explorer()
    threads = [threading.Thread(target=emulator.answer, args=("GetCostAndUsage", GOOD, THROTTLED)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for _, _, status in emulator.calls) == [200] * 8 + [400] * 4


# -- the clients and their stories -------------------------------------------------------------------------------------


def test_the_demo_clients_stand_in_their_order():
    names = [ACCOUNTS[f"2100000000{n:02d}"].name for n in range(1, 13)]
    assert names[0] == "northwind-retail"
    assert names[-1] == "silent-partners"
    assert set(ACCOUNTS) == {*(f"2100000000{n:02d}" for n in range(1, 14)), "111122223333"}


def test_northwind_is_large_and_has_every_kind_of_charge(ask):
    pairs = ask(NORTHWIND, JUNE, GroupBy=by("SERVICE", "RECORD_TYPE"))["ResultsByTime"][0]["Groups"]
    assert {record_type for _, record_type in (group["Keys"] for group in pairs)} >= {
        "Usage",
        "DiscountedUsage",
        "Recurring",
        "SavingsPlanCoveredUsage",
        "SavingsPlanNegation",
        "SavingsPlanRecurringFee",
        "Tax",
        "Support",
    }
    assert len({group["Keys"][0] for group in pairs if group["Keys"][1] == "Usage"}) == 45
    year = [amount(each["Total"]) for each in ask(NORTHWIND, THIRTEEN_MONTHS)["ResultsByTime"]]
    assert year[-1] > year[0] * Decimal("1.1")


def test_savings_plans_cost_their_commitment_in_either_view(ask):
    plans = only("RECORD_TYPE", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "SavingsPlanRecurringFee")
    answer = ask(NORTHWIND, JUNE, Metrics=COSTS, Filter=plans)
    assert total(answer) == total(answer, "AmortizedCost") == Decimal("38.5") * 24 * 30


def test_a_spike_of_one_account_stands_out_last_month(ask):
    days = ask(NORTHWIND, JUNE, "DAILY", Filter=only("SERVICE", "EC2 - Other"))["ResultsByTime"]
    costs = [amount(day["Total"]) for day in days]
    assert min(costs[16:19]) > 3 * max(costs[:16] + costs[19:])


def test_credits_hide_the_spend_of_the_credits_startup(ask):
    answer = ask(CREDITS, JUNE, Metrics=METRICS)
    assert all(answer["ResultsByTime"][0]["Total"][metric]["Amount"] == "0" for metric in [*COSTS, "BlendedCost"])
    kinds = spent(ask(CREDITS, JUNE, GroupBy=by("RECORD_TYPE")))
    assert 1900 < kinds["Usage"] < 2300
    assert kinds == {"Usage": kinds["Usage"], "Credit": -kinds["Usage"]}
    services = spent(ask(CREDITS, JUNE, GroupBy=by("SERVICE")))
    assert set(services.values()) == {Decimal(0)}
    assert len(services) == 6


def test_the_small_clients_tell_their_stories(ask):
    assert 30 < total(ask(BAKERY, JUNE)) < 38
    assert len(spent(ask(BAKERY, JUNE, GroupBy=by("SERVICE")))) == 3
    assert spent(ask(REFUND, JUNE, GroupBy=by("RECORD_TYPE")))["Refund"] == -2750
    assert total(ask(NEGATIVE, JUNE)) < 0 < total(ask(NEGATIVE, {"Start": "2026-05-01", "End": "2026-06-01"}))
    assert [each["Groups"] == [] for each in ask(YOUNG, THIRTEEN_MONTHS, GroupBy=by("SERVICE"))["ResultsByTime"]] == [
        *[True] * 12,
        False,
    ]
    kinds = spent(ask(EURO, JUNE, GroupBy=by("RECORD_TYPE")))
    assert abs(kinds["Tax"] - kinds["Usage"] * Decimal("0.19")) < Decimal("0.01")
    assert total(ask("111122223333", JUNE)) > 0


def test_stories_told_by_the_month_move_with_the_clock():
    client = connect(explorer(datetime(2027, 1, 3, tzinfo=UTC)), REFUND)
    answer = client.get_cost_and_usage(
        TimePeriod={"Start": "2026-12-01", "End": "2027-01-01"},
        Granularity="DAILY",
        Metrics=["UnblendedCost"],
        Filter=only("RECORD_TYPE", "Refund"),
    )
    refunds = {
        each["TimePeriod"]["Start"]: amount(each["Total"])
        for each in answer["ResultsByTime"]
        if total({"ResultsByTime": [each]})
    }
    assert refunds == {"2026-12-14": -2750}


def test_support_is_on_the_bill_from_the_seventh_of_the_next_month():
    def support(now):
        client = connect(explorer(now), TOKYO)
        return total(client.get_cost_and_usage(**GOOD, Filter=only("RECORD_TYPE", "Support")))

    assert support(datetime(2026, 7, 6, 23, 59, tzinfo=UTC)) == 0
    assert support(datetime(2026, 7, 7, tzinfo=UTC)) > 0


def test_a_crowd_is_made_of_ordinary_accounts_that_differ():
    people = crowd(200)
    assert next(iter(people)) == "220000000001"
    assert len({ledger(each, date(2026, 7, 8)).rows[0].sums["UnblendedCost"][-1] for each in people.values()}) == 200
    emulator = CostExplorer(people, lambda: NOW)
    assert {emulator.answer("GetCostAndUsage", GOOD, each)[0] for each in people} == {200}


# -- the other operations ----------------------------------------------------------------------------------------------


def test_a_forecast_goes_on_as_the_last_weeks_went(ask):
    client = connect(explorer(), SILENT)
    request = {
        "Metric": "UNBLENDED_COST",
        "Granularity": "DAILY",
        "TimePeriod": {"Start": "2026-07-08", "End": "2026-08-01"},
    }
    daily = client.get_cost_forecast(**request, PredictionIntervalLevel=80)
    assert len(daily["ForecastResultsByTime"]) == 24
    assert sum(Decimal(day["MeanValue"]) for day in daily["ForecastResultsByTime"]) == Decimal(daily["Total"]["Amount"])
    first = daily["ForecastResultsByTime"][0]
    bounds = [Decimal(first[f"PredictionInterval{side}Bound"]) for side in ("Lower", "Upper")]
    assert bounds[0] < Decimal(first["MeanValue"]) < bounds[1]
    recent = total(ask(SILENT, {"Start": "2026-06-10", "End": "2026-07-08"}, "DAILY")) / 28
    assert abs(Decimal(first["MeanValue"]) - recent) < Decimal("1e-9")
    monthly = client.get_cost_forecast(**{**request, "Granularity": "MONTHLY"})
    assert monthly["Total"] == daily["Total"]


def test_a_forecast_for_a_young_account_or_of_the_past_is_refused():
    ahead = {
        "Metric": "UNBLENDED_COST",
        "Granularity": "MONTHLY",
        "TimePeriod": {"Start": "2026-07-08", "End": "2026-08-01"},
    }
    assert refusal(connect(explorer(), YOUNG).get_cost_forecast, **ahead)[0] == "DataUnavailableException"
    behind = {**ahead, "TimePeriod": JUNE}
    code, message = refusal(connect(explorer(), SILENT).get_cost_forecast, **behind)
    assert (code, message) == ("ValidationException", "Earliest supported Start is 2026-07-07")
    later = {**ahead, "TimePeriod": {"Start": "2026-07-09", "End": "2026-08-01"}}
    assert refusal(connect(explorer(), SILENT).get_cost_forecast, **later)[0] == "ValidationException"


def test_dimension_values_are_those_that_cost_and_usage_groups_by(ask):
    client = connect(explorer(), NORTHWIND)
    for key in DIMENSIONS:
        found = client.get_dimension_values(TimePeriod=JUNE, Dimension=key)
        assert {each["Value"] for each in found["DimensionValues"]} == set(spent(ask(NORTHWIND, JUNE, GroupBy=by(key))))
        assert found["TotalSize"] == found["ReturnSize"] == len(found["DimensionValues"])
    lambdas = client.get_dimension_values(TimePeriod=JUNE, Dimension="SERVICE", SearchString="lambda")
    assert [each["Value"] for each in lambdas["DimensionValues"]] == ["AWS Lambda"]
    page = client.get_dimension_values(TimePeriod=JUNE, Dimension="LINKED_ACCOUNT", MaxResults=40)
    assert (page["ReturnSize"], page["TotalSize"]) == (40, 300)
    assert page["NextPageToken"]
    costly = client.get_dimension_values(
        TimePeriod=JUNE, Dimension="SERVICE", SortBy=[{"Key": "UnblendedCost", "SortOrder": "DESCENDING"}]
    )
    costs = spent(ask(NORTHWIND, JUNE, GroupBy=by("SERVICE")))
    assert costly["DimensionValues"][0]["Value"] == max(costs, key=costs.__getitem__)


def test_tags_are_listed_with_the_empty_value_for_untagged_costs():
    client = connect(explorer(), NORTHWIND)
    assert client.get_tags(TimePeriod=JUNE)["Tags"] == ["Environment", "Project"]
    assert client.get_tags(TimePeriod=JUNE, TagKey="Environment")["Tags"] == [
        "",
        "development",
        "production",
        "staging",
    ]


def test_the_spike_is_found_as_an_anomaly_with_its_root_cause(ask):
    client = connect(explorer(), NORTHWIND)
    (anomaly,) = client.get_anomalies(DateInterval={"StartDate": "2026-05-01", "EndDate": "2026-07-07"})["Anomalies"]
    assert (anomaly["AnomalyStartDate"], anomaly["AnomalyEndDate"]) == ("2026-06-17", "2026-06-19")
    assert anomaly["DimensionValue"] == "EC2 - Other"
    spike_days = {"Start": "2026-06-17", "End": "2026-06-20"}
    actual = total(ask(NORTHWIND, spike_days, "DAILY", Filter=only("SERVICE", "EC2 - Other")))
    assert anomaly["Impact"]["TotalActualSpend"] == pytest.approx(float(actual))
    assert anomaly["Impact"]["TotalImpact"] == pytest.approx(12600, rel=0.1)
    accounts = spent(
        ask(
            NORTHWIND,
            {"Start": "2026-06-17", "End": "2026-06-18"},
            "DAILY",
            Filter=only("SERVICE", "EC2 - Other"),
            GroupBy=by("LINKED_ACCOUNT"),
        )
    )
    assert max(accounts, key=accounts.__getitem__) == anomaly["RootCauses"][0]["LinkedAccount"]
    large = {"NumericOperator": "GREATER_THAN", "StartValue": 1e6}
    assert client.get_anomalies(DateInterval={"StartDate": "2026-05-01"}, TotalImpact=large)["Anomalies"] == []
    assert connect(explorer(), SILENT).get_anomalies(DateInterval={"StartDate": "2026-05-01"})["Anomalies"] == []
    assert (
        refusal(client.get_anomalies, DateInterval={"StartDate": "2026-05-01", "EndDate": "2026-07-08"})[0]
        == "ValidationException"
    )
    assert refusal(client.get_anomalies, DateInterval={"StartDate": "2026-01-01"})[0] == "ValidationException"


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        ("2026-06-01", "2026-06-30", False),
        ("2026-06-28", "2026-07-02", False),
        ("2026-07-01", "2026-07-03", True),
        ("2026-07-03", "2026-07-03", True),
        ("2026-07-04", "2026-07-07", False),
        ("2026-06-01", "2026-07-07", True),
    ],
)
def test_an_anomaly_is_found_by_its_last_day(since, until, found):
    """From 28 June to 3 July. "The returned anomaly object will have an AnomalyEndDate in the specified time range."

    (botocore's model of ``ce``, GetAnomaliesRequest.DateInterval)
    """
    doc = SERVICE_MODEL.operation_model("GetAnomalies").input_shape.members["DateInterval"].documentation
    assert "will have an <code>AnomalyEndDate</code> in the specified time range" in doc
    spiky = replace(ACCOUNTS[SILENT], spikes=(Spike(1, 28, 6, "EC2 - Other", Decimal(90)),))
    client = connect(explorer(spiky=spiky), SILENT)
    answer = client.get_anomalies(DateInterval={"StartDate": since, "EndDate": until})
    assert [each["AnomalyEndDate"] for each in answer["Anomalies"]] == ["2026-07-03"] * found


def test_an_anomaly_that_goes_on_has_no_last_day():
    spiky = replace(ACCOUNTS[SILENT], spikes=(Spike(1, 28, None, "EC2 - Other", Decimal(90)),))
    client = connect(explorer(spiky=spiky), SILENT)
    (anomaly,) = client.get_anomalies(DateInterval={"StartDate": "2026-06-01", "EndDate": "2026-07-07"})["Anomalies"]
    assert anomaly["AnomalyStartDate"] == "2026-06-28"
    assert "AnomalyEndDate" not in anomaly
    assert client.get_anomalies(DateInterval={"StartDate": "2026-06-01", "EndDate": "2026-07-06"})["Anomalies"] == []


def test_an_anomaly_of_a_service_without_history_has_no_percentage():
    """ "When TotalExpectedSpend is zero, this field is omitted." (botocore's model of ``ce``, Impact)"""
    fresh = replace(ACCOUNTS[SILENT], spikes=(Spike(1, 28, 2, "Amazon Athena", Decimal(90)),))
    client = connect(explorer(fresh=fresh), SILENT)
    (anomaly,) = client.get_anomalies(DateInterval={"StartDate": "2026-06-01"})["Anomalies"]
    assert anomaly["Impact"]["TotalExpectedSpend"] == 0
    assert "TotalImpactPercentage" not in anomaly["Impact"]


def test_without_a_monitor_there_are_no_anomalies_and_no_monitors():
    blind = connect(explorer(blind=replace(ACCOUNTS[NORTHWIND], monitored=False)), NORTHWIND)
    seeing = connect(explorer(), NORTHWIND)
    interval = {"StartDate": "2026-06-01", "EndDate": "2026-07-07"}
    assert blind.get_anomalies(DateInterval=interval)["Anomalies"] == []
    assert blind.get_anomaly_monitors()["AnomalyMonitors"] == []
    (monitor,) = seeing.get_anomaly_monitors()["AnomalyMonitors"]
    assert monitor["MonitorType"] == "DIMENSIONAL"
    (anomaly,) = seeing.get_anomalies(DateInterval=interval, MonitorArn=monitor["MonitorArn"])["Anomalies"]
    assert anomaly["MonitorArn"] == monitor["MonitorArn"]
    assert connect(explorer(), TOKYO).get_anomaly_monitors()["AnomalyMonitors"] == []


@pytest.mark.parametrize("whole", [False, True])
def test_a_monthly_forecast_says_by_its_period_what_it_is_about(whole):
    """Which of the two AWS does is not known; a reader has to look at TimePeriod."""
    account = replace(ACCOUNTS[SILENT], forecast_of_whole_months=whole)
    client = connect(explorer(whole=account), SILENT)
    ahead = {"Start": "2026-07-08", "End": "2026-08-01"}
    (bucket,) = client.get_cost_forecast(Metric="UNBLENDED_COST", Granularity="MONTHLY", TimePeriod=ahead)[
        "ForecastResultsByTime"
    ]
    assert bucket["TimePeriod"] == ({**ahead, "Start": "2026-07-01"} if whole else ahead)
    billed = total(client.get_cost_and_usage(**{**GOOD, "TimePeriod": {"Start": "2026-07-01", "End": "2026-07-08"}}))
    rest = client.get_cost_forecast(Metric="UNBLENDED_COST", Granularity="DAILY", TimePeriod=ahead)["Total"]
    assert Decimal(bucket["MeanValue"]) == Decimal(rest["Amount"]) + (billed if whole else 0)


TWO_MONTHS = {
    "BaselineTimePeriod": {"Start": "2026-05-01", "End": "2026-06-01"},
    "ComparisonTimePeriod": JUNE,
    "MetricForComparison": "UnblendedCost",
}


def test_comparisons_agree_with_cost_and_usage(ask):
    answer = connect(explorer(), NORTHWIND).get_cost_and_usage_comparisons(
        **TWO_MONTHS, GroupBy=by("SERVICE"), MaxResults=2000
    )
    june = spent(ask(NORTHWIND, JUNE, GroupBy=by("SERVICE")))
    found = {
        each["CostAndUsageSelector"]["Dimensions"]["Values"][0]: Decimal(
            each["Metrics"]["UnblendedCost"]["ComparisonTimePeriodAmount"]
        )
        for each in answer["CostAndUsageComparisons"]
    }
    assert found == june
    whole = answer["TotalCostAndUsage"]["UnblendedCost"]
    assert Decimal(whole["ComparisonTimePeriodAmount"]) == total(ask(NORTHWIND, JUNE))
    assert Decimal(whole["Difference"]) == Decimal(whole["ComparisonTimePeriodAmount"]) - Decimal(
        whole["BaselineTimePeriodAmount"]
    )
    part = {**TWO_MONTHS, "ComparisonTimePeriod": {"Start": "2026-06-01", "End": "2026-06-30"}}
    assert refusal(connect(explorer(), NORTHWIND).get_cost_and_usage_comparisons, **part)[0] == "ValidationException"


def test_drivers_come_ten_a_page_and_explain_the_whole_difference(ask):
    client = connect(explorer(), NORTHWIND)
    answers = [client.get_cost_comparison_drivers(**TWO_MONTHS)]
    while token := answers[-1].get("NextPageToken"):
        answers.append(client.get_cost_comparison_drivers(**TWO_MONTHS, NextPageToken=token))
    assert max(len(each["CostComparisonDrivers"]) for each in answers) == 10
    drivers = [driver for each in answers for driver in each["CostComparisonDrivers"]]
    june = sum(Decimal(each["Metrics"]["UnblendedCost"]["ComparisonTimePeriodAmount"]) for each in drivers)
    assert june == total(ask(NORTHWIND, JUNE))
    for driver in drivers:
        parts = [Decimal(each["Metrics"]["UnblendedCost"]["Difference"]) for each in driver["CostDrivers"]]
        assert sum(parts) == Decimal(driver["Metrics"]["UnblendedCost"]["Difference"])
    assert client.get_cost_comparison_drivers(**TWO_MONTHS, GroupBy=by("LINKED_ACCOUNT"))["CostComparisonDrivers"]


def test_commitments_agree_with_cost_and_usage(ask):
    client = connect(explorer(), NORTHWIND)
    utilization = client.get_savings_plans_utilization(TimePeriod=JUNE, Granularity="MONTHLY")
    assert Decimal(utilization["Total"]["Utilization"]["TotalCommitment"]) == Decimal("38.5") * 24 * 30
    assert 80 < Decimal(utilization["Total"]["Utilization"]["UtilizationPercentage"]) <= 100
    covered = ask(NORTHWIND, JUNE, Filter=only("RECORD_TYPE", "SavingsPlanCoveredUsage"))
    coverage = client.get_savings_plans_coverage(TimePeriod=JUNE, GroupBy=by("SERVICE"))["SavingsPlansCoverages"]
    assert sum(Decimal(each["Coverage"]["SpendCoveredBySavingsPlans"]) for each in coverage) == total(covered)
    reserved = client.get_reservation_utilization(TimePeriod=JUNE, Granularity="MONTHLY")["Total"]
    assert Decimal(reserved["UtilizationPercentage"]).quantize(Decimal("0.1")) == 93
    hours = client.get_reservation_coverage(TimePeriod=JUNE, GroupBy=by("REGION"))["CoveragesByTime"][0]
    parts = [Decimal(group["Coverage"]["CoverageHours"]["ReservedHours"]) for group in hours["Groups"]]
    assert (
        sum(parts) == Decimal(hours["Total"]["CoverageHours"]["ReservedHours"]) == Decimal(reserved["TotalActualHours"])
    )


def test_accounts_without_commitments_have_none():
    client = connect(explorer(), SILENT)
    assert refusal(client.get_savings_plans_utilization, TimePeriod=JUNE)[0] == "DataUnavailableException"
    assert refusal(client.get_savings_plans_coverage, TimePeriod=JUNE)[0] == "DataUnavailableException"
    assert client.get_reservation_utilization(TimePeriod=JUNE)["Total"]["PurchasedHours"] == "0"
    assert client.get_reservation_coverage(TimePeriod=JUNE)["Total"]["CoverageHours"]["ReservedHours"] == "0"


# -- speed -------------------------------------------------------------------------------------------------------------


# -- advice ------------------------------------------------------------------------------------------------------------

PLAN = {"SavingsPlansType": "COMPUTE_SP", "TermInYears": "ONE_YEAR", "PaymentOption": "NO_UPFRONT"}


@pytest.mark.parametrize(("lookback", "days"), [("SEVEN_DAYS", 7), ("THIRTY_DAYS", 30), ("SIXTY_DAYS", 60)])
def test_a_plan_is_advised_that_is_always_used_and_saves_less_than_was_spent(ask, lookback, days):
    client = connect(explorer(), NORTHWIND)
    answer = client.get_savings_plans_purchase_recommendation(**PLAN, LookbackPeriodInDays=lookback)
    advice = answer["SavingsPlansPurchaseRecommendation"]
    (plan,) = advice["SavingsPlansPurchaseRecommendationDetails"]
    when = {"Start": (NOW.date() - timedelta(days=days)).isoformat(), "End": NOW.date().isoformat()}
    services = only(
        "SERVICE", "Amazon Elastic Compute Cloud - Compute", "AWS Lambda", "Amazon Elastic Container Service"
    )
    spent = total(ask(NORTHWIND, when, "DAILY", Filter={"And": [only("RECORD_TYPE", "Usage"), services]}))
    assert Decimal(plan["EstimatedOnDemandCostWithCurrentCommitment"]) == spent
    assert 0 < Decimal(plan["EstimatedSavingsAmount"]) < spent
    assert Decimal(plan["HourlyCommitmentToPurchase"]) < Decimal(plan["CurrentMinimumHourlyOnDemandSpend"])
    summary = advice["SavingsPlansPurchaseRecommendationSummary"]
    assert summary["EstimatedMonthlySavingsAmount"] == plan["EstimatedMonthlySavingsAmount"]


def test_a_small_account_is_advised_nothing():
    client = connect(explorer(), BAKERY)
    answer = client.get_savings_plans_purchase_recommendation(**PLAN, LookbackPeriodInDays="THIRTY_DAYS")
    assert answer["SavingsPlansPurchaseRecommendation"]["SavingsPlansPurchaseRecommendationDetails"] == []


def test_a_plan_that_is_not_emulated_is_refused_and_not_made_up():
    ask_for = connect(explorer(), NORTHWIND).get_savings_plans_purchase_recommendation
    other = PLAN | {"SavingsPlansType": "SAGEMAKER_SP", "LookbackPeriodInDays": "SEVEN_DAYS"}
    assert refusal(ask_for, **other)[0] == "ValidationException"


def test_instances_are_advised_page_by_page_and_add_up():
    client = connect(explorer(), NORTHWIND)
    whole = client.get_rightsizing_recommendation(Service="AmazonEC2", PageSize=1000)
    found, token = [], {}
    while True:
        page = client.get_rightsizing_recommendation(Service="AmazonEC2", PageSize=4, **token)
        found += page["RightsizingRecommendations"]
        if "NextPageToken" not in page:
            break
        token = {"NextPageToken": page["NextPageToken"]}
    assert found == whole["RightsizingRecommendations"]
    saved = Decimal(0)
    for each in found:
        detail = each.get("TerminateRecommendationDetail") or each["ModifyRecommendationDetail"]["TargetInstances"][0]
        assert Decimal(detail["EstimatedMonthlySavings"]) <= Decimal(each["CurrentInstance"]["MonthlyCost"])
        saved += Decimal(detail["EstimatedMonthlySavings"])
    assert saved == Decimal(whole["Summary"]["EstimatedTotalMonthlySavingsAmount"]) > 0
    assert whole["Summary"]["TotalRecommendationCount"] == str(len(found))


def test_advice_on_instances_is_for_those_who_asked_for_it():
    code, message = refusal(connect(explorer(), EURO).get_rightsizing_recommendation, Service="AmazonEC2")
    assert code == "AccessDeniedException"
    assert "opt-in only feature" in message


@pytest.mark.parametrize("wrong", [{"Service": "AmazonRDS"}, {"Service": "AmazonEC2", "PageSize": 5000}])
def test_a_wrong_question_about_instances_is_refused(wrong):
    assert refusal(connect(explorer(), NORTHWIND).get_rightsizing_recommendation, **wrong)[0] == "ValidationException"
