"""What is measured: clients of the demo world, their costs fetched from the emulated Cost Explorer in this process.

Imported first by every benchmark: it puts the checkout in which it stands before anything that is installed.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest import mock

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / folder) for folder in ("src", "layers/pdf", ".")]

from botocore import xform_name  # noqa: E402
from botocore.exceptions import ClientError  # noqa: E402

from cost_reporting import aws  # noqa: E402
from cost_reporting.clients import Client  # noqa: E402
from cost_reporting.contracts import Run  # noqa: E402
from cost_reporting.costs import CostDocument  # noqa: E402
from cost_reporting.periods import issue_at, parse  # noqa: E402
from cost_reporting.sources.cost_explorer import CostExplorerSource  # noqa: E402
from local import logos, world  # noqa: E402
from local.accounts import ACCOUNTS  # noqa: E402
from local.cost_explorer import OPERATIONS, CostExplorer  # noqa: E402

LARGE: Final = "northwind-retail"
"""The largest client of the demo: 300 linked accounts, some 50 services, all optional sections."""
PERIOD: Final = "2026-10"
NOW: Final = datetime(2026, 11, 8, 6, 0, 3, tzinfo=UTC)
"""When the figures are asked for: the bill of the period is closed, the next month has begun."""


class Subject(NamedTuple):
    """Everything that a report is made from, and how many paid requests it took to know it."""

    client: Client
    costs: CostDocument
    run: Run
    logo: bytes | None
    paid: int


def clients() -> dict[str, Client]:
    """The clients of the demo that can have a report, by id."""
    return {each.client_id: each for each in world.twelve() if each.client_id not in world.EXPECTED_FAILURES}


def large() -> Subject:
    """The large client with everything that a record can ask for."""
    return of(clients()[LARGE])


def of(client: Client) -> Subject:
    """``client`` with its costs of PERIOD, asked as the product asks them."""
    ours = world.LOGOS if hasattr(world, "LOGOS") else world._LOGOS  # noqa: SLF001 - the demo's own pictures
    shape = ours.get(client.client_id) if client.branding.logo else None
    period = parse(PERIOD)
    nominal = datetime.combine(NOW.date(), time(6), UTC)
    run = Run(
        run_id=f"monthly-{period.start}-final-bench",
        cadence="monthly",
        period=period,
        issue=issue_at(period, nominal),
        mode="live",
        nominal_at=nominal,
    )
    explorer = CostExplorer(ACCOUNTS, lambda: NOW, page_size=100_000)
    own = next(identity for identity, known in ACCOUNTS.items() if known.name == client.client_id)
    with mock.patch.object(aws, "client", _taps(explorer, own)):
        costs = CostExplorerSource(lambda: NOW).fetch(client, run).costs
    paid = sum(status == 200 for _, _, status in explorer.calls)
    return Subject(client, costs, run, logos.png(shape, client.branding.colour) if shape else None, paid)


def _taps(explorer: CostExplorer, own: str) -> Callable[..., Any]:
    """What makes clients of AWS, so that the product's own code asks ``explorer`` without a network between them."""

    def client(name: str, *, credentials: aws.Credentials | None = None, **_: Any) -> Any:
        service, account = mock.Mock(), credentials.access_key_id if credentials else own
        if name == "ce":
            service = mock.Mock(spec_set=[xform_name(operation) for operation in OPERATIONS])
            for operation in OPERATIONS:
                getattr(service, xform_name(operation)).side_effect = asking(operation, account)
        elif name == "sts":
            service.assume_role.side_effect = assume
            service.get_caller_identity.return_value = {"Account": account}
        else:
            service.get_secret_value.return_value = {
                "SecretString": f'{{"access_key_id": "{own}", "secret_access_key": "none"}}'
            }
        return service

    def assume(RoleArn: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's spelling
        keys = {"AccessKeyId": RoleArn.split(":")[4], "SecretAccessKey": "none", "SessionToken": "none"}
        return {"Credentials": keys}

    def asking(operation: str, account: str) -> Callable[..., dict[str, Any]]:
        def ask(**question: Any) -> dict[str, Any]:
            for _ in range(8):
                status, body = explorer.answer(operation, question, account)
                code = body.get("__type", "")
                if code != "LimitExceededException":
                    break
            if status != 200:
                message = body.get("Message") or body.get("message")
                response: Any = {
                    "Error": {"Code": code, "Message": message},
                    "ResponseMetadata": {"HTTPStatusCode": status},
                }
                raise ClientError(response, operation)
            return dict(body)

        return ask

    return client
