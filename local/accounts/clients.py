"""The clients themselves: twelve for the demo, and a crowd of ordinary ones for worlds under load."""

from decimal import Decimal

from local.accounts.account import Account, Event, Linked, Reservation, SavingsPlan, Spike
from local.accounts.dice import throw
from local.accounts.services import EC2, EC2_OTHER, EVERYDAY, LAMBDA, LARGE, RDS, REGION_CODES, S3, prices

_TEAMS = ("checkout", "catalogue", "search", "payments", "stores", "logistics", "loyalty", "data", "platform", "mobile")
_STAGES = ("prod", "staging", "dev")


def _organization(payer: Linked, count: int) -> tuple[Linked, ...]:
    """The payer and its members, ``count`` in all, with names that are unique and readable."""
    names = (f"{payer.name}-{_TEAMS[n % len(_TEAMS)]}-{_STAGES[n % 3]}-{n:03d}" for n in range(1, count))
    return (payer, *(Linked(f"31{n:010d}", name) for n, name in enumerate(names, 1)))


_NORTHWIND = Linked("210000000001", "northwind-retail")
_RETAIL_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-northeast-1",
    "ap-southeast-2",
    "sa-east-1",
)

_CLIENTS = (
    Account(
        id=_NORTHWIND.id,
        name=_NORTHWIND.name,
        services=LARGE,
        regions=_RETAIL_REGIONS,
        linked=_organization(_NORTHWIND, 300),
        trend=18,
        weekend=1130,
        mood=70,
        tax=62,
        support=("AWS Support (Business)", 55),
        discount=45,
        savings_plan=SavingsPlan(hourly=Decimal("38.5"), ends_in_days=24),
        reservation=Reservation(upfront=Decimal(48000), hourly=Decimal("4.2")),
        spikes=(Spike(months_ago=1, day=17, days=3, service=EC2_OTHER, amount=Decimal(4200)),),
        rightsizing=True,
    ),
    Account(
        id="210000000002",
        name="tiny-bakery",
        services=prices((S3, "4.10"), ("Amazon CloudFront", "28.80"), ("Amazon Route 53", "1.20")),
        mood=40,
    ),
    Account(
        id="210000000003",
        name="credits-startup",
        services=prices(
            (EC2, "980"), (RDS, "460"), (LAMBDA, "210"), (S3, "120"), ("Amazon Bedrock", "290"), (EC2_OTHER, "60")
        ),
        regions=("us-east-1", "eu-west-1"),
        mood=50,
        credit=1000,
    ),
    Account(
        id="210000000004",
        name="refund-media",
        services=EVERYDAY,
        regions=("us-west-2", "us-east-1"),
        weekend=1180,
        events=(Event(1, 14, EC2, "Refund", Decimal("-2750.00")),),
    ),
    Account(
        id="210000000005",
        name="negative-labs",
        services=prices((EC2, "520"), ("Amazon SageMaker", "310"), (S3, "70"), (LAMBDA, "12")),
        credit=350,
        mood=90,
        events=(
            Event(1, 9, "Amazon SageMaker", "Refund", Decimal("-640.25")),
            Event(1, 21, EC2, "Credit", Decimal("-500")),
        ),
    ),
    Account(
        id="210000000006",
        name="young-fintech",
        services=EVERYDAY[:9],
        regions=("eu-central-1",),
        weekend=820,
        opened_months_ago=1,
    ),
    Account(
        id="210000000007",
        name="tokyo-data",
        services=prices(
            ("Amazon Redshift", "5200"),
            ("AWS Glue", "2900"),
            (S3, "2500"),
            ("Amazon Athena", "1100"),
            (EC2, "1050"),
            ("Amazon Kinesis", "760"),
            (EC2_OTHER, "420"),
            (LAMBDA, "260"),
            ("AmazonCloudWatch", "210"),
            ("AWS Step Functions", "60"),
            ("AWS Key Management Service", "22"),
            ("Amazon Route 53", "3"),
        ),
        regions=("ap-northeast-1", "ap-northeast-3"),
        trend=9,
        weekend=640,
        tax=100,
        support=("AWS Support (Developer)", 30),
        monitored=False,
    ),
    Account(
        id="210000000008",
        name="euro-logistik",
        services=(
            *EVERYDAY,
            *prices(
                ("Amazon Elastic Container Service", "540"),
                ("Amazon Simple Queue Service", "65"),
                ("Amazon API Gateway", "58"),
                ("AWS Secrets Manager", "21"),
                ("Amazon EC2 Container Registry (ECR)", "26"),
                ("AWS Cost Explorer", "3.6"),
            ),
        ),
        regions=("eu-central-1", "eu-west-1"),
        linked=tuple(
            Linked(identity, f"euro-logistik-{stage}")
            for identity, stage in (("210000000008", "payer"), ("320000000001", "prod"), ("320000000002", "test"))
        ),
        trend=-3,
        weekend=780,
        tax=190,
    ),
    Account(id="210000000009", name="denied-corp", services=EVERYDAY[:6], access_denied=True),
    Account(id="210000000010", name="notenabled-inc", services=EVERYDAY[:4], not_enabled=True),
    Account(
        id="210000000011",
        name="throttled-games",
        services=EVERYDAY,
        regions=("us-east-1", "ap-southeast-1"),
        trend=12,
        weekend=1350,
        spikes=(
            Spike(months_ago=1, day=6, days=2, service="AmazonCloudWatch", amount=Decimal(64)),
            Spike(months_ago=1, day=29, days=None, service="Amazon DynamoDB", amount=Decimal(21)),
        ),
        leaves_out=(
            "GetAnomalies.Anomalies.Impact.TotalExpectedSpend",
            "GetAnomalies.Anomalies.Impact.TotalActualSpend",
            "GetAnomalies.Anomalies.Impact.TotalImpactPercentage",
            "GetAnomalies.Anomalies.RootCauses.UsageType",
            "GetCostForecast.ForecastResultsByTime.PredictionIntervalLowerBound",
            "GetCostForecast.ForecastResultsByTime.PredictionIntervalUpperBound",
            "GetReservationCoverage.Total",
            "GetReservationUtilization.Total",
        ),
        throttle_first=4,
    ),
    Account(
        id="210000000012",
        name="silent-partners",
        services=prices(
            (EC2, "140"), (EC2_OTHER, "32"), (S3, "18"), ("Amazon Route 53", "1.5"), ("AmazonCloudWatch", "6")
        ),
        weekend=900,
    ),
    Account(id="210000000013", name="euro-logistik-gdansk", services=EVERYDAY[:5], access_denied=True),
    Account(
        id="111122223333",
        name="consultancy",
        services=prices((LAMBDA, "3.2"), (S3, "5.5"), ("AWS Step Functions", "0.9"), ("AWS Cost Explorer", "2.4")),
    ),
)

ACCOUNTS: dict[str, Account] = {account.id: account for account in _CLIENTS}
"""The twelve demo clients, an account that one of them has bought, and the consultancy's own, by account id."""


def crowd(n: int) -> dict[str, Account]:
    """So many ordinary accounts for worlds under load, ids from 220000000001: 4 to 12 services, no faults."""
    return {account.id: account for account in map(_ordinary, range(1, n + 1))}


def _ordinary(number: int) -> Account:
    identity = f"22{number:010d}"
    roll = throw(identity, "crowd")
    size = Decimal(10 + roll[0] * roll[1] // 48) / 100
    services = tuple((service, monthly * size) for service, monthly in EVERYDAY[: 4 + roll[2] % 9])
    regions = tuple(REGION_CODES)[roll[3] % 8 : roll[3] % 8 + 2]
    return Account(
        id=identity,
        name=f"client-{number:05d}",
        services=services,
        regions=regions,
        trend=roll[4] % 24 - 6,
        weekend=700 + 2 * roll[5],
        tax=(0, 0, 190, 77)[roll[6] % 4],
    )
