"""The services that accounts pay for, under Cost Explorer's names: usage types, regions and monthly prices."""

from dataclasses import dataclass
from decimal import Decimal

EC2 = "Amazon Elastic Compute Cloud - Compute"
EC2_OTHER = "EC2 - Other"
S3 = "Amazon Simple Storage Service"
RDS = "Amazon Relational Database Service"
LAMBDA = "AWS Lambda"
TAX = "Tax"
SAVINGS_PLANS = "Savings Plans for AWS Compute usage"

NO_REGION, NO_USAGE_TYPE = "NoRegion", "NoUsageType"

GLOBAL = frozenset({"Amazon Route 53", "Amazon CloudFront", "AWS Global Accelerator", "AWS Shield"})
PLANNED = (EC2, LAMBDA, "Amazon Elastic Container Service")
"""What a Compute Savings Plan covers."""


@dataclass(frozen=True)
class UsageType:
    """What a service is metered by: AWS's name without the region's prefix, its unit, and the price of one unit.

    ``share`` is the permille of the service's monthly price that it makes up. ``by_month``: a unit is something that is
    there for a month (GB-Mo, a key, a hosted zone, a metric): each day costs the price by the days of its month, so
    100 GB cost the same in February and in March. (Amazon S3, Amazon EBS and Amazon RDS pricing: "per GB-month")
    """

    name: str
    unit: str
    price: int
    share: int = 1000
    by_month: bool = False


def _used(name: str, unit: str, price: str, share: int = 1000) -> UsageType:
    return UsageType(name, unit, int(Decimal(price) * 10**10), share)


def _kept(name: str, unit: str, price: str, share: int = 1000) -> UsageType:
    return UsageType(name, unit, int(Decimal(price) * 10**10), share, by_month=True)


