"""`onboard` and `validate`: a role that lets us in and nobody else, and each permission tried."""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.api import lint_all
from moto.core import DEFAULT_ACCOUNT_ID

import _console
import _deployment
import validate_migration
from cost_reporting.clients import RoleAccess
from cost_reporting.errors import InvalidRequest
from cost_reporting.operations.clients import onboarding
from cost_reporting.sources.cost_explorer.permissions import ACTIONS, OPERATIONS, WANTED_LATER, price, trials
from cost_reporting.store.clients import row
from tests.builders import a_client, a_client_due, a_run
from tests.contract.documents import resources, template
from tests.functional.conftest import NOW, Answer, Costs, Wire, World, refusal
from tests.functional.test_client_manager import CANARY, Ended, Manage, acme, manage, rows
from tests.functional.test_fetch_costs import BAKERY, DENIED, Invoke, fetch, of_account

__all__ = ["manage"]
ACCOUNT = "210000000002"
FETCH_COSTS = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/cost-reporting-FetchCostsFunctionRole-1A2B3C4D5E6F"
OPERATOR = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/operators"


@pytest.fixture(autouse=True)
def stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the stack says besides what a function is told."""
    monkeypatch.setenv("PREFIX", "cost-reporting")
    monkeypatch.setenv("READER_ROLE_NAME", "cost-reporting-reader")
    monkeypatch.setenv("FETCH_COSTS_ROLE_ARN", FETCH_COSTS)


def made(folder: str = "out/onboarding/acme") -> dict[str, Any]:
    return json.loads((Path(folder) / onboarding.TEMPLATE).read_text())


def trust(document: dict[str, Any]) -> dict[str, Any]:
    role = document["Resources"]["CostReportingReader"]["Properties"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    return statement


# -- onboard -----------------------------------------------------------------------------------------------------------


def test_the_template_trusts_the_function_and_the_operator_under_an_external_id_of_the_client_s_own(
    manage: Manage, world: World
) -> None:
    answer = manage("onboard", "--client-id", "acme", "--account", ACCOUNT, "--operator", OPERATOR)
    assert answer.code == 0, answer.err
    said = trust(made())
    assert said["Principal"] == {"AWS": f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:root"}
    assert said["Condition"]["ArnLike"]["aws:PrincipalArn"] == [
        f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/cost-reporting-FetchCostsFunctionRole-*",
        OPERATOR,
    ]
    external_id = said["Condition"]["StringEquals"]["sts:ExternalId"]
    assert re.fullmatch(r"[0-9a-f]{64}", external_id), "256 bits"
    access = json.loads(Path("out/onboarding/acme/access.json").read_text())
    assert access == {
        "kind": "role",
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/cost-reporting-reader",
        "external_id": external_id,
    }
    assert external_id not in answer.out + answer.err
    for name in ("access.json", "instructions.txt", onboarding.TEMPLATE):
        assert stat.S_IMODE((Path("out/onboarding/acme") / name).stat().st_mode) == 0o600
    assert json.loads(world.get(f"onboarding/acme/{onboarding.TEMPLATE}")) == made()


def test_cloudformation_takes_the_template(manage: Manage, world: World) -> None:
    manage("onboard", "--client-id", "acme", "--account", ACCOUNT)
    found = lint_all(Path("out/onboarding/acme", onboarding.TEMPLATE).read_text())
    assert [str(each) for each in found if not each.rule.id.startswith("I")] == []


def test_asked_again_it_is_the_same_external_id_unless_a_new_one_is_asked_for(manage: Manage, world: World) -> None:
    manage("onboard", "--client-id", "acme", "--account", ACCOUNT)
    first = made()
    assert manage("onboard", "--client-id", "acme").code == 0
    assert made() == first
    moved = manage("onboard", "--client-id", "acme", "--account", "210000000003")
    assert (moved.code, f"--account: acme is onboarded for account {ACCOUNT}" in moved.err) == (2, True)
    assert manage("onboard", "--client-id", "acme", "--account", "210000000003", "--new").code == 0
    second = trust(made())["Condition"]["StringEquals"]["sts:ExternalId"]
    assert second != trust(first)["Condition"]["StringEquals"]["sts:ExternalId"]
    (item,) = world.outcomes("CLIENT#acme")
    assert (item["sk"], item["access"]["external_id"]) == ("ONBOARDING", second)


def test_a_client_with_a_record_keeps_its_external_id(manage: Manage, world: World) -> None:
    world.add_row(row(acme()))
    assert manage("onboard", "--client-id", "acme").code == 0
    assert trust(made())["Condition"]["StringEquals"]["sts:ExternalId"] == CANARY
    refused = manage("onboard", "--client-id", "acme", "--new")
    assert (refused.code, "--new: the client has a record, whose ExternalId is in use" in refused.err) == (2, True)


def test_operators_add_up(manage: Manage, world: World) -> None:
    manage("onboard", "--client-id", "acme", "--account", ACCOUNT, "--operator", OPERATOR)
    manage("onboard", "--client-id", "acme", "--operator", f"{OPERATOR}-2")
    assert {OPERATOR, f"{OPERATOR}-2"} < set(trust(made())["Condition"]["ArnLike"]["aws:PrincipalArn"])


def test_from_sample_to_record_nobody_types_the_external_id(manage: Manage, world: World) -> None:
    manage("sample-config", "--output", "new.json")
    assert manage("onboard", "--client-id", "acme", "--account", ACCOUNT, "--config", "new.json").code == 0
    sample = json.loads(Path("new.json").read_text())
    edits = {"client_id": "acme", "client_name": "Acme", "recipients": ["a@acme.example"], "reply_to": "b@c.example"}
    Path("new.json").write_text(json.dumps(sample | edits))
    assert manage("add", "--config", "new.json").code == 0
    assert rows(world)["acme"]["access"] == json.loads(Path("out/onboarding/acme/access.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--account", "12"), "--account: expected 12 digits."),
        ((), "--account: in which account"),
        (("--account", ACCOUNT, "--operator", "me"), "--operator: me is no ARN"),
        (("--account", ACCOUNT, "--operator", "arn:aws:iam::999999999999:role/x"), "--operator: all who may use"),
        (("--account", ACCOUNT, "--config", "nothing.json"), "--config: nothing.json: No such file"),
        (("--account", ACCOUNT, "--config", "other.json"), "--config: other.json is another client's record."),
    ],
)
def test_wrong_input_names_the_option_and_leaves_nothing(
    arguments: tuple[str, ...], said: str, manage: Manage, world: World
) -> None:
    Path("other.json").write_text('{"client_id": "globex"}')
    answer = manage("onboard", "--client-id", "acme", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert not Path("out").exists()
    assert world.keys() == []


def test_a_link_is_given_only_if_cloudformation_takes_its_length(
    manage: Manage, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = manage("onboard", "--client-id", "acme", "--account", ACCOUNT, "--json").json["link"]
    assert link.startswith("https://console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/quickcreate?")
    assert "X-Amz-Expires%3D43200" in link
    assert link in Path("out/onboarding/acme/instructions.txt").read_text()
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t" * 900)
    boto3.DEFAULT_SESSION = None
    without = manage("onboard", "--client-id", "acme", "--json")
    assert (without.code, without.json["link"]) == (0, None)
    assert "No quick-create link" in without.err


@pytest.mark.parametrize(
    ("caller", "patterns"),
    [
        ("arn:aws:iam::1:user/ann", ("arn:aws:iam::1:user/ann",)),
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Ops_0a1b/ann@x.example",
            (
                "arn:aws:iam::123456789012:role/AWSReservedSSO_Ops_0a1b",
                "arn:aws:iam::123456789012:role/*/AWSReservedSSO_Ops_0a1b",
            ),
        ),
    ],
)
def test_a_session_is_named_by_its_role(caller: str, patterns: tuple[str, ...]) -> None:
    assert onboarding.principals_of(caller) == patterns


def test_a_rotation_can_trust_both_external_ids_for_a_while() -> None:
    access = RoleAccess(kind="role", role_arn=f"arn:aws:iam::{ACCOUNT}:role/path/to/reader", external_id="old-id")
    document = json.loads(onboarding.template(access, (FETCH_COSTS,), external_ids=("new-id",)))
    assert trust(document)["Condition"]["StringEquals"]["sts:ExternalId"] == ["old-id", "new-id"]
    properties = document["Resources"]["CostReportingReader"]["Properties"]
    assert (properties["Path"], properties["RoleName"]) == ("/path/to/", "reader")
    with pytest.raises(InvalidRequest, match="all who may use the role"):
        onboarding.template(access, (FETCH_COSTS, "arn:aws:iam::999999999999:root"))


def test_the_role_may_do_what_reports_ask_and_nothing_else(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    """The operations of a report with every section, as they went over the wire."""
    everything = ("accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings")
    world.add(of_account("210000000001", sections=everything, tag_keys=("Project",)))
    fetch(invoke, a_client_due("acme", a_run("2026-10")))
    asked = {call.operation for call in wire.calls if call.operation.startswith("ce.")}
    where_nothing_is_unusual = {"ce:GetAnomalyMonitors"}
    used = {f"ce:{operation.partition('.')[2]}" for operation in asked} | where_nothing_is_unusual
    assert used == set(ACTIONS) - set(WANTED_LATER)


def test_each_permission_of_the_role_is_one_that_there_is_and_reads() -> None:
    """Actions are called as operations are (Service Authorization Reference); botocore has the operations' models."""
    session = boto3.Session()._session
    for action in ACTIONS:
        service, _, operation = action.partition(":")
        assert operation in session.get_service_model(service).operation_names, action
        assert operation.startswith(("Get", "List", "Describe")), action
    wanted = {
        "ce:GetAnomalyMonitors",
        *(f"billing:{name}" for name in ("GetCredits", "ListBillingViews", "GetBillingView")),
        *(f"cost-optimization-hub:{name}" for name in ("ListRecommendations", "GetRecommendation")),
        *(f"ce:{name}" for name in ("GetCostCategories", "GetDimensionValues", "GetTags", "GetCostComparisonDrivers")),
    }
    assert wanted <= set(ACTIONS)


