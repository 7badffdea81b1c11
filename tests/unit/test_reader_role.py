"""The role that a client creates: what it allows, to whom, under what."""

import json

from cost_reporting.sources.reader_role import READS, role_template, trust_policy
from local.world import _MAY_READ_COSTS


def test_the_template_names_the_role_of_the_record_and_nothing_it_need_not_allow() -> None:
    template = role_template("arn:aws:iam::210000000007:role/cost/reports/reader", "111122223333", ("old", "new"))
    (role,) = template["Resources"].values()
    assert role["Type"] == "AWS::IAM::Role"
    properties = role["Properties"]
    assert (properties["RoleName"], properties["Path"]) == ("reader", "/cost/reports/")
    (statement,) = properties["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": list(READS), "Resource": "*"}
    assert all(action.startswith("ce:Get") for action in READS)
    json.dumps(template)


def test_a_role_without_a_path_has_the_root_one() -> None:
    template = role_template("arn:aws:iam::210000000007:role/reader", "111122223333", ("new",))
    assert template["Resources"]["CostReportingReader"]["Properties"]["Path"] == "/"


def test_only_our_account_is_trusted_and_only_under_the_external_ids() -> None:
    (statement,) = trust_policy("111122223333", ("old", "new"), "aws-us-gov")["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws-us-gov:iam::111122223333:root"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": ["old", "new"]}}


def test_the_clients_of_the_local_stack_allow_the_same() -> None:
    assert sorted(READS) == sorted(_MAY_READ_COSTS)