USAGE_TYPES: dict[str, tuple[UsageType, ...]] = {
    EC2: (
        _used("BoxUsage:m7i.large", "Hrs", "0.1008", 450),
        _used("BoxUsage:c7g.xlarge", "Hrs", "0.145", 350),
        _used("BoxUsage:r7g.large", "Hrs", "0.1071", 200),
    ),
    EC2_OTHER: (
        _used("NatGateway-Bytes", "GB", "0.045", 300),
        _used("NatGateway-Hours", "Hrs", "0.045", 250),
        _kept("EBS:VolumeUsage.gp3", "GB-Mo", "0.08", 450),
    ),
    S3: (
        _kept("TimedStorage-ByteHrs", "GB-Mo", "0.023", 650),
        _used("Requests-Tier1", "Requests", "0.000005", 150),
        _used("DataTransfer-Out-Bytes", "GB", "0.09", 200),
    ),
    RDS: (
        _used("InstanceUsage:db.r6g.large", "Hrs", "0.225", 750),
        _kept("RDS:GP3-Storage", "GB-Mo", "0.115", 250),
    ),
    LAMBDA: (
        _used("Lambda-GB-Second", "Lambda-GB-Second", "0.0000166667", 800),
        _used("Request", "Requests", "0.0000002", 200),
    ),
    "Amazon CloudFront": (
        _used("DataTransfer-Out-Bytes", "GB", "0.085", 850),
        _used("Requests-HTTPS-Proxy", "Requests", "0.000001", 150),
    ),
    "Amazon DynamoDB": (
        _kept("TimedStorage-ByteHrs", "GB-Mo", "0.25", 300),
        _used("WriteRequestUnits", "WriteRequestUnits", "0.000000625", 700),
    ),
    "Amazon Elastic Load Balancing": (
        _used("LoadBalancerUsage", "Hrs", "0.0225", 600),
        _used("LCUUsage", "LCU-Hrs", "0.008", 400),
    ),
    "Amazon Route 53": (
        _kept("HostedZone", "HostedZone", "0.5", 600),
        _used("DNS-Queries", "Queries", "0.0000004", 400),
    ),
    "AmazonCloudWatch": (
        _kept("CW:MetricMonitorUsage", "Metrics", "0.3", 550),
        _used("DataProcessing-Bytes", "GB", "0.5", 450),
    ),
    "Amazon Virtual Private Cloud": (
        _used("PublicIPv4:InUseAddress", "Hrs", "0.005", 500),
        _used("VpcEndpoint-Hours", "Hrs", "0.01", 500),
    ),
    "AWS Key Management Service": (
        _kept("KMS-Keys", "Keys", "1", 700),
        _used("KMS-Requests", "Requests", "0.000003", 300),
    ),
    "Amazon Elastic Container Service": (
        _used("Fargate-vCPU-Hours:perCPU", "vCPU-Hours", "0.04048", 780),
        _used("Fargate-GB-Hours", "GB-Hours", "0.004445", 220),
    ),
    "Amazon Redshift": (
        _used("Node:ra3.xlplus", "Hrs", "1.086", 800),
        _kept("RMS:ra3.xlplus", "GB-Mo", "0.024", 200),
    ),
    "Amazon ElastiCache": (_used("NodeUsage:cache.r7g.large", "Hrs", "0.219"),),
    "Amazon OpenSearch Service": (
        _used("ESInstance:r6g.large", "Hrs", "0.167", 750),
        _kept("ES:GP3-Storage", "GB-Mo", "0.122", 250),
    ),
    "Amazon Elastic Container Service for Kubernetes": (_used("AmazonEKS-Hours:perCluster", "Hours", "0.1"),),
    "Amazon Managed Streaming for Apache Kafka": (_used("Kafka.m7g.large", "Hrs", "0.204"),),
    "AWS Glue": (
        _used("ETL-DPU-Hour", "DPU-Hour", "0.44", 850),
        _used("Crawler-DPU-Hour", "DPU-Hour", "0.44", 150),
    ),
    "Amazon Kinesis": (_used("Storage-ShardHour", "ShardHour", "0.015"),),
    "AWS Data Transfer": (
        _used("DataTransfer-Out-Bytes", "GB", "0.09", 600),
        _used("DataTransfer-Regional-Bytes", "GB", "0.01", 400),
    ),
    "Amazon SageMaker": (
        _used("Host:ml.m5.xlarge", "Hrs", "0.23", 600),
        _used("Notebk:ml.t3.medium", "Hrs", "0.05", 400),
    ),
    "Amazon Bedrock": (
        _used("NovaPro-input-tokens", "1K tokens", "0.0008", 350),
        _used("NovaPro-output-tokens", "1K tokens", "0.0032", 650),
    ),
    "AWS WAF": (
        _kept("WebACLV2", "WebACL", "5", 200),
        _kept("RuleV2", "Rule", "1", 200),
        _used("RequestV2-Tier1", "Requests", "0.0000006", 600),
    ),
    "Amazon Athena": (_used("DataScannedInTB", "Terabytes", "5"),),
    "AWS Config": (_used("ConfigurationItemRecorded", "ConfigurationItemRecorded", "0.003"),),
    "Amazon GuardDuty": (_used("PaidEventsAnalyzed", "Events", "0.000004"),),
    "AWS CloudTrail": (
        _used("PaidEventsRecorded", "Events", "0.00002", 600),
        _used("DataEventsRecorded", "Events", "0.000001", 400),
    ),
    "Amazon Elastic File System": (_kept("TimedStorage-ByteHrs", "GB-Mo", "0.3"),),
    "AWS Backup": (_kept("WarmStorage-ByteHrs-EBS", "GB-Mo", "0.05"),),
    "Amazon EC2 Container Registry (ECR)": (_kept("TimedStorage-ByteHrs", "GB-Mo", "0.1"),),
    "AWS Secrets Manager": (
        _kept("AWSSecretsManager-Secrets", "Secrets", "0.4", 900),
        _used("AWSSecretsManagerAPIRequest", "API Requests", "0.000005", 100),
    ),
    "Amazon API Gateway": (_used("ApiGatewayRequest", "Requests", "0.0000035"),),
    "AWS Step Functions": (_used("StateTransition", "StateTransitions", "0.000025"),),
    "Amazon Simple Queue Service": (_used("Requests-Tier1", "Requests", "0.0000004"),),
    "Amazon Simple Notification Service": (_used("DeliveryAttempts-HTTP", "Notifications", "0.0000006"),),
    "AWS CodeBuild": (_used("Build-Min:Linux:g1.small", "Minutes", "0.005"),),
    "AWS Database Migration Service": (_used("InstanceUsg:dms.t3.medium", "Hrs", "0.0365"),),
    "Amazon Simple Email Service": (_used("Recipients", "Count", "0.0001"),),
    "AWS Cost Explorer": (_used("APIRequest", "Requests", "0.01"),),
    SAVINGS_PLANS: (_used("ComputeSP:1yrNoUpfront", "Hrs", "1"),),
}
"""What accounts use of each service. Names are AWS's, prices about those of its public lists, alike in every region;
what share of a service's cost each has is ours."""