def test_the_pattern_of_the_function_fits_the_name_that_the_stack_gives_it() -> None:
    assert template()["Outputs"]["FetchCostsRoleArn"]["Value"] == "${FetchCostsFunctionRole.Arn}"
    assert "FetchCostsFunction" in resources("AWS::Serverless::Function")
    assert onboarding.reader_of(FETCH_COSTS).endswith(":role/cost-reporting-FetchCostsFunctionRole-*")
    named = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/our-own-name"
    assert onboarding.reader_of(named) == named


# -- validate ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def strict_sts(wire: Wire) -> Callable[..., None]:
    """moto asks no trust policy: STS refuses what an order says, call by call."""

    def order(*answers: bool) -> None:
        wire.order("sts.AssumeRole", *(None if granted else refusal("AccessDenied", 403) for granted in answers))

    return order


@pytest.fixture
def ses(wire: Wire) -> Callable[..., None]:
    """A mail account in production in which nobody is suppressed, but for what a test says."""

    def ses(*, sandbox: bool = False, sending: bool = True, suppressed: str = "") -> None:
        quota = {"Max24HourSend": 200.0, "SentLast24Hours": 50.0}
        account = {"SendingEnabled": sending, "ProductionAccessEnabled": not sandbox, "SendQuota": quota}
        wire.order("sesv2.GetAccount", Answer(200, account))
        wire.order("sesv2.GetEmailIdentity", Answer(200, {"VerifiedForSendingStatus": True}))
        there = {"EmailAddress": "x", "Reason": suppressed, "LastUpdateTime": NOW}
        answer = Answer(200, {"SuppressedDestination": there}) if suppressed else refusal("NotFoundException", 404)
        wire.order("sesv2.GetSuppressedDestination", answer)

    return ses


