"""What the states of the workflow say to each other, and nothing else.

A client's data is a baton: one model per stage, each named after what has just happened and adding one field to the one
before. Values are references and small facts, never documents, since a state's payload may not pass 256 KiB. So the
stage at which a client failed is simply the first field that its baton lacks, and no state name is passed about.

    RunRequest ─► Worklist ─► [ClientDue ─► CostsFetched ─► ReportRendered ─► ReportSent ─► Outcome] ─► RunSummary

A second start of the same moment of a schedule ends as StartedTwice instead; late clients are in a Worklist of their
own.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    RootModel,
    StringConstraints,
    Tag,
    model_validator,
)

Cadence = Literal["weekly", "monthly"]
Issue = Literal["preliminary", "final"]
"""Preliminary: the bill of the period's last month may still change. Final: it is closed (from the 8th on).

A month has both. A week has one, which is called preliminary whenever it is made, since its schedule runs before.
"""
Mode = Literal["live", "test", "dry_run"]
"""live: clients receive it. test: marked TEST, never in a client's ledger. dry_run: everything except the mail."""
FormerAddress = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=254,
        pattern=(
            r"^(([A-Za-z0-9.!#$%&'*+/^_`{|}~-]|\?|=+[A-Za-z0-9.!#$%&'*+/^_`{|}~-])+=*|=+)"
            r"@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"
        ),
    ),
]
"""A text that is safe where an address stands: no display name, nothing that could end a header line, ASCII.

No ``=?`` either: it begins an encoded word (RFC 2047), which is shown decoded, as another address or as several.
It was all that was asked of an address once, so what is only remembered and never mailed is read by it.
"""


def _deliverable(address: str) -> str:
    """``address``, if a mail server could take it. Raises ValueError saying what is expected.

    RFC 5321 has the lengths (4.5.3.1) and the forms of both sides (4.1.2; no quoted strings, no address literals), and
    RFC 1123 (2.1) those of a host name. The last label is that of a top-level domain, never a number (RFC 3696, 2).
    """
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")
    if len(local) > 64:
        raise ValueError("no more than 64 characters before the @")
    if not all(local.split(".")):
        raise ValueError("no point at the beginning or the end of the part before the @, and no two in a row")
    if not all(label and len(label) <= 63 and label[0] != "-" != label[-1] for label in labels):
        raise ValueError("a domain of labels of up to 63 characters, none of which begins or ends with a hyphen")
    if not (labels[-1].isalpha() or labels[-1].casefold().startswith("xn--")) or len(labels[-1]) < 2:
        raise ValueError("a domain whose last label is of letters, like example.com")
    return address


Address = Annotated[FormerAddress, AfterValidator(_deliverable)]
"""A mail address, alone, that SES would take: ASCII, no display name, each side in the form that mail servers ask.

The one type of every address that mail may go to.
"""
Amount = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:f}", return_type=str, when_used="json")]
"""An exact amount; written out in full in JSON, never as a float and never with an exponent."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def with_one_issue(given: Any) -> Any:
    """What is known of a run, as older versions wrote it: they called a weekly report final from the 8th on."""
    if isinstance(given, dict) and (given.get("cadence"), given.get("issue")) == ("weekly", "final"):
        return given | {"issue": "preliminary"}
    return given


class Fact(BaseModel):
    """Something that is so: immutable, complete, and without a field that nobody expects."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(Fact):
    """A half-open range of UTC days, ``start`` included and ``end`` not, as Cost Explorer counts them."""

    start: date
    end: date

    @model_validator(mode="after")
    def _start_before_end(self) -> Period:
        if self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end} (the end is exclusive)")
        return self


NamedPeriod = Annotated[
    Annotated[str, StringConstraints(max_length=10), Tag("name")] | Annotated[Period, Tag("days")],
    Discriminator(lambda given: "name" if isinstance(given, str) else "days"),
]
"""A period as people write it, ``2026-10`` or ``2026-W42``, or by its days. Tagged: a fault names one form only."""


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
"""Why an operator did what only an operator may do."""


class ForceSend(Fact):
    """An operator's word that a mail may go out although the ledger says it went, or may have gone.

    With ``pdf_sha256`` the stored report with that PDF goes out as it is stored, and nothing else: nothing is fetched,
    nothing rendered, whatever the client's record says by now.
    """

    reason: Reason
    pdf_sha256: Sha256 | None = None
    again: bool = False
    """A mail that was forced within the last ten minutes may be forced once more."""
    missing: bool = False
    """Only to recipients who have not been mailed this report: added since, or refused by SES. None is mailed twice."""


