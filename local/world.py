"""The world of the demo: twelve clients with the troubles that clients have, or as many ordinary ones as one likes.

One of them has a second account, which refuses. A world is client records, the roles in the clients' accounts that let
us in (or do not), logos, and a verified sender. What the clients spend is in ``local/accounts.py``.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from cost_reporting.clients import Branding, Client, ExchangeRate, NamedAccount, RoleAccess, SecretAccess
from cost_reporting.sources.cost_explorer.permissions import ACTIONS
from cost_reporting.store.clients import row
from local import logos
from local.accounts import ACCOUNTS
from local.deployment import ACCOUNT, REGION, SECRET, session

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

READER_ROLE = "cost-reporting-reader"
REPLY_TO = "accounts@consultancy.example"

EXPECTED_FAILURES = {
    "denied-corp": "ClientAccessDenied",
    "notenabled-inc": "CostExplorerDisabled",
    "silent-partners": "ClientMisconfigured",
}
"""The clients of the twelve that cannot have a report, with the error that says why."""

GDANSK = "210000000013"
"""A second account of euro-logistik, whose role lets us in and may not read costs: its report says so."""

_ACCESS_BY_KEYS = "refund-media"
_TRUST_WITHDRAWN = frozenset({"denied-corp"})
_LOGOS: Mapping[str, logos.Shape] = {
    "northwind-retail": logos.compass,
    "tiny-bakery": logos.loaf,
    "tokyo-data": logos.waves,
    "euro-logistik": logos.arrow,
}

_MAY_ROTATE = [
    "iam:CreateAccessKey",
    "iam:DeleteAccessKey",
    "iam:GetAccessKeyLastUsed",
    "iam:ListAccessKeys",
    "iam:UpdateAccessKey",
]
_EXTERNAL_ID_DAYS = {"tokyo-data": 400}
"""How old the ExternalIds are, in days; the others 60."""


@dataclass(frozen=True)
class Names:
    """What the template has called its resources."""

    state_machine_arn: str
    clients_table: str
    outcomes_table: str
    bucket: str
    alerts_topic_arn: str
    configuration_set: str
    sender: str

    @classmethod
    def of(cls, outputs: Mapping[str, str]) -> "Names":
        """From the outputs of the deployed stack."""
        return cls(
            state_machine_arn=outputs["StateMachineArn"],
            clients_table=outputs["ClientsTableName"],
            outcomes_table=outputs["OutcomesTableName"],
            bucket=outputs["BucketName"],
            alerts_topic_arn=outputs["AlertsTopicArn"],
            configuration_set=outputs["ConfigurationSetName"],
            sender=outputs["SenderAddress"],
        )


def twelve() -> tuple[Client, ...]:
    """The clients of the demo."""
    return (
        _client(
            1,
            "northwind-retail",
            "Northwind Retail",
            "#0b4f6c",
            recipients=("finance@northwind.example", "cto@northwind.example", "cloud@northwind.example"),
            cadences=("monthly", "weekly"),
            sections=("accounts", "regions", "tags", "forecast", "anomalies", "commitments", "savings"),
            tag_keys=("Environment", "Project"),
            monthly_budget=Decimal(310_000),
            attachments=("csv", "xlsx"),
        ),
        _client(2, "tiny-bakery", "Tiny Bakery", "#b5541c", recipients=("anna@tiny-bakery.example",)),
        _client(3, "credits-startup", "Credits Startup", "#6d28d9", recipients=("founders@credits-startup.example",)),
        _client(
            4,
            "refund-media",
            "Refund Media Group",
            "#be123c",
            recipients=("billing@refund-media.example", "ops@refund-media.example"),
        ),
        _client(
            5,
            "negative-labs",
            "Negative Labs",
            "#0f766e",
            recipients=("lab-manager@negative-labs.example",),
            page_size="Letter",
        ),
        _client(
            6,
            "young-fintech",
            "Young Fintech",
            "#1d4ed8",
            recipients=("cfo@young-fintech.example",),
            cadences=("monthly", "weekly"),
            sections=("forecast",),
            locale="en_GB",
        ),
        _client(
            7,
            "tokyo-data",
            "東京データ株式会社",
            "#9f1239",
            recipients=("keiri@tokyo-data.example", "infra@tokyo-data.example"),
            locale="ja_JP",
            sections=("regions", "forecast", "anomalies"),
        ),
        _client(
            8,
            "euro-logistik",
            "Euro-Logistik GmbH",
            "#1e3a5f",
            recipients=("controlling@euro-logistik.example", "it@euro-logistik.example"),
            locale="de_DE",
            more_accounts=(NamedAccount(name="Lager Gdańsk", access=_access("euro-logistik", GDANSK)),),
            sections=("accounts", "forecast"),
            monthly_budget=Decimal(6000),
            attachments=("csv",),
            currency="EUR",
            exchange_rate=ExchangeRate(rate=Decimal("0.9214"), as_of=date(2026, 10, 30), source="ECB reference rate"),
        ),
        _client(9, "denied-corp", "Denied Corp", "#374151", recipients=("finance@denied-corp.example",)),
        _client(10, "notenabled-inc", "NotEnabled Inc.", "#4d7c0f", recipients=("office@notenabled.example",)),
        _client(
            11,
            "throttled-games",
            "Throttled Games",
            "#7c2d12",
            recipients=("producer@throttled-games.example", "finance@throttled-games.example"),
            cadences=("monthly", "weekly"),
            sections=("forecast", "anomalies", "commitments"),
            cost_metric="amortized",
        ),
        _client(12, "silent-partners", "Silent Partners", "#334155", recipients=()),
    )


def crowd(count: int) -> tuple[Client, ...]:
    """So many ordinary clients."""
    colours = ("#0b4f6c", "#6d28d9", "#0f766e", "#9f1239", "#1e3a5f", "#7c2d12")
    return tuple(
        _client(
            number,
            f"client-{number:05d}",
            f"Client {number:,}",
            colours[number % len(colours)],
            family=22,
            recipients=(f"finance@client-{number:05d}.example",),
        )
        for number in range(1, count + 1)
    )


def _client(number: int, client_id: str, name: str, colour: str, *, family: int = 21, **more: Any) -> Client:
    account = f"{family}{number:010d}"
    facts: dict[str, Any] = {
        "client_id": client_id,
        "client_name": name,
        "status": "active",
        "cadences": ("monthly",),
        "reply_to": REPLY_TO,
        "access": _access(client_id, account),
        "branding": Branding(colour=colour, logo="logo.png" if client_id in _LOGOS else None),
        "locale": "en_US",
        "currency": "USD",
        "cost_metric": "unblended",
    }
    return Client.model_validate(facts | more)


def _access(client_id: str, account: str) -> RoleAccess | SecretAccess:
    if client_id == _ACCESS_BY_KEYS:
        secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{_secret_name(client_id)}"
        return SecretAccess(kind="secret", secret_arn=secret)
    external_id = hashlib.sha256(f"external id of {client_id}".encode()).hexdigest()[:32]
    return RoleAccess(kind="role", role_arn=f"arn:aws:iam::{account}:role/{READER_ROLE}", external_id=external_id)


def _secret_name(client_id: str) -> str:
    return f"cost-reporting/clients/{client_id}"


@dataclass(frozen=True)
class World:
    """A world, and how it comes into an emulated account."""

    clients: tuple[Client, ...]
    _here: Path = field(default=Path(__file__).parent, repr=False)

    def fingerprint(self) -> str:
        """What changes when the world does."""
        digest = hashlib.sha256((self._here / "world.py").read_bytes() + (self._here / "logos.py").read_bytes())
        for client in self.clients:
            digest.update(client.model_dump_json().encode())
        return digest.hexdigest()[:16]

    def load(self, endpoint: str, names: Names) -> None:
        """Make the account at ``endpoint`` hold this world and no other clients. Doing it again does no harm."""
        home = session()  # one for all: a session per client would read botocore's models again for each
        ses = home.client("sesv2", endpoint_url=endpoint)
        with _unless("AlreadyExistsException"):
            ses.create_email_identity(EmailIdentity=names.sender)
        for client in self.clients:
            _let_in(client, home, endpoint)
        s3 = home.client("s3", endpoint_url=endpoint)
        for client in self.clients:
            picture = logo(client)
            if picture is not None:
                key = f"clients/{client.client_id}/{client.branding.logo}"
                s3.put_object(Bucket=names.bucket, Key=key, Body=picture, ContentType="image/png")
        table = home.resource("dynamodb", endpoint_url=endpoint).Table(names.clients_table)
        here = {client.client_id for client in self.clients}
        with table.batch_writer() as batch:
            for old in _ids(table):
                if old not in here:
                    batch.delete_item(Key={"client_id": old})
            for client in self.clients:
                batch.put_item(Item=row(client))
        with home.resource("dynamodb", endpoint_url=endpoint).Table(names.outcomes_table).batch_writer() as batch:
            for client in self.clients:
                if isinstance(client.access, RoleAccess):
                    batch.put_item(Item=external_id_note(client))


def logo(client: Client) -> bytes | None:
    """The client's logo, drawn."""
    shape = _LOGOS.get(client.client_id)
    return logos.png(shape, client.branding.colour) if shape and client.branding.logo else None