def findings(answer: Ended) -> dict[str, dict[str, str]]:
    return {each["name"]: each for each in answer.json["findings"]}


@pytest.fixture
def bakery(world: World, costs: Costs) -> World:
    world.add_row(row(of_account(BAKERY).model_copy(update={"access": acme().access})))
    return world


def test_a_client_in_order_is_told_so_permission_by_permission(
    manage: Manage, bakery: World, costs: Costs, strict_sts: Any, ses: Any
) -> None:
    strict_sts(True, False, False)
    ses()
    answer = manage("validate", "--client-id", "acme", "--yes", "--json")
    found = findings(answer)
    assert answer.code == 0, found
    verdicts = {name: each["verdict"] for name, each in found.items()}
    assert {name for name, verdict in verdicts.items() if verdict == "not needed"} == {
        "logo",
        "permissions for sections to come",
        *(f"ce:{operation}" for operation, section in OPERATIONS.items() if section),
    }
    assert set(verdicts.values()) == {"ok", "not needed"}
    assert costs.paid == 1
    assert "That takes 1 paid requests, USD 0.01" in answer.err
    assert CANARY not in answer.out + answer.err


def test_nothing_is_paid_unless_somebody_says_so(
    manage: Manage, bakery: World, costs: Costs, strict_sts: Any, ses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for paid, word in ((0, ""), (1, "y")):
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda word=word: word)
        strict_sts(True, False, False)
        ses()
        answer = manage("validate", "--client-id", "acme", "--json")
        assert (answer.code, costs.paid) == (0, paid)
        assert findings(answer)["ce:GetCostAndUsage"]["verdict"] == ("ok" if paid else "not checked")


