"""Services that AWS has renamed: the one table of Cost Explorer's older names (SERVICE) and the present ones.

Cost Explorer may spell the months before a renaming in the old way and those after it in the new one. Without the table
one service would be "gone" and another one "new". Names are told apart by this table alone, never by likeness of
amounts.
"""

from collections.abc import Mapping
from typing import Final

PRESENT_NAMES: Final[Mapping[str, str]] = {
    "Amazon Elasticsearch Service": "Amazon OpenSearch Service",
    "Amazon EC2 Container Service": "Amazon Elastic Container Service",
    "Amazon Elastic Container Service for Kubernetes": "Amazon Elastic Kubernetes Service",
    "AWS Single Sign-On": "AWS IAM Identity Center",
    "Amazon Kinesis Analytics": "Amazon Managed Service for Apache Flink",
    "Amazon Kinesis Firehose": "Amazon Data Firehose",
}
"""Old to present. AWS's own words: OpenSearch Service Developer Guide, "Amazon OpenSearch Service rename - Summary of
changes" (billing changes at once); Amazon ECS and Amazon EKS documentation, "Document history"; IAM Identity Center
User Guide, "IAM Identity Center rename"; Managed Service for Apache Flink, "API Reference" ("was previously known
as"); Firehose Developer Guide, "Document history". How Cost Explorer spells the old names: public lists of its SERVICE
values, which have them beside the present ones. No present name is an old one."""


def present_name(service: str) -> str:
    """What AWS calls ``service`` now."""
    return PRESENT_NAMES.get(service, service)
