"""STS is asked about clients' accounts in us-east-1, wherever the product is deployed.

In any other region the client's account must have STS active, and nothing of ours can make it so: every region but
us-east-1 can be deactivated, or has to be opted in to (IAM User Guide, "AWS STS Regions and endpoints"). The fake STS
in `conftest.py` refuses all others, so every test of this folder that reads a client's account rests on it as well.
"""

import ast
import json
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from cost_reporting import aws
from cost_reporting.operations.audit import clients as audited
from cost_reporting.sources import access
from cost_reporting.sources.keys import KeyRing
from cost_reporting.store.links import LinkStore
from local.accounts import ACCOUNTS
from tests.functional.conftest import OWN_ACCOUNT, Costs, Wire, World
from tests.functional.test_fetch_costs import BAKERY, OWN, SECRET, Invoke, fetch, of_account, with_secret

ROOT = Path(__file__).parents[2]
ROLE, OWN_ROLE = "arn:aws:iam::210000000002:role/reader", f"arn:aws:iam::{OWN_ACCOUNT}:role/report-links"
US_EAST_1, REGIONAL = "sts.us-east-1.amazonaws.com", "sts.eu-central-1.amazonaws.com"
ABOUT_US = {"sources/access.py:ourselves", "store/links.py:to", "store/parts.py:read_caller", "_operating.py:whoami"}
"""Where STS is asked about our own account, in which the region of the deployment is active."""


def test_a_client_s_role_is_assumed_wherever_the_product_is_deployed(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    world.add(of_account(BAKERY))
    assert fetch(invoke).costs
    assert wire.sts_hosts == {"AssumeRole": {US_EAST_1}}


def test_a_client_s_keys_are_known_wherever_the_product_is_deployed(
    invoke: Invoke, world: World, costs: Costs, wire: Wire
) -> None:
    costs.emulate(replace(ACCOUNTS[BAKERY], id=OWN))
    with_secret(world, json.dumps(SECRET))
    assert fetch(invoke).costs
    assert wire.sts_hosts == {"GetCallerIdentity": {US_EAST_1}}


def test_a_trust_is_tried_wherever_the_operator_is(world: World, wire: Wire) -> None:
    assert access.lets_in(ROLE, "an-external-id")
    assert access.lets_in(ROLE, None)
    assert wire.sts_hosts == {"AssumeRole": {US_EAST_1}}


def test_the_audit_tries_clients_roles_wherever_the_stack_is(world: World, wire: Wire) -> None:
    assert audited._opens(ROLE, "an-external-id")
    assert wire.sts_hosts == {"AssumeRole": {US_EAST_1}}


def test_keys_are_rotated_wherever_the_operator_is(world: World, wire: Wire) -> None:
    iam = boto3.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    keys = aws.Credentials(access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"])
    assert KeyRing("acme", keys).user == "reader"
    assert wire.sts_hosts == {"GetCallerIdentity": {US_EAST_1}}


def test_our_own_account_is_asked_about_in_the_region_of_the_deployment(world: World, wire: Wire) -> None:
    assert access.ourselves()
    LinkStore("reports-of-a-test", OWN_ROLE).to([])
    assert wire.sts_hosts == {"GetCallerIdentity": {REGIONAL}, "AssumeRole": {REGIONAL}}


def test_the_fake_refuses_a_client_s_account_elsewhere_as_aws_does(world: World) -> None:
    with pytest.raises(ClientError, match="RegionDisabledException"):
        boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        boto3.client("sts", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x").get_caller_identity()


def test_no_other_code_asks_sts_without_saying_about_whom() -> None:
    regional = set()
    for top in (ROOT / "src" / "cost_reporting", ROOT / "scripts", ROOT / "functions"):
        for file in top.rglob("*.py"):
            for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(function, ast.FunctionDef):
                    regional |= {f"{file.relative_to(top)}:{function.name}" for _ in _without_region(function)}
    assert regional == ABOUT_US


def _without_region(function: ast.FunctionDef) -> list[ast.Call]:
    calls = [each for each in ast.walk(function) if isinstance(each, ast.Call)]
    return [
        call
        for call in calls
        if ast.unparse(call.func).endswith("client")
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value == "sts"
        and not any(keyword.arg in ("region", "region_name") for keyword in call.keywords)
    ]
