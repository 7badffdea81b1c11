"""How Cost Explorer is asked: pages that end, answers that are paid once, accounts side by side, refusals by name."""

import json
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from cost_reporting.costs import Anomaly, CostDocument, Forecast, NotAvailable
from cost_reporting.errors import (
    AccountClosed,
    ClientAccessDenied,
    CostExplorerDisabled,
    CostReportingError,
    CostsEndless,
    CostsNotReady,
    CostsRefused,
    CostsThrottled,
    CostsUnreadable,
    CredentialsRejected,
    PayerDeniesAccess,
    PolicyDeniesAccess,
)
from cost_reporting.sources.cost_explorer import asking
from tests.builders import a_client_due, a_run
from tests.functional.conftest import Clock, Costs, Wire, World, refusal
from tests.functional.test_fetch_costs import BAKERY, CREDITS, EURO, YOUNG, Invoke, document, fetch, of_account

Json = dict[str, Any]
NORTHWIND = "210000000001"


def answered(costs: Costs, member: str, change: Callable[[Json], Json]) -> None:
    """Change every answer that has ``member``."""
    costs.tamper = lambda request, body: change(body) if member in body else body


def without(body: Json, path: str) -> Json:
    """A copy of ``body`` without what ``path`` leads to: ``Anomalies.0.Impact.TotalImpact``."""
    *way, last = path.split(".")
    whole = json.loads(json.dumps(body))
    at: Any = whole
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    del at[last]
    return whole


def endless(costs: Costs, tokens: Callable[[], str], only: str = "") -> None:
    """Have each page of an answer lead to a further one; ``only`` where the question holds that word."""
    honest = costs.answer

    def reply(operation: str, request: Json, of: str) -> tuple[int, Json]:
        status, body = honest(operation, {key: part for key, part in request.items() if key != "NextPageToken"}, of)
        return status, body | {"NextPageToken": tokens()} if only in json.dumps(request) else body

    costs.answer = reply  # type: ignore[method-assign]


# -- pages -------------------------------------------------------------------------------------------------------------