class RunRequest(Fact):
    """The input of an execution, as a schedule, an operator or a script gives it.

    ``cadence`` is all that a run needs; a test report is monthly unless it says otherwise. ``scheduled_at`` is the
    nominal time of the run (a schedule fills it in), so that a late or repeated start reports the right period; it
    defaults to the start of the execution. ``period`` names a past one: ``2026-10``, ``2026-W42``, or its half-open
    days. ``test_report`` with ``client_id`` renders and mails one client's report marked as a test, to ``recipients``
    if given, whose domains are those that the stack allows. ``client_ids`` and ``client_id`` mean what they say, be the
    client suspended or on another cadence. ``refresh`` asks Cost Explorer again, and pays again, although the costs are
    stored. ``rerun_of`` is the id of the run whose clients ``client_ids`` repeats (of a backfill, its name): then no
    operator has named them, so a suspended client is left out, and a removed one does not fail the run.
    """

    cadence: Cadence | None = None
    scheduled_at: AwareDatetime | None = None
    period: NamedPeriod | None = None
    client_ids: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    test_report: bool = False
    client_id: str | None = None
    recipients: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)] | None = None
    dry_run: bool = False
    force_send: ForceSend | None = None
    refresh: bool = False
    rerun_of: Annotated[str, Field(min_length=1)] | None = None


class RunAsked(Fact):
    """What List Clients receives: the request as it came, whatever it is, with the execution that carries it."""

    request: Any
    execution_id: Annotated[str, Field(min_length=1)]
    started_at: AwareDatetime


class StoredObject(Fact):
    """A document in the bucket: its key, its size in bytes, the hash of its bytes, and S3's name for this version.

    ``version_id`` is None where the bucket keeps no versions, and in what was stored before they were noted.
    """

    key: Annotated[str, Field(min_length=1)]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256
    version_id: str | None = None


class Run(Fact):
    """One run of the workflow: which report, for which period, and how it is meant."""

    run_id: Annotated[str, Field(min_length=1)]
    cadence: Cadence
    period: Period
    issue: Issue
    mode: Mode
    nominal_at: AwareDatetime
    recipients: tuple[FormerAddress, ...] | None = None
    """Read, and never written: runs of former versions carry the addresses of a test report here."""
    test_recipients: StoredObject | None = None
    """The addresses that a test report was asked for, as JSON in the bucket: states carry none."""
    force_send: ForceSend | None = None
    refresh: bool = False
    rerun_of: str | None = None
    named: bool = False
    """An operator has named the clients: they are meant although they are suspended."""

    @model_validator(mode="before")
    @classmethod
    def _a_weekly_report_has_one_issue(cls, given: Any) -> Any:
        return with_one_issue(given)

    @property
    def has_test_recipients(self) -> bool:
        """Whether the request of a test report names its recipients."""
        return self.recipients is not None or self.test_recipients is not None

    @property
    def as_stored(self) -> Sha256 | None:
        """The hash of the stored PDF that is to go out as it is, if that was asked for."""
        return None if self.force_send is None else self.force_send.pdf_sha256


class Worklist(Fact):
    """The clients of one pass of a run, as JSON Lines of :class:`ClientDue` in the bucket.

    ``concurrent_clients`` are worked on at once. ``looks`` counts how often the run has looked again at clients whose
    figures were not there yet; with ``look_again_at`` the pass begins then.
    """

    run: Run
    pass_number: Annotated[int, Field(ge=1)]
    worklist: StoredObject
    client_count: Annotated[int, Field(ge=0)]
    concurrent_clients: Annotated[int, Field(ge=1, le=1000)] = 5
    looks: Annotated[int, Field(ge=0)] = 0
    look_again_at: AwareDatetime | None = None


class StartedTwice(Fact):
    """A schedule started the run of one moment a second time. ``double_of`` is the ARN of the execution at work on it.

    Nothing was read, paid or mailed, and no client is worse off.
    """

    run: Run
    double_of: Annotated[str, Field(min_length=1)]


class SettleAsked(Fact):
    """What Settle Run receives: the worklist of the pass that has ended, and how the state was entered.

    ``redrives`` is ``$$.Execution.RedriveCount`` (Step Functions Developer Guide, "Accessing execution data from the
    Context object"): how often the execution has been redriven. It is a number always; a null is refused. Executions
    that began with the definition before this one hand over the bare :class:`Worklist` instead.
    ``entered_at`` is ``$$.State.EnteredTime``, the same in every try of the state.
    """

    worklist: Worklist
    redrives: Annotated[int, Field(ge=0, strict=True)]
    entered_at: AwareDatetime


