"""The services that accounts pay for, under Cost Explorer's names: usage types, regions and monthly prices."""

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

USAGE_TYPES: dict[str, tuple[str, ...]] = {
    EC2: ("BoxUsage:m7i.large", "BoxUsage:c7g.xlarge", "SpotUsage:c7g.xlarge"),
    EC2_OTHER: ("NatGateway-Bytes", "NatGateway-Hours", "EBS:VolumeUsage.gp3"),
    S3: ("TimedStorage-ByteHrs", "Requests-Tier1", "DataTransfer-Out-Bytes"),
    RDS: ("InstanceUsage:db.r6g.large", "RDS:GP3-Storage"),
    LAMBDA: ("Lambda-GB-Second", "Request"),
    "Amazon CloudFront": ("DataTransfer-Out-Bytes", "Requests-HTTPS-Proxy"),
    "Amazon DynamoDB": ("TimedStorage-ByteHrs", "WriteRequestUnits"),
    "Amazon Elastic Load Balancing": ("LoadBalancerUsage", "LCUUsage"),
    "Amazon Route 53": ("HostedZone", "DNS-Queries"),
    "AmazonCloudWatch": ("CW:MetricMonitorUsage", "DataProcessing-Bytes"),
    "Amazon Virtual Private Cloud": ("PublicIPv4:InUseAddress", "VpcEndpoint-Hours"),
    "AWS Key Management Service": ("KMS-Keys", "KMS-Requests"),
    SAVINGS_PLANS: ("ComputeSP:1yrNoUpfront",),
}

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
