"""Preflight: everything that a deployment needs around `sam deploy`, read and judged; nothing is changed.

Before a deployment the parameters are those that it is going to have; after it, those of the stack.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from cost_reporting.delivery.standing import Standing
from cost_reporting.domain import readiness as judge
from cost_reporting.domain.readiness import MailAccount, Verdict, fault, ok, unknown
from cost_reporting.domain.templates import Template
from cost_reporting.errors import CostReportingError, StoreRefused
from cost_reporting.operations import readiness
from cost_reporting.operations.clients.listing import listed
from cost_reporting.operations.readiness import looked
from cost_reporting.sources.own_costs import ask_for_a_day
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.parts import Caller, bucket_holder, machine_status, may_list_machines
from cost_reporting.store.stacks import Stack, read_template

COSTS = ("ce:GetCostAndUsage",)
NOBODY = "reports@yourcompany.com"
"""In the place of a sender that is not given."""
MACHINES = ("states:ListStateMachines", "states:DescribeStateMachine")


@dataclass(frozen=True)
class Place:
    """What is looked at: the account and region, the stack if there is one, and how it is or will be deployed.

    ``find_stack`` raises if it cannot be told whether there is a stack. ``template`` is the one of this checkout, with
    the values that the deployment has or is going to have. ``layers`` looks at what is built. ``paid`` allows one
    request to Cost Explorer.
    """

    caller: Caller
    region: str
    find_stack: Callable[[], Stack | None]
    template: Template
    layers: Callable[[], Iterable[Verdict]]
    today: date
    stack_name: str
    paid: bool = False
    _read: dict[str, MailAccount | Stack | CostReportingError | None] = field(default_factory=dict)

    @property
    def parameters(self) -> Mapping[str, str]:
        """The values of the template's parameters."""
        return self.template.parameters

    @property
    def sender(self) -> str:
        """Whom reports come from."""
        return self.parameters.get("Sender", "")

    def mail_account(self) -> MailAccount:
        """SES's answer about the account, asked for once."""
        return self._once("account", lambda: Standing().account())

    def physical(self, logical_id: str) -> str | None:
        """What AWS calls a resource of the stack; None if there is no stack, or it has none such."""
        stack = self._once("stack", self.find_stack)
        return stack.physical(logical_id) if stack else None

    def _once[T: MailAccount | Stack | None](self, what: str, read: Callable[[], T]) -> T:
        if what not in self._read:
            try:
                self._read[what] = read()
            except CostReportingError as error:
                self._read[what] = error
        found = self._read[what]
        if isinstance(found, CostReportingError):
            raise found
        return cast("T", found)


def before(place: Place) -> Iterator[Verdict]:
    """What has to be in order for a deployment to go well, and its first report to arrive."""
    yield from _everywhere(place)
    yield from buckets(place)
    yield from looked("layers", place.layers)


def after(place: Place) -> Iterator[Verdict]:
    """What has to be in order for the deployed stack to work and to be heard."""
    yield from _everywhere(place)
    yield from buckets(place)
    yield from looked("layers", place.layers)
    yield from looked(judge.ALERTS, lambda: alerts(place))
    yield from readiness.alarms(lambda: read_template(place.stack_name), place.region)
    yield from readiness.schedules(place.find_stack, place.parameters, place.region)


def alerts(place: Place) -> Iterator[Verdict]:
    """Whether the stack's alarms are heard."""
    topic = place.physical("AlertsTopic")
    if topic is None:
        yield unknown(judge.ALERTS, "the stack has no AlertsTopic")
    else:
        yield from readiness.alerts(topic, place.parameters.get("Operators", ""), place.region)


def _everywhere(place: Place) -> Iterator[Verdict]:
    yield from readiness.mail_account(place.sender or NOBODY, place.region, place.mail_account)
    yield from quota(place)
    if place.sender:
        yield from readiness.sender(place.sender, place.region)
        yield from readiness.dkim(place.sender, place.region)
    else:
        for check in (judge.SENDER, judge.DKIM):
            yield unknown(check, f"nothing says who sends: --parameter-overrides Sender={NOBODY}")
    yield from readiness.concurrency(place.parameters, place.region)
    yield from machines(place)
    yield from costs(place)