def test_a_page_that_leads_to_itself_is_an_error_by_name_after_two_paid_requests(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    """boto/boto#3811, aws/aws-sdk-js-v3#3099: services were seen to give the same token for ever."""
    world.add(of_account(BAKERY))
    endless(costs, lambda: "AAA")
    with pytest.raises(CostsEndless, match="GetCostAndUsage: a page leads to an earlier one"):
        fetch(invoke)
    assert costs.paid == 2


def test_pages_that_lead_in_a_circle_end_as_well(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    tokens = iter("ABCABCABC")
    endless(costs, lambda: next(tokens))
    with pytest.raises(CostsEndless):
        fetch(invoke)
    assert costs.paid == 4


def test_more_pages_than_any_account_has_are_not_asked_for(
    invoke: Invoke, world: World, costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_PAGES", 5)
    world.add(of_account(BAKERY))
    endless(costs, lambda: f"token {costs.paid}")
    with pytest.raises(CostsEndless, match="more than 5 pages"):
        fetch(invoke)
    assert costs.paid == 5


def test_a_section_whose_pages_do_not_end_is_not_available(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY, sections=("regions",)))
    endless(costs, lambda: "AAA", only="REGION")
    stored = document(world, fetch(invoke))
    assert stored.not_available["regions"].error == "CostsEndless"
    assert stored.paid_requests == costs.paid == 4


@pytest.mark.parametrize("code", ["InvalidNextTokenException", "RequestChangedException"])
def test_an_answer_of_which_a_page_is_lost_is_asked_for_once_more_from_its_beginning(
    code: str, invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(EURO))
    whole = fetch(invoke).costs.total
    costs.emulate(page_size=100)
    wire.order("ce.GetCostAndUsage", None, None, refusal(code))
    fetched = fetch(invoke, a_client_due("acme", a_run(refresh=True, run_id="another")))
    assert fetched.costs.total == whole
    assert fetched.costs.paid_requests == costs.paid, "the pages before the lost one are paid as well"


# -- answers that are kept ---------------------------------------------------------------------------------------------


def interrupted(invoke: Invoke, costs: Costs, due: Any = None) -> None:
    """A try whose second question is throttled."""
    costs.refuse_after(1, (400, {"__type": "LimitExceededException"}))
    with pytest.raises(CostsThrottled):
        fetch(invoke, due)
    assert costs.paid == 1
    costs.refuse_after(1000, (500, {}))


def test_a_retry_of_the_same_run_does_not_pay_again_for_what_was_answered(
    invoke: Invoke, world: World, costs: Costs, clock: Clock
) -> None:
    world.add(of_account(BAKERY))
    interrupted(invoke, costs)
    clock.pass_by(minutes=20)
    fetched = fetch(invoke)
    assert costs.paid == 2
    stored = document(world, fetched)
    assert fetched.costs.paid_requests == stored.paid_requests == 2, "the first try told nobody what it had paid"
    assert all(query.request_ids for query in stored.queries)


def test_a_function_that_was_killed_has_kept_what_it_paid(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY, sections=("regions",)))
    wire.order("ce.GetCostAndUsage", None, None, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        fetch(invoke)
    fetched = fetch(invoke)
    assert (costs.paid, fetched.costs.paid_requests) == (3, 3)


@pytest.mark.parametrize(
    ("later", "due"),
    [
        ({}, a_client_due("acme", a_run(run_id="another-run"))),
        ({}, a_client_due("acme", a_run("2026-09"))),
        ({"minutes": 26}, None),
        ({"hours": 18}, None),
    ],
    ids=["another run", "another period", "too old", "of the day before"],
)
def test_answers_of_another_run_or_time_are_never_mixed_into_a_document(
    later: dict[str, int], due: Any, invoke: Invoke, world: World, costs: Costs, clock: Clock
) -> None:
    world.add(of_account(BAKERY))
    interrupted(invoke, costs)
    clock.pass_by(**later)
    assert fetch(invoke, due).costs.paid_requests == 2
    assert costs.paid == 3


def test_answers_are_used_up_once_a_document_is_made_of_them(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    fetch(invoke)
    assert fetch(invoke, a_client_due("acme", a_run(refresh=True))).costs.paid_requests == 2
    assert costs.paid == 4


def test_figures_that_were_not_there_are_asked_for_anew_by_the_same_run(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    answered(costs, "ResultsByTime", lambda body: body | {"ResultsByTime": body["ResultsByTime"][:-1]})
    with pytest.raises(CostsNotReady):
        fetch(invoke)
    costs.tamper = lambda request, body: body
    assert fetch(invoke).costs.paid_requests == 2
    assert costs.paid == 4


def test_kept_answers_that_were_changed_are_not_believed(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY))
    interrupted(invoke, costs)
    (key,) = world.keys()
    s3 = boto3.client("s3")
    metadata = s3.head_object(Bucket=world.bucket, Key=key)["Metadata"]
    s3.put_object(Bucket=world.bucket, Key=key, Body=world.get(key).replace(b"Usage", b"Other"), Metadata=metadata)
    assert fetch(invoke).costs.paid_requests == 2
    assert costs.paid == 3


def test_one_account_that_is_busy_does_not_make_the_others_pay_again(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY, more_accounts=several(CREDITS, EURO)))
    busy = by_account(costs, EURO, (400, {"__type": "LimitExceededException"}))
    with pytest.raises(CostsThrottled):
        fetch(invoke)
    paid = costs.paid
    busy.clear()
    fetched = fetch(invoke)
    assert fetched.costs.paid_requests == costs.paid
    assert costs.paid > paid
    assert [each.account_id for each in document(world, fetched).accounts_read] == [BAKERY, CREDITS, EURO]
    again = {key for key in asked_of(costs) if key[0] in (BAKERY, CREDITS)}
    assert all(asked_of(costs).count(key) == 1 for key in again)


# -- accounts side by side ---------------------------------------------------------------------------------------------


def several(*accounts: str) -> tuple[dict[str, Any], ...]:
    """Further accounts of a client."""
    return tuple(
        {
            "name": f"Account {account}",
            "access": {"kind": "role", "role_arn": f"arn:aws:iam::{account}:role/reader", "external_id": "ours"},
        }
        for account in accounts
    )


def asked_of(costs: Costs) -> list[tuple[str, str]]:
    """Each answered request: whose account, and what was asked."""
    return costs.answered  # type: ignore[attr-defined]


def by_account(costs: Costs, account: str, answer: tuple[int, Json]) -> dict[str, tuple[int, Json]]:
    """Refuse what one account asks, until the result is cleared; note what is answered to any."""
    refused, honest, noted = {account: answer}, costs.answer, list[tuple[str, str]]()
    costs.answered = noted  # type: ignore[attr-defined]

    def reply(operation: str, request: Json, of: str) -> tuple[int, Json]:
        if of in refused:
            return refused[of]
        noted.append((of, operation + json.dumps(request, sort_keys=True)))
        return honest(operation, request, of)

    costs.answer = reply  # type: ignore[method-assign]
    return refused


def test_four_accounts_are_asked_at_once_and_stand_in_the_order_of_the_record(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    """The four meet before any is answered, and the first of the record is answered last of all."""
    accounts = (EURO, BAKERY, CREDITS, YOUNG)
    world.add(of_account(accounts[0], more_accounts=several(*accounts[1:])))
    honest, meeting, others = costs.answer, threading.Barrier(4), threading.Semaphore(0)
    met: set[str] = set()

    def reply(operation: str, request: Json, of: str) -> tuple[int, Json]:
        if of not in met:
            met.add(of)
            meeting.wait(timeout=30)
            if of == accounts[0]:
                for _ in accounts[1:]:
                    assert others.acquire(timeout=30)
        answer = honest(operation, request, of)
        if of != accounts[0] and request["Granularity"] == "DAILY":
            others.release()
        return answer

    costs.answer = reply  # type: ignore[method-assign]
    stored = document(world, fetch(invoke))
    assert not meeting.broken
    assert tuple(each.account_id for each in stored.accounts_read) == accounts
    assert [query.account_id for query in stored.queries] == [of for of in accounts for _ in range(3)]


def test_the_failure_of_one_account_is_no_other_s(invoke: Invoke, world: World, costs: Costs) -> None:
    world.add(of_account(BAKERY, more_accounts=several(CREDITS, EURO), on_partial="send_marked"))
    by_account(costs, CREDITS, (400, {"__type": "AccessDeniedException", "message": PAYER}))
    stored = document(world, fetch(invoke))
    assert [each.account_id for each in stored.accounts_read] == [BAKERY, EURO]
    assert [(each.account_id, each.error) for each in stored.accounts_not_read] == [(CREDITS, "PayerDeniesAccess")]


# -- refusals ----------------------------------------------------------------------------------------------------------

PAYER = "Linked account doesn't have access to cost explorer."
"""mlabouardy/komiser#43 and #130, and whoever else meets it."""
CONSOLIDATED = (
    "Your account is a part of consolidated billing. For you to be able to use Cost Explorer, your Payer account needs "
    "to enable Cost Explorer."
)
"""numfocus/infrastructure#1."""
POLICY = "arn:aws:organizations::210000000099:policy/o-abc/service_control_policy/p-123"
WHO = "User: arn:aws:sts::210000000002:assumed-role/reader/cost-reporting is not authorized to perform: "
WHAT = "ce:GetCostAndUsage on resource: arn:aws:ce:us-east-1:210000000002:/GetCostAndUsage"


@pytest.mark.parametrize(
    ("code", "said", "error"),
    [
        ("AccessDeniedException", PAYER, PayerDeniesAccess),
        ("AccessDeniedException", CONSOLIDATED, PayerDeniesAccess),
        (
            "AccessDeniedException",
            f"{WHO}{WHAT} with an explicit deny in a service control policy",  # IAM User Guide
            PolicyDeniesAccess,
        ),
        (
            "AccessDeniedException",
            f"{WHO}{WHAT} with an explicit deny in a service control policy: {POLICY}",
            PolicyDeniesAccess,
        ),
        ("AccessDeniedException", f"{WHO}{WHAT} with an explicit deny", PolicyDeniesAccess),  # Optum/dce#208
        (
            "AccessDeniedException",
            f"{WHO}{WHAT} because no service control policy allows the ce:GetCostAndUsage action",
            PolicyDeniesAccess,
        ),
        (
            "AccessDeniedException",
            f"{WHO}{WHAT} because no permissions boundary allows the ce:GetCostAndUsage action",
            PolicyDeniesAccess,
        ),
        (
            "AccessDeniedException",
            f"{WHO}{WHAT} because no identity-based policy allows the ce:GetCostAndUsage action",
            ClientAccessDenied,
        ),
        ("AccessDeniedException", f"{WHO}{WHAT}", ClientAccessDenied),
        (
            "AccessDeniedException",
            f"{WHO}{WHAT}".replace("role/reader", "role/service control policy-explicit deny-linked account is not"),
            PolicyDeniesAccess,
        ),
        ("AccessDeniedException", "User not enabled for cost explorer access", CostExplorerDisabled),
        ("OptInRequired", "The AWS Access Key Id needs a subscription for the service", AccountClosed),
        ("AccessDeniedException", "Your account is suspended", AccountClosed),
        ("ExpiredTokenException", "The security token included in the request is expired", CredentialsRejected),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", CredentialsRejected),
        ("ValidationException", "Start date should be before end date", CostsRefused),
    ],
)
def test_a_refusal_has_the_name_whose_remedy_fits_and_keeps_aws_s_sentence(
    code: str, said: str, error: type[CostReportingError], invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    costs.refuse_after(0, (400, {"__type": code, "message": said}))
    with pytest.raises(error) as raised:
        fetch(invoke)
    told = str(raised.value)
    assert said.replace("role/reader/cost-reporting", "role/reader/…") in told or "/…" in told
    assert "210000000002" in told or "210000000002" not in said, "whose account it is has to be known"


def test_a_refusal_shows_no_secret_no_address_and_no_session(invoke: Invoke, world: World, costs: Costs) -> None:
    token = "IQoJb3JpZ2luX2VjEPr//////////wEaCXVzLWVhc3QtMSJGMEQCIG"
    said = (
        "The request signature we calculated does not match the signature you provided.\nThe Canonical String was\n"
        f"'POST\n/\n\nhost:ce.us-east-1.amazonaws.com\nx-amz-security-token:{token}\n' for key ASIAIOSFODNN7EXAMPLE, "
        f"SecretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY of "
        "arn:aws:sts::210000000002:assumed-role/reader/anna@tiny-bakery.example and bob@acme.example"
    )
    world.add(of_account(BAKERY))
    costs.refuse_after(0, (400, {"__type": "InvalidSignatureException", "message": said}))
    with pytest.raises(CredentialsRejected, match="signature we calculated does not match") as raised:
        fetch(invoke)
    told = str(raised.value)
    for canary in (token, "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "anna@", "bob@", "\n"):
        assert canary not in told
    assert len(told) < 600


def test_a_role_that_a_policy_of_the_organization_keeps_us_from_is_not_missing_trust(
    invoke: Invoke, world: World, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    said = "User: x is not authorized to perform: sts:AssumeRole with an explicit deny in a service control policy"
    wire.order("sts.AssumeRole", refusal("AccessDenied", 403, said))
    with pytest.raises(PolicyDeniesAccess, match="explicit deny in a service control policy"):
        fetch(invoke)


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_credentials_that_expire_in_the_middle_are_renewed_once(
    code: str, invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    """A role's last 15 minutes, and so does the function that reads many accounts with them."""
    world.add(of_account(BAKERY))
    wire.order("ce.GetCostAndUsage", None, refusal(code))
    assert fetch(invoke).costs.paid_requests == costs.paid == 2
    assert wire.count("sts.AssumeRole") == 2
    wire.order("ce.GetCostAndUsage", refusal(code), refusal(code))
    with pytest.raises(CredentialsRejected):
        fetch(invoke, a_client_due("acme", a_run(refresh=True)))


# -- what an answer may leave out --------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["ResultsByTime", "ResultsByTime.0.Groups"])
def test_days_and_record_types_that_an_answer_leaves_out_are_an_error_by_name(
    member: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY))
    answered(costs, "ResultsByTime", lambda body: without(body, member))
    with pytest.raises((CostsNotReady, CostsUnreadable), match=r"^acme: "):
        fetch(invoke)


def test_a_section_that_breaks_in_a_way_that_was_not_thought_of_ends_no_report_and_is_counted(
    invoke: Invoke, world: World, costs: Costs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("4,217.00 of acme")

    monkeypatch.setattr("cost_reporting.sources.cost_explorer.sections._anomaly", broken)
    world.add(of_account(NORTHWIND, sections=("anomalies",)))
    costs.emulate(page_size=100_000)
    fetched = fetch(invoke)
    gap = document(world, fetched).not_available["anomalies"]
    assert gap.error == "CostsUnreadable"
    assert fetched.costs.unreadable == 1
    (event,) = [record for record in caplog.records if record.message == "section_broke"]
    assert (vars(event)["section"], vars(event)["error"]) == ("anomalies", "ZeroDivisionError")
    assert not [record for record in caplog.records if "4,217.00" in str(vars(record))]
    (answers,) = [key for key in world.keys() if "/answers-" in key]  # noqa: SIM118 - not a mapping
    assert "AnomalyId" in world.get(answers).decode()


ANOMALY = {
    "AnomalyId": "a",
    "AnomalyScore": {"MaxScore": 1, "CurrentScore": 1},
    "AnomalyStartDate": "2026-10-28T00:00:00Z",
    "AnomalyEndDate": "2026-11-03T00:00:00Z",
    "DimensionValue": "AWS Lambda",
    "Impact": {"MaxImpact": 900.0, "TotalImpact": 5400.1, "TotalExpectedSpend": 843.5},
    "MonitorArn": f"arn:aws:ce::{BAKERY}:anomalymonitor/a",
    "RootCauses": [{"Service": "AWS Lambda", "Region": "eu-central-1"}],
}


def found(invoke: Invoke, world: World, costs: Costs, *anomalies: Json, monitors: int = 1) -> Any:
    """The section of a client whose Cost Explorer finds ``anomalies``."""
    costs.emulate()
    bodies = {
        "Anomalies": list(anomalies),
        "AnomalyMonitors": [{"MonitorName": "m", "MonitorType": "CUSTOM"}] * monitors,
    }
    costs.tamper = lambda request, body: {key: bodies.get(key, value) for key, value in body.items()}
    world.add(of_account(BAKERY, sections=("anomalies",)))
    fetched = fetch(invoke, a_client_due("acme", a_run(refresh=True)))
    return document(world, fetched).anomalies


def test_anomalies_are_asked_for_by_the_day_on_which_they_ended_until_yesterday(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    (anomaly,) = found(invoke, world, costs, ANOMALY)
    (call,) = [call for call in wire.calls if call.operation == "ce.GetAnomalies"]
    assert call.parameters["DateInterval"] == {"StartDate": "2026-09-01", "EndDate": "2026-11-07"}
    assert (str(anomaly.first_day), str(anomaly.last_day), str(anomaly.impact)) == (
        "2026-10-28",
        "2026-11-03",
        "5400.1",
    )


def test_an_anomaly_of_the_period_before_is_known_and_a_later_one_is_left_out(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    before = ANOMALY | {"AnomalyStartDate": "2026-08-30", "AnomalyEndDate": "2026-09-02"}
    after = ANOMALY | {"AnomalyStartDate": "2026-11-01", "AnomalyEndDate": "2026-11-02"}
    assert [str(each.last_day) for each in found(invoke, world, costs, before, ANOMALY, after)] == [
        "2026-09-02",
        "2026-11-03",
    ]


@pytest.mark.parametrize("member", ["AnomalyStartDate", "Impact.TotalImpact", "Impact"])
def test_an_anomaly_of_which_the_first_day_or_the_amount_is_not_known_makes_the_section_unknown(
    member: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    section = found(invoke, world, costs, ANOMALY, without(ANOMALY, member))
    assert isinstance(section, NotAvailable)
    assert section.error == "CostsUnreadable"
    assert member.rpartition(".")[2] in section.reason


def test_what_else_aws_does_not_say_of_an_anomaly_is_unknown_and_not_zero(
    invoke: Invoke, world: World, costs: Costs
) -> None:
    bare = without(without(without(ANOMALY, "AnomalyEndDate"), "RootCauses"), "Impact.TotalExpectedSpend")
    (anomaly,) = found(invoke, world, costs, bare)
    assert isinstance(anomaly, Anomaly)
    assert (anomaly.last_day, anomaly.expected, anomaly.region) == (None, None, None)
    assert anomaly.service == "AWS Lambda"


def test_no_anomaly_without_a_monitor_is_not_nothing_unusual(invoke: Invoke, world: World, costs: Costs) -> None:
    section = found(invoke, world, costs, monitors=0)
    assert isinstance(section, NotAvailable)
    assert section.error == "AnomaliesNotMonitored"
    assert found(invoke, world, costs) == ()
    assert costs.paid == 4, "the monitors are asked for, and paid, where nothing was found"
    assert len(found(invoke, world, costs, ANOMALY)) == 1
    assert costs.paid == 3


def test_monitors_that_may_not_be_seen_leave_it_unknown(invoke: Invoke, world: World, costs: Costs, wire: Wire) -> None:
    wire.order("ce.GetAnomalyMonitors", refusal("AccessDeniedException", message=f"{WHO}ce:GetAnomalyMonitors"))
    section = found(invoke, world, costs)
    assert isinstance(section, NotAvailable)
    assert section.error == "ClientAccessDenied"


def forecast(invoke: Invoke, world: World, costs: Costs, change: Callable[[Json], Json]) -> CostDocument:
    """The document of a client whose forecast is changed."""
    world.add(of_account(BAKERY, sections=("forecast",)))
    answered(costs, "ForecastResultsByTime", change)
    return document(world, fetch(invoke))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: without(body, "ForecastResultsByTime"),
        lambda body: body | {"ForecastResultsByTime": []},
        lambda body: without(body, "ForecastResultsByTime.0.MeanValue"),
        lambda body: without(body, "ForecastResultsByTime.0.TimePeriod"),
        lambda body: starting(body, "2026-11-01"),
        lambda body: starting(body, "2026-11-09"),
        lambda body: body | {"ForecastResultsByTime": body["ForecastResultsByTime"] * 2},
        lambda body: json.loads(json.dumps(body).replace('"MeanValue": "', '"MeanValue": "about ')),
    ],
    ids=["no results", "empty", "no mean", "no period", "from the first", "a day short", "twice", "no number"],
)
def test_a_forecast_that_is_not_about_the_rest_of_the_month_is_added_to_nothing(
    change: Callable[[Json], Json], invoke: Invoke, world: World, costs: Costs
) -> None:
    """Public users disagree whether an answer contains the days gone by; only its own TimePeriod says so."""
    section = forecast(invoke, world, costs, change).forecast
    assert isinstance(section, NotAvailable)
    assert section.error == "CostsUnreadable"


def starting(body: Json, day: str) -> Json:
    """The forecast as if it began on ``day``."""
    (result,) = body["ForecastResultsByTime"]
    return body | {"ForecastResultsByTime": [result | {"TimePeriod": result["TimePeriod"] | {"Start": day}}]}


@pytest.mark.parametrize("bound", ["PredictionIntervalLowerBound", "PredictionIntervalUpperBound"])
def test_a_forecast_without_its_bounds_has_no_range(bound: str, invoke: Invoke, world: World, costs: Costs) -> None:
    section = forecast(invoke, world, costs, lambda body: without(body, f"ForecastResultsByTime.0.{bound}")).forecast
    assert isinstance(section, Forecast)
    assert (section.low, section.high) == (None, None)
    assert section.mean > section.so_far


def lacking(*days: str) -> Callable[[Json, Json], Json]:
    """Answers by day without these."""

    def tamper(request: Json, body: Json) -> Json:
        if request.get("Granularity") != "DAILY" or "ResultsByTime" not in body:
            return body
        kept = [each for each in body["ResultsByTime"] if each["TimePeriod"]["Start"] not in days]
        return body | {"ResultsByTime": kept}

    return tamper


def test_a_forecast_stands_for_the_last_days_that_are_not_there_yet(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY, sections=("forecast",)))
    costs.tamper = lacking("2026-11-07")
    section = document(world, fetch(invoke)).forecast
    (call,) = [call for call in wire.calls if call.operation == "ce.GetCostForecast"]
    assert call.parameters["TimePeriod"] == {"Start": "2026-11-07", "End": "2026-12-01"}
    assert isinstance(section, Forecast)
    assert str(section.until) == "2026-11-07"
    assert section.mean > section.so_far


@pytest.mark.parametrize("day", ["2026-11-01", "2026-11-04"])
def test_a_month_so_far_of_which_a_day_is_not_known_is_not_known(
    day: str, invoke: Invoke, world: World, costs: Costs
) -> None:
    world.add(of_account(BAKERY, sections=("forecast",)))
    costs.tamper = lacking(day)
    section = document(world, fetch(invoke)).forecast
    assert isinstance(section, NotAvailable)
    assert (section.error, section.reason) == ("CostsNotReady", f"the costs of {day} are not known yet")
    assert costs.paid == 2, "nothing is asked that could not be used"