def test_a_trust_without_the_condition_is_a_finding(manage: Manage, bakery: World, strict_sts: Any, ses: Any) -> None:
    strict_sts(True, True, False)
    ses()
    answer = manage("validate", "--client-id", "acme", "--json")
    found = findings(answer)
    assert (answer.code, answer.json["status"]) == (1, "failed")
    assert found["wrong ExternalId refused"]["verdict"] == "failed"
    assert "no condition on sts:ExternalId" in found["wrong ExternalId refused"]["cause"]
    assert "onboard" in found["wrong ExternalId refused"]["remedy"]
    assert found["no ExternalId refused"]["verdict"] == "ok"


def test_what_was_refused_for_want_of_access_is_not_taken_for_a_sound_trust(
    manage: Manage, bakery: World, costs: Costs, strict_sts: Any, ses: Any
) -> None:
    strict_sts(False)
    ses()
    found = findings(manage("validate", "--client-id", "acme", "--yes", "--json"))
    assert found["assume role"]["verdict"] == "failed"
    for name in ("wrong ExternalId refused", "no ExternalId refused", "Cost Explorer enabled", "ce:GetCostAndUsage"):
        assert found[name]["verdict"] == "not checked"
    assert costs.paid == 0


PAYER = "Linked account doesn't have access to cost explorer"
WHO = "User: arn:aws:sts::210000000002:assumed-role/reader/session is not authorized to perform: ce:GetCostAndUsage"
SCP = "an explicit deny in a service control policy"


@pytest.mark.parametrize("said", [PAYER, f"{WHO} with {SCP}"])
def test_a_client_is_not_told_to_allow_what_its_role_allows(
    said: str, manage: Manage, bakery: World, costs: Costs, strict_sts: Any, ses: Any
) -> None:
    """The payer's switch and an organization's policy are not changed in the client's account."""
    costs.faults.append((400, {"__type": "AccessDeniedException", "message": said}))
    strict_sts(True, False, False)
    ses()
    answer = manage("validate", "--client-id", "acme", "--yes", "--json")
    (failed,) = [finding for finding in findings(answer).values() if finding["verdict"] == "failed"]
    assert "Have the client allow" not in answer.out
    assert said.rpartition("reader/session ")[2] in failed["cause"], "AWS's own sentence"
    assert "management account" in failed["remedy"]