def external_id_note(client: Client) -> dict[str, Any]:
    """Since when the client has its ExternalId, in the outcomes table."""
    since = datetime.now(UTC) - timedelta(days=_EXTERNAL_ID_DAYS.get(client.client_id, 60))
    return {"pk": f"CLIENT#{client.client_id}", "sk": "EXTERNAL_ID", "since": since.isoformat(), "revision": 1}


def _ids(table: Any) -> Iterator[str]:
    page: dict[str, Any] = {}
    while True:
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]} if page else {}
        page = table.scan(ProjectionExpression="client_id", **start)
        yield from (str(item["client_id"]) for item in page["Items"])
        if "LastEvaluatedKey" not in page:
            return


def _let_in(client: Client, home: boto3.Session, endpoint: str) -> None:
    """What the client has set up in its own accounts; further ones are reached by roles."""
    for access in (client.access, *(account.access for account in client.more_accounts)):
        if isinstance(access, RoleAccess):
            _make_role(client.client_id, access, home, endpoint)
        else:
            _hand_over_keys(client.client_id, access, home, endpoint)


def _make_role(client_id: str, access: RoleAccess, home: boto3.Session, endpoint: str) -> None:
    """A role that we may assume with our ExternalId, and that may read costs."""
    iam = _iam(home, access.role_arn.split(":")[4], endpoint)
    ours = "999999999999" if client_id in _TRUST_WITHDRAWN else ACCOUNT
    trust = _policy(
        Action="sts:AssumeRole",
        Principal={"AWS": f"arn:aws:iam::{ours}:root"},
        Condition={"StringEquals": {"sts:ExternalId": access.external_id}},
    )
    try:
        iam.create_role(RoleName=READER_ROLE, AssumeRolePolicyDocument=trust)
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=READER_ROLE, PolicyDocument=trust)
    costs = _policy(Action=list(ACTIONS), Resource="*")
    iam.put_role_policy(RoleName=READER_ROLE, PolicyName="read-costs", PolicyDocument=costs)


