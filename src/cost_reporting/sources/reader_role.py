"""The role that a client creates in its account, so that we may read its costs and nothing else."""

from typing import Any, Final

READS: Final = (
    "ce:GetAnomalies",
    "ce:GetCostAndUsage",
    "ce:GetCostForecast",
    "ce:GetReservationCoverage",
    "ce:GetReservationUtilization",
    "ce:GetSavingsPlansCoverage",
    "ce:GetSavingsPlansUtilization",
    "ce:GetSavingsPlansUtilizationDetails",
)
"""Every question that a report can ask. Cost Explorer knows no resources."""


def trust_policy(our_account: str, external_ids: tuple[str, ...], partition: str = "aws") -> dict[str, Any]:
    """Who may assume the role: our account, under one of ``external_ids``. Two of them are for a rotation."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{our_account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": list(external_ids)}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def role_template(role_arn: str, our_account: str, external_ids: tuple[str, ...]) -> dict[str, Any]:
    """The CloudFormation template of the role called ``role_arn``, for the client's account."""
    path, _, name = role_arn.partition(":role")[2].rpartition("/")
    reads = {"Effect": "Allow", "Action": list(READS), "Resource": "*"}
    properties = {
        "RoleName": name,
        "Path": f"{path}/",
        "Description": "Lets the consultancy read costs for its reports, and nothing else.",
        "AssumeRolePolicyDocument": trust_policy(our_account, external_ids, role_arn.split(":")[1]),
        "Policies": [{"PolicyName": "read-costs", "PolicyDocument": {"Version": "2012-10-17", "Statement": [reads]}}],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A role for cost reports.",
        "Resources": {"CostReportingReader": {"Type": "AWS::IAM::Role", "Properties": properties}},
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["CostReportingReader", "Arn"]}}},
    }