OTHERWISE = (_used("Usage", "Count", "0.01"),)
"""The usage type of the other services."""

RESERVED = "HeavyUsage:db.r6g.large"
"""The usage type of a reservation's fees: it begins so in bills since there were "heavy utilization" reservations."""

UNITS = {each.name: each.unit for kinds in (*USAGE_TYPES.values(), OTHERWISE) for each in kinds} | {RESERVED: "Hrs"}
"""Usage types without the region's prefix, and the units of their quantities."""


def usage_types(service: str) -> tuple[UsageType, ...]:
    """What ``service`` is metered by."""
    return USAGE_TYPES.get(service, OTHERWISE)


REGION_CODES = {
    "us-east-1": "",
    "us-east-2": "USE2-",
    "us-west-2": "USW2-",
    "eu-west-1": "EU-",
    "eu-central-1": "EUC1-",
    "ap-northeast-1": "APN1-",
    "ap-northeast-3": "APN3-",
    "ap-southeast-1": "APS1-",
    "ap-southeast-2": "APS2-",
    "sa-east-1": "SAE1-",
}
"""How the usage types of a region begin."""


def without_region(usage_type: str) -> str:
    """A usage type without the prefix of its region."""
    prefix, _, name = usage_type.partition("-")
    return name if f"{prefix}-" in REGION_CODES.values() else usage_type


def prices(*priced: tuple[str, str]) -> tuple[tuple[str, Decimal], ...]:
    return tuple((service, Decimal(monthly)) for service, monthly in priced)


EVERYDAY = prices(
    (EC2, "1900"),
    (EC2_OTHER, "640"),
    (RDS, "820"),
    (S3, "410"),
    ("AmazonCloudWatch", "190"),
    ("Amazon Elastic Load Balancing", "160"),
    ("Amazon Virtual Private Cloud", "95"),
    (LAMBDA, "88"),
    ("Amazon DynamoDB", "74"),
    ("Amazon CloudFront", "120"),
    ("Amazon Route 53", "9.5"),
    ("AWS Key Management Service", "14"),
)

LARGE = prices(
    (EC2, "61000"),
    (RDS, "27400"),
    (S3, "18900"),
    (EC2_OTHER, "15300"),
    ("Amazon CloudFront", "9800"),
    ("AmazonCloudWatch", "7200"),
    ("Amazon Elastic Container Service", "6900"),
    ("Amazon DynamoDB", "6100"),
    ("Amazon Redshift", "5900"),
    ("Amazon ElastiCache", "4800"),
    ("Amazon Elastic Load Balancing", "4300"),
    ("Amazon OpenSearch Service", "4100"),
    (LAMBDA, "3800"),
    ("Amazon Virtual Private Cloud", "3100"),
    ("Amazon Elastic Container Service for Kubernetes", "2900"),
    ("Amazon Managed Streaming for Apache Kafka", "2600"),
    ("AWS Glue", "2300"),
    ("Amazon Kinesis", "1900"),
    ("AWS Data Transfer", "1750"),
    ("Amazon SageMaker", "1700"),
    ("Amazon Bedrock", "1600"),
    ("AWS WAF", "1250"),
    ("Amazon Athena", "980"),
    ("AWS Config", "910"),
    ("Amazon GuardDuty", "870"),
    ("AWS CloudTrail", "640"),
    ("AWS Security Hub", "590"),
    ("Amazon Elastic File System", "560"),
    ("AWS Backup", "530"),
    ("Amazon EC2 Container Registry (ECR)", "410"),
    ("AWS Key Management Service", "380"),
    ("AWS Secrets Manager", "320"),
    ("Amazon API Gateway", "310"),
    ("AWS Step Functions", "270"),
    ("Amazon Simple Queue Service", "240"),
    ("AWS CodeBuild", "230"),
    ("Amazon Inspector", "210"),
    ("Amazon Simple Notification Service", "160"),
    ("AWS Systems Manager", "140"),
    ("Amazon Macie", "120"),
    ("Amazon Route 53", "110"),
    ("Amazon Cognito", "85"),
    ("AWS Database Migration Service", "70"),
    ("Amazon Simple Email Service", "45"),
    ("AWS Cost Explorer", "6"),
)