@pytest.mark.parametrize(
    ("refusals", "name", "verdict", "cause"),
    [
        ([("AccessDeniedException", "no")], "ce:GetCostAndUsage", "failed", "ClientAccessDenied"),
        (
            [("AccessDeniedException", "User not enabled for cost explorer access")],
            "Cost Explorer enabled",
            "failed",
            "CostExplorerDisabled",
        ),
        ([("AccessDeniedException", PAYER)], "Cost Explorer enabled", "failed", "PayerDeniesAccess"),
        ([("AccessDeniedException", f"{WHO} with {SCP}")], "ce:GetCostAndUsage", "failed", "PolicyDeniesAccess"),
        ([("OptInRequired", "not subscribed")], "ce:GetCostAndUsage", "failed", "AccountClosed"),
        ([("ExpiredTokenException", "expired")], "ce:GetCostAndUsage", "failed", "CredentialsRejected"),
        ([("DataUnavailableException", "no")], "ce:GetCostAndUsage", "ok", "no figures yet"),
        ([("LimitExceededException", "no")] * 2, "ce:GetCostAndUsage", "not checked", "CostsThrottled"),
    ],
)
def test_each_answer_of_cost_explorer_has_its_cause(
    refusals: list[tuple[str, str]], name: str, verdict: str, cause: str,
    manage: Manage, bakery: World, costs: Costs, strict_sts: Any, ses: Any,
) -> None:  # fmt: skip
    costs.faults.extend((400, {"__type": code, "message": message}) for code, message in refusals)
    strict_sts(True, False, False)
    ses()
    found = findings(manage("validate", "--client-id", "acme", "--yes", "--json"))
    assert found[name]["verdict"] == verdict
    assert cause in found[name]["cause"]
    assert found[name]["remedy"] or verdict == "ok"


@pytest.mark.parametrize(
    ("standing", "name", "cause"),
    [
        ({"sandbox": True}, "SES account", "in the sandbox"),
        ({"sending": False}, "SES account", "switched off"),
        ({"suppressed": "BOUNCE"}, "recipient anna@tiny-bakery.example", "suppression list: BOUNCE of 2026-11-08"),
    ],
)
def test_what_keeps_mail_from_arriving_is_named(
    standing: dict[str, Any], name: str, cause: str, manage: Manage, bakery: World, strict_sts: Any, ses: Any
) -> None:
    bakery.add_row(rows(bakery)["acme"] | {"recipients": ["anna@tiny-bakery.example"]})
    strict_sts(True, False, False)
    ses(**standing)
    answer = manage("validate", "--client-id", "acme", "--json")
    assert (answer.code, findings(answer)[name]["verdict"]) == (1, "failed")
    assert cause in findings(answer)[name]["cause"]


def test_what_ses_does_not_say_is_unknown_and_not_in_order(
    manage: Manage, bakery: World, strict_sts: Any, wire: Wire
) -> None:
    strict_sts(True, False, False)
    for operation in ("GetAccount", "GetEmailIdentity", "GetSuppressedDestination"):
        wire.order(f"sesv2.{operation}", refusal("AccessDeniedException", 403))
    found = findings(manage("validate", "--client-id", "acme", "--json"))
    unknown = [name for name, each in found.items() if "AccessDeniedException" in each["cause"]]
    assert {found[name]["verdict"] for name in unknown} == {"not checked"}
    assert len(unknown) == 3


def test_a_logo_that_the_report_would_leave_out_is_named(
    manage: Manage, bakery: World, strict_sts: Any, ses: Any
) -> None:
    bakery.add_row(rows(bakery)["acme"] | {"branding": {"colour": "#0b4f6c", "logo": "logo.png"}})
    for body, cause in ((None, "nothing is stored"), (b"GIF89a", "neither PNG nor SVG")):
        if body:
            bakery.put("clients/acme/logo.png", body)
        strict_sts(True, False, False)
        ses()
        assert cause in findings(manage("validate", "--client-id", "acme", "--json"))["logo"]["cause"]