def quota(place: Place) -> Iterator[Verdict]:
    """Whether a report to every active client fits into SES's quota of a day."""

    def look() -> Iterator[Verdict]:
        table = place.physical("ClientsTable")
        if table is None:
            yield unknown(judge.QUOTA, "there is no stack yet, so its clients are not known")
            return
        active = listed(ClientStore(table).whole_rows(), status="active", cadence=None, search=None)
        mails = sum(each.recipients for each in active)
        verdict = judge.sending_quota(place.mail_account(), mails, region=place.region)
        malformed = [each.client_id for each in active if each.faults]
        if malformed and verdict.state == "ok":
            verdict = unknown(judge.QUOTA, f"{verdict.fact}, not counting {len(malformed)} records that are malformed")
        yield verdict

    yield from looked(judge.QUOTA, look)


def machines(place: Place) -> Iterator[Verdict]:
    """Whether these credentials may look at Step Functions, and the state machine works."""

    def look() -> Iterator[Verdict]:
        arn = place.physical("CostReportsStateMachine")
        try:
            if arn is None:
                may_list_machines()
                yield ok(judge.STEP_FUNCTIONS, "state machines may be listed")
                return
            status = machine_status(arn)
        except StoreRefused as refused:
            if not _is_denied(refused):
                raise
            fix = judge.grant(place.caller.arn, MACHINES, "step-functions")
            yield fault(judge.STEP_FUNCTIONS, "these credentials may not look at state machines", fix)
            return
        name = arn.rpartition(":")[2]
        if status == "ACTIVE":
            yield ok(judge.STEP_FUNCTIONS, f"{name} is active")
        else:
            yield fault(judge.STEP_FUNCTIONS, f"{name} is {status}", "sam deploy")

    yield from looked(judge.STEP_FUNCTIONS, look)


def costs(place: Place) -> Iterator[Verdict]:
    """Whether Cost Explorer answers for this account. A question is paid, so it is asked only if that is said."""

    def look() -> Iterator[Verdict]:
        if not place.paid:
            yield unknown(judge.COST_EXPLORER, "a question costs USD 0.01: --paid asks one")
            return
        try:
            ask_for_a_day(place.today)
        except StoreRefused as refused:
            said = str(refused)
            if "not enabled" in said or "DataUnavailableException" in said:
                fix = "In the console: Billing and Cost Management, Cost Explorer, Launch; it has figures after a day."
            elif _is_denied(refused):
                fix = judge.grant(place.caller.arn, COSTS, "cost-explorer")
            else:
                raise
            yield fault(judge.COST_EXPLORER, said, fix)
            return
        yield ok(judge.COST_EXPLORER, f"answers for account {place.caller.account}")

    yield from looked(judge.COST_EXPLORER, look)


def buckets(place: Place) -> Iterator[Verdict]:
    """Whether each bucket's name is free, or its bucket the stack's."""
    for logical_id, resource in place.template.body.get("Resources", {}).items():
        if resource.get("Type") != "AWS::S3::Bucket":
            continue

        def look(logical_id: str = logical_id) -> Iterator[Verdict]:
            own = place.physical(logical_id)
            name = own or str(place.template.value(place.template.properties(logical_id)["BucketName"]))
            holder = bucket_holder(name, place.caller.account)
            other = (
                f"BucketName={name}-2" if logical_id == "Bucket" else f"Prefix={place.parameters.get('Prefix', '')}-2"
            )
            mend = f"sam deploy --guided  # with {other}"
            yield judge.bucket(name, holder, own=own is not None, mend=mend)

        yield from looked(judge.BUCKET, look)


def _is_denied(refused: StoreRefused) -> bool:
    return any(code in str(refused) for code in ("AccessDenied", "UnauthorizedOperation", "is not authorized"))