def _hand_over_keys(client_id: str, access: SecretAccess, home: boto3.Session, endpoint: str) -> None:
    """The last resort: a user in the client's account, whose keys are in our Secrets Manager."""
    account = next(account.id for account in ACCOUNTS.values() if account.name == client_id)
    iam = _iam(home, account, endpoint)
    secrets = home.client("secretsmanager", endpoint_url=endpoint)
    with _unless("EntityAlreadyExists"):
        iam.create_user(UserName=READER_ROLE)
    costs = _policy(Action=list(ACTIONS), Resource="*")
    iam.put_user_policy(UserName=READER_ROLE, PolicyName="read-costs", PolicyDocument=costs)
    own = _policy(Action=_MAY_ROTATE, Resource=f"arn:aws:iam::{account}:user/{READER_ROLE}")
    iam.put_user_policy(UserName=READER_ROLE, PolicyName="rotate-own-keys", PolicyDocument=own)
    with _unless("ResourceExistsException"):
        secrets.create_secret(Name=_secret_name(client_id), SecretString="{}")
        key = iam.create_access_key(UserName=READER_ROLE)["AccessKey"]
        value = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        secrets.put_secret_value(SecretId=access.secret_arn, SecretString=json.dumps(value))


def _iam(home: boto3.Session, account: str, endpoint: str) -> "IAMClient":
    return home.client("iam", endpoint_url=endpoint, aws_access_key_id=account, aws_secret_access_key=SECRET)


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


@contextlib.contextmanager
def _unless(code: str) -> Iterator[None]:
    """Take the refusal ``code`` for an answer: it is there already."""
    try:
        yield
    except ClientError as refused:
        if refused.response["Error"]["Code"] != code:
            raise