def test_a_role_that_the_function_may_not_assume_is_named_though_the_operator_may(
    manage: Manage, bakery: World, strict_sts: Any, ses: Any
) -> None:
    access = {"kind": "role", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/another", "external_id": CANARY}
    bakery.add_row(rows(bakery)["acme"] | {"access": access})
    strict_sts(True, False, False)
    ses()
    found = findings(manage("validate", "--client-id", "acme", "--json"))
    assert (
        "the role is called another, and the stack's ReaderRoleName is cost-reporting-reader"
        in (found["function's permission"]["cause"])
    )
    assert found["assume role"]["verdict"] == "ok"


def test_keys_in_a_secret_are_tried_instead_of_a_role(manage: Manage, world: World, costs: Costs, ses: Any) -> None:
    arn = boto3.client("secretsmanager").create_secret(Name="elsewhere/clients/acme", SecretString="{}")["ARN"]
    world.add_row(row(acme(access={"kind": "secret", "secret_arn": arn})))
    ses()
    found = findings(manage("validate", "--client-id", "acme", "--yes", "--json"))
    assert (found["access keys"]["verdict"], found["wrong ExternalId refused"]["verdict"]) == ("failed", "not needed")
    assert "access_key_id" in found["access keys"]["remedy"]
    assert "the secret is called elsewhere/clients/acme" in found["function's permission"]["cause"]


def test_a_malformed_record_is_told_by_field(manage: Manage, world: World) -> None:
    world.add_row({"client_id": "test", "client_name": "test"})
    answer = manage("validate", "--client-id", "test", "--json")
    assert answer.code == 2
    assert {each["field"] for each in answer.json["faults"]} >= {"access", "recipients", "status"}


def test_the_price_is_the_number_of_questions() -> None:
    client = a_client(sections=("forecast", "commitments", "regions"))
    asked = [each for each in trials(client, NOW.date()) if each.question is not None]
    assert price(client) == len(asked) == 7


def shop_and(role: str = "cost-reporting-reader") -> Any:
    """The bakery with a further account, the shop, whose role has that name."""
    access = {"kind": "role", "role_arn": f"arn:aws:iam::{DENIED}:role/{role}", "external_id": "of-the-shop"}
    shop = {"name": "Shop", "access": access}
    return of_account(BAKERY, more_accounts=[shop]).model_copy(update={"access": acme().access})


def test_each_account_of_a_client_is_tried_and_paid_for(
    manage: Manage, world: World, costs: Costs, strict_sts: Any, ses: Any
) -> None:
    world.add_row(row(shop_and()))
    strict_sts(True, False, False, True, True, False)
    ses()
    answer = manage("validate", "--client-id", "acme", "--yes", "--json")
    verdicts = {name: each["verdict"] for name, each in findings(answer).items()}
    assert answer.code == 1
    assert {name for name, verdict in verdicts.items() if verdict == "failed"} == {
        "Shop: wrong ExternalId refused", "Shop: ce:GetCostAndUsage",
    }  # fmt: skip
    assert (verdicts["ce:GetCostAndUsage"], verdicts["Shop: assume role"]) == ("ok", "ok")
    assert "That takes 4 paid requests, USD 0.04" in answer.err, "each permission, and who pays for whom"
    assert "onboard" not in findings(answer)["Shop: wrong ExternalId refused"]["remedy"]
    assert "of-the-shop" not in answer.out + answer.err


@pytest.mark.parametrize("paid_for", [True, False])
def test_an_account_that_pays_for_another_one_is_named(
    paid_for: bool, manage: Manage, world: World, costs: Costs, strict_sts: Any, ses: Any
) -> None:
    access = {"kind": "role", "role_arn": "arn:aws:iam::210000000003:role/cost-reporting-reader", "external_id": "ours"}
    client = of_account(BAKERY, more_accounts=[{"name": "Shop", "access": access}])
    world.add_row(row(client.model_copy(update={"access": acme().access})))
    asked: list[Any] = []

    def answered(request: Any, body: Any) -> Any:
        if request.get("GroupBy") == [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}]:
            asked.append(request)
            metrics = {"UnblendedCost": {"Amount": "1", "Unit": "USD"}}
            seen = (
                [ACCOUNT, "210000000003"]
                if len(asked) == 1 and paid_for
                else [[ACCOUNT, "210000000003"][len(asked) - 1]]
            )
            groups = [{"Keys": [each], "Metrics": metrics} for each in seen]
            return body | {"ResultsByTime": [each | {"Groups": groups} for each in body["ResultsByTime"]]}
        return body

    costs.tamper = answered
    strict_sts(True, False, False, True, False, False)
    ses()
    found = findings(manage("validate", "--client-id", "acme", "--yes", "--json"))["accounts counted once"]
    assert len(asked) == 2
    assert found["verdict"] == ("failed" if paid_for else "ok")
    if paid_for:
        assert "AWS account 210000000003 is in the answers of 210000000002 (access)" in found["cause"]
        assert "more_accounts.0.access" in found["cause"]