class Failure(Fact):
    """An error as Step Functions hands it over: its name, and a cause that is JSON if a Lambda function raised it."""

    error: str = Field(alias="Error")
    cause: str = Field(default="", alias="Cause")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ClientDue(Fact):
    """A client whose report is due. The id is taken as it stands in the table: only the client record judges it.

    ``last_look``: if its figures are not there yet, the client fails; else the run looks at it again later.
    ``restarted``: it began again from Fetch Costs, since another execution had replaced its documents. ``killed`` is
    how a render with the client's logo was killed: the second one leaves the logo out. ``contested_by`` are clients
    whose records lead to the same AWS account: Fetch Costs looks at them again, and refuses if they still do.
    """

    run: Run
    client_id: Annotated[str, Field(min_length=1)]
    last_look: bool = True
    restarted: bool = False
    killed: Failure | None = None
    contested_by: Annotated[tuple[str, ...], Field(max_length=10)] = ()


class FetchedCosts(Fact):
    """The stored cost document of a client and period, with the figures that an outcome tells."""

    document: StoredObject
    total: Amount
    previous: Amount | None
    currency: str
    estimated: bool
    incomplete: bool = False
    """The total lacks an account or a day. Executions that began with an older version do not say it."""
    paid_requests: Annotated[int, Field(ge=0)]
    unreadable: Annotated[int, Field(ge=0)] = 0
    """Sections of which Cost Explorer's answer could not be read, if it was asked now."""


class CostsFetched(ClientDue):
    """The client's costs are in the bucket, complete and reconciled."""

    costs: FetchedCosts


DOWNLOADS: Final = "<!--downloads-->"
"""Where the links belong in the HTML of a mail. What clients are called is escaped there, so nobody else writes it."""


class DownloadWords(Fact):
    """What a mail says whose files are too large for it. ``intro`` has ``{until}`` where the time of expiry belongs."""

    intro: Annotated[str, StringConstraints(pattern=r"\{until\}")]
    after: str


class MailWords(Fact):
    """The words of a report's mail, stored as JSON beside the PDF, so that a resend says the same.

    With ``downloads`` the mail carries no file but links, which end too soon to be stored. Who sends it puts them at
    the end of ``text`` and at ``DOWNLOADS`` in ``html``.
    """

    subject: Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]
    text: str
    html: str
    downloads: DownloadWords | None = None


class Attached(Fact):
    """A file that goes with the PDF, as it is stored and as the recipient finds it."""

    document: StoredObject
    file_name: Annotated[str, Field(min_length=1)]
    content_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]+$")]


class RenderedReport(Fact):
    """What a recipient will get: the PDF, the files that the client wants with it, and the words of the mail.

    ``evidence`` is for us: where the figures come from and what was stored. ``logo_left_out`` says why the client's
    logo is not in it, if rendering with the logo was killed.
    """

    pdf: StoredObject
    mail: StoredObject
    attachments: tuple[Attached, ...]
    evidence: StoredObject
    file_name: Annotated[str, Field(min_length=1)]
    logo_left_out: str | None = None


class ReportRendered(CostsFetched):
    """The report is in the bucket."""

    report: RenderedReport


class Delivery(Fact):
    """What became of the mail to one recipient. ``recipient`` is a fingerprint: states carry no address.

    HELD: the report waits for an operator's approval. REJECTED: an operator has decided that it is not sent.
    """

    recipient: Annotated[str, Field(min_length=8)]
    state: Literal["SENT", "ALREADY_SENT", "NOT_SENT", "HELD", "REJECTED"]
    message_id: str | None = None


class Receipt(Fact):
    """What became of the mails, one per recipient, and, of those that were kept back, why and until when."""

    deliveries: tuple[Delivery, ...]
    reason: str | None = None


class ReportSent(ReportRendered):
    """SES has accepted a mail for every recipient, or would have been asked to in a dry run, or the report is held."""

    delivery: Receipt


class ClientEnded(ClientDue):
    """A client's baton as far as it came, with the failure if there was one: what Record Outcome receives."""

    costs: FetchedCosts | None = None
    report: RenderedReport | None = None
    delivery: Receipt | None = None
    failure: Failure | None = None


OutcomeStatus = Literal["SENT", "NOT_SENT", "HELD", "REJECTED", "LATE", "LEFT_OUT", "REMOVED", "FAILED"]
"""SENT: every recipient's mail is accepted. NOT_SENT: a dry run. HELD: it waits for an operator's approval.
REJECTED: an operator has closed it. LATE: its figures are not there yet, and the run looks again. LEFT_OUT: suspended
since the run listed it. REMOVED: its record was removed since. FAILED: see the error. Only FAILED fails a run."""