def test_unpaid_it_is_not_checked_who_pays_for_whom(manage: Manage, world: World, strict_sts: Any, ses: Any) -> None:
    world.add_row(row(shop_and()))
    strict_sts(True, False, False, True, False, False)
    ses()
    found = findings(manage("validate", "--client-id", "acme", "--json"))["accounts counted once"]
    assert (found["verdict"], found["cause"]) == ("not checked", "it costs USD 0.01")


def test_a_further_account_that_is_shut_is_a_finding_of_its_own(
    manage: Manage, world: World, costs: Costs, strict_sts: Any, ses: Any
) -> None:
    world.add_row(row(shop_and("another-name")))
    strict_sts(True, False, False, False)
    ses()
    found = findings(manage("validate", "--client-id", "acme", "--yes", "--json"))
    assert (found["assume role"]["verdict"], found["Shop: assume role"]["verdict"]) == ("ok", "failed")
    assert found["Shop: function's permission"]["verdict"] == "failed"
    assert found["Shop: ce:GetCostAndUsage"]["verdict"] == "not checked"


# -- validate_migration ------------------------------------------------------------------------------------------------


@pytest.fixture
def migrate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def migrate(*arguments: str | Path) -> Ended:
        capsys.readouterr()
        code = _console.main(validate_migration.app, list(map(str, arguments)))
        return Ended(code, *capsys.readouterr())

    return migrate


def test_a_file_is_checked_without_aws_and_what_was_not_compared_is_said(
    migrate: Manage, wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLIENTS_TABLE")
    monkeypatch.delenv("STACK_NAME", raising=False)
    monkeypatch.setattr(_deployment, "LOCAL_ENV", tmp_path / "none")
    file = tmp_path / "client.json"
    file.write_text(acme().model_dump_json(exclude_none=True))
    sound = migrate("--config-file", file)
    assert (sound.code, sound.out.splitlines()[-1]) == (0, "not checked: other clients' accounts")
    assert migrate("--config-file", file, "--json").json["not_checked"] == ["other clients' accounts"]
    file.write_text("{}")
    answer = migrate("--config-file", file, "--json")
    assert (answer.code, len(answer.json["faults"])) == (2, 10)
    assert wire.calls == []


def test_a_file_with_several_accounts_is_tried_account_by_account(
    migrate: Manage, world: World, costs: Costs, strict_sts: Any, ses: Any, tmp_path: Path
) -> None:
    file = tmp_path / "client.json"
    file.write_text(shop_and().model_dump_json(exclude_none=True))
    strict_sts(True, False, False, True, False, False)
    ses()
    answer = migrate("--config-file", file, "--check-aws", "--json")
    assert answer.code == 1
    assert findings(answer)["Shop: ce:GetCostAndUsage"]["verdict"] == "failed"
    assert "That takes 4 paid requests, USD 0.04" in answer.err


def test_a_file_is_tried_against_aws_before_there_is_a_record(
    migrate: Manage, world: World, costs: Costs, strict_sts: Any, ses: Any, tmp_path: Path
) -> None:
    file = tmp_path / "client.json"
    file.write_text(of_account(DENIED).model_dump_json(exclude_none=True))
    strict_sts(True, False, False)
    ses()
    answer = migrate("--config-file", file, "--check-aws")
    assert answer.code == 1
    assert "That takes 1 paid requests, USD 0.01" in answer.err
    (line,) = [line for line in answer.out.splitlines() if line.startswith("ce:GetCostAndUsage")]
    assert "failed" in line
    assert rows(world) == {}