class Outcome(Fact):
    """How a client's part of a run ended."""

    client_id: str
    status: OutcomeStatus
    stage: str | None = None
    error: str | None = None
    message: str | None = None
    remedy: str | None = None
    total: Amount | None = None
    change: Amount | None = None
    currency: str | None = None
    recipients: Annotated[int, Field(ge=0)] = 0
    paid_requests: Annotated[int, Field(ge=0)] = 0
    report_key: str | None = None


class RunSummary(Fact):
    """A run in which no client failed: each got what was asked for, or an operator has kept it back.

    ``held`` and ``rejected`` reports wait or were closed; ``left_out`` clients were suspended and ``removed`` ones
    removed since the run listed them.
    """

    run: Run
    pass_number: int
    client_count: int
    sent: int
    not_sent: int
    held: int = 0
    rejected: int = 0
    left_out: int = 0
    removed: int = 0
    processed: int = 0
    """Clients that are counted with this summary: all that the run worked on, or none if a verdict has counted them."""
    worked_ms: Annotated[int, Field(ge=0)] | None = None
    """How long the run worked, without its waits for figures; None after a redrive, which came whenever it came."""
    summary: StoredObject


class Check(Fact):
    """One part of the system, and whether it is in order."""

    name: str
    healthy: bool
    detail: str


class HealthAsked(Fact):
    """``{"test": true}``: is the system able to work? Nothing is fetched, paid or sent."""

    test: Literal[True]


class Health(Fact):
    """Every part that a run needs, checked."""

    status: Literal["healthy"]
    checked_at: datetime
    checks: tuple[Check, ...]


class AnyRequest(RootModel[Any]):
    """Whatever somebody sends to the function that starts runs. The state machine judges it."""

    model_config = ConfigDict(frozen=True)


class RunAnswer(Fact):
    """How an execution stands, as the function that starts runs answers it.

    ``result`` is the execution's output once it has SUCCEEDED; ``error``, ``message`` and ``remedy`` say why it failed.
    A second start of the same moment has a ``result`` with ``double_of``, and ``look`` is about the one that works.
    """

    status: Literal["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE", "RUNNING"]
    execution_arn: str
    result: Any = None
    error: str | None = None
    message: str | None = None
    remedy: str | None = None
    look: str


class BackupAsked(Fact):
    """A backup of the tables is due. The schedule says for when, so a late or repeated start means the same day."""

    scheduled_at: AwareDatetime | None = None


class Backup(Fact):
    """A backup of a table. ``size`` is in bytes, and 0 while AWS has not counted yet."""

    table: str
    name: str
    arn: str
    made_at: AwareDatetime
    size: Annotated[int, Field(ge=0)] = 0


class BackedUp(Fact):
    """The tables' backups of the day, be they made now or before, and the names of the old ones that were given up."""

    backups: tuple[Backup, ...]
    given_up: tuple[str, ...]


class MailEvent(BaseModel):
    """An event of SES, as EventBridge hands it to Record Delivery. AWS may add to it, so more fields are no fault."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    source: Literal["aws.ses"]
    detail_type: str = Field(alias="detail-type")
    time: AwareDatetime
    detail: dict[str, Any]


class DeliveryRecorded(Fact):
    """What an event has done to the ledger. ``state`` is None if it said nothing new, or was about no report."""

    recipient: str | None
    state: str | None


class WatchAsked(Fact):
    """What the watch's schedule says. ``scheduled_at`` is the moment to judge; the present, if it is not given."""

    scheduled_at: AwareDatetime | None = None


class ReportWatched(Fact):
    """How the reports of one schedule stand, of all clients that should have one: so many clients in each status.

    ``fired``: a run for all clients was started. Statuses are those of ``domain.report_status``.
    """

    cadence: Cadence
    period: str
    issue: Issue
    due_at: AwareDatetime
    fired: bool
    clients: Annotated[int, Field(ge=0)]
    counts: dict[str, int]


class DeliveriesWatched(Fact):
    """What the watch has seen. ``missing``: clients without a report; ``bounced``: those whose report came back.

    ``roll_up`` says what became of the letter to operators: mailed; not due, since there is nothing new; gone already;
    in the hands of another execution at this moment; or perhaps gone, and not sent again today.
    """

    at: AwareDatetime
    reports: tuple[ReportWatched, ...]
    missing: Annotated[int, Field(ge=0)]
    bounced: Annotated[int, Field(ge=0)]
    roll_up: Literal["mailed", "nothing_new", "already_sent", "underway", "uncertain"]
