"""Every error of the product, named as the words that the state machine matches.

Step Functions compares an error's *name* with the names in ``Retry`` and ``Catch`` and knows no inheritance, so a
leaf's class name is part of the workflow's interface (``tests/contract/test_errors.py`` holds the two together):

    CostReportingError
    ├─ Transient    worth another try, later and by itself: the ASL retries these, but for two
    │   ├─ CostsThrottled        Cost Explorer asked us to slow down
    │   ├─ CostsNotReady         Cost Explorer has no figures for the period yet: the run looks again later
    │   ├─ DeliveryThrottled     SES asked us to slow down, or was out of reach; it accepted nothing
    │   ├─ DeliveryUnderway      another execution is sending this very mail at this moment
    │   ├─ StaleDocument         other bytes are in the bucket than an earlier state stored
    │   └─ StoreThrottled        DynamoDB or S3 asked us to slow down
    └─ Permanent    the same try would fail again: somebody has to change something first
        ├─ InvalidRequest        the execution's input makes no sense
        ├─ ClientUnknown         there is no such client record
        ├─ ClientSuspended       the client was suspended since the run listed it
        ├─ ClientMisconfigured   the client record is incomplete or wrong
        ├─ AccountTaken          the record leads to an AWS account or a secret of another client
        ├─ ClientChanged         somebody else has changed the client record meanwhile
        ├─ ClientAccessDenied    the client's account does not let us read its costs
        ├─ CredentialsRejected   AWS does not accept the credentials with which the costs are read
        ├─ PayerDeniesAccess     the organization's payer account does not let its members use Cost Explorer
        ├─ PolicyDeniesAccess    a policy denies it explicitly, whatever the reader role allows
        ├─ AccountClosed         the client's AWS account is closed, suspended or not activated
        ├─ CostExplorerDisabled  Cost Explorer was never switched on in the client's account
        ├─ CostsRefused          Cost Explorer refused the question
        ├─ CostsUnreadable       Cost Explorer's answer lacks what a figure needs, or says it in an unknown form
        ├─ CostsEndless          Cost Explorer's pages do not end
        ├─ AnomaliesNotMonitored  the client's account has no monitor for unusual costs
        ├─ CostsIncomplete       a section's figures could not be had, and the client wants all or nothing
        ├─ CostsDoNotReconcile   two views of the same costs differ
        ├─ RenderFailed          the PDF could not be made
        ├─ StoreRefused          DynamoDB or S3 refused the request for good
        ├─ ReportNotStored       the report that is to go out as it is stored is not there (any more)
        ├─ NotHeld               there is no such report that waits for approval
        ├─ DeliveryRejected      SES refused the message for good
        ├─ LetterMalformed       the mail to one recipient could not be composed
        ├─ DeliveryUncertain     SES may or may not have accepted the message: never send again unasked
        ├─ DeliveryRepeated      a mail was forced to this recipient minutes ago: a further one needs a second word
        ├─ ContractViolated      a state received or returned something it should not
        ├─ RollUpNotSent         the letter about missing reports could not be mailed to operators
        ├─ RotationStopped       the rotation of a client's credentials cannot go on by itself
        ├─ RunNotStarted         Step Functions did not start the run, or does not say how it stands
        ├─ WorklistChanged       a run's list of clients is not the one that was written
        ├─ Unhealthy             the health check found a part of the system out of order
        └─ RunIncomplete         the run ended, and some clients have no report

An error is one sentence about a fact (its message) and one sentence for the person who must act (its remedy).
"""

from typing import ClassVar, Final


class CostReportingError(Exception):
    """The root: never raised itself. ``remedy`` says in one sentence what an operator can do."""

    remedy: ClassVar[str] = "Read the cause, and the log of the failed function."

    @property
    def name(self) -> str:
        """The error name as Step Functions sees it."""
        return type(self).__name__


class Transient(CostReportingError):
    """Worth another try, later and by itself."""


class Permanent(CostReportingError):
    """The same try would fail again."""


class CostsThrottled(Transient):
    """Cost Explorer asked us to slow down."""

    remedy = "Rerun the client later; if it happens often, lower the parameter ConcurrentClients."


class CostsNotReady(Transient):
    """Cost Explorer has no figures for the period yet; they lag by up to 24 hours."""

    remedy = "Rerun the client tomorrow: new accounts and fresh periods need up to 24 hours."


class DeliveryThrottled(Transient):
    """SES asked us to slow down or was out of reach; it accepted nothing."""

    remedy = "Rerun the client; compare the account's SES sending rate and daily quota with what is sent."


class DeliveryUnderway(Transient):
    """Another execution is sending this very mail at this moment."""

    remedy = "Rerun the client in some minutes: the ledger then knows how the other execution ended."


class StaleDocument(Transient):
    """Other bytes are in the bucket than an earlier state stored, or none: the client begins again with its costs.

    Usually another execution has replaced the document meanwhile. The state machine leads back to Fetch Costs once.
    """

    remedy = (
        "Rerun the client: its documents are checked, and made anew where they do not fit. If it fails again, "
        "`report.py run --client-id … --refresh` asks Cost Explorer anew."
    )


class StoreThrottled(Transient):
    """DynamoDB or S3 asked us to slow down, or failed for a moment."""

    remedy = "Rerun the client; the tables are on demand and scale by themselves within minutes."


class InvalidRequest(Permanent):
    """The execution's input makes no sense."""

    remedy = "Correct the named field of the input and start a new execution."


class ClientUnknown(Permanent):
    """There is no client record with this id."""

    remedy = "Look for it with `client_manager.py list`, or add it to the clients table with `client_manager.py add`."


class ClientSuspended(Permanent):
    """The client was suspended since the run listed it, so nothing is mailed."""

    remedy = "Nothing, if it stays suspended; else set it active and run it again by its id."


class ClientMisconfigured(Permanent):
    """The client record is incomplete or wrong."""

    remedy = "Correct the named field with `client_manager.py export` and `update`, then rerun the client."


class AccountTaken(Permanent):
    """The record leads to an AWS account or a secret of another client, so nothing was written."""

    remedy = (
        "Give the client an account of its own, or, for two reports about one account, let both records name each "
        "other in shared_with, with a shared_reason: first the record that is there, then the new one."
    )


class ClientChanged(Permanent):
    """Somebody else has changed the client record meanwhile, so nothing was written."""

    remedy = "Export the record again, make your change there, and update it."


class ClientAccessDenied(Permanent):
    """The client's account does not let us read its costs."""

    remedy = "Ask the client to restore what `client_manager.py validate --client-id …` finds missing, then rerun it."


class CredentialsRejected(Permanent):
    """AWS does not accept the credentials with which the costs are read, fresh ones of the same access included."""

    remedy = (
        "Rerun the client; if it fails again, have it make new keys and store them with "
        "`rotate_client_credentials.py`, or look at the clock of the machine that asks."
    )


class PayerDeniesAccess(Permanent):
    """The payer account of the client's organization does not let its member accounts use Cost Explorer.

    AWS says "Linked account doesn't have access to cost explorer". No permission in the member account changes that.
    """

    remedy = (
        "Ask who runs the client's management account to allow it: Billing and Cost Management, Cost Management "
        "preferences, Linked account access. Nothing in the reader role is missing."
    )


class PolicyDeniesAccess(Permanent):
    """A policy denies it explicitly: of the client's organization, or of its account."""

    remedy = (
        "Ask the client to except the reader role from the policy that the message names; a service control policy is "
        "changed in the organization's management account. Nothing in the reader role is missing."
    )


class AccountClosed(Permanent):
    """The client's AWS account is closed or suspended, or was never activated."""

    remedy = "Ask the client whether the account is still in use: reopen it with AWS Support, or suspend the client."


class CostExplorerDisabled(Permanent):
    """Cost Explorer was never switched on in the client's account."""

    remedy = "Ask the client to open Cost Explorer once in the Billing console; figures appear within 24 hours."


class CostsRefused(Permanent):
    """Cost Explorer refused the question."""

    remedy = "Compare the period and metric with what Cost Explorer keeps: 13 months and the current one."


class CostsUnreadable(Permanent):
    """Cost Explorer's answer lacks what a figure needs, or says it in an unknown form: that figure is not known."""

    remedy = (
        "Rerun the client in some hours; if it fails again, give the developers the message and the answers that are "
        "stored beside the costs."
    )


class CostsEndless(Permanent):
    """Cost Explorer's pages do not end: a token came again, or there were too many, of which each is paid."""

    remedy = "Rerun the client in some hours; if it fails again, tell AWS Support the request ids in the evidence."


class AnomaliesNotMonitored(Permanent):
    """The client's account has no monitor, so AWS looks for no unusual costs."""

    remedy = "Ask the client to create a monitor of AWS services: Billing and Cost Management, Cost Anomaly Detection."


class CostsIncomplete(Permanent):
    """A section's figures could not be had, and the client wants all or nothing."""

    remedy = "Mend the named reason, or set on_partial to send_marked in the client record, then rerun the client."


class CostsDoNotReconcile(Permanent):
    """Two views of the same costs differ, so neither may be shown."""

    remedy = "Rerun the client in some hours: Cost Explorer was probably refreshing; see the evidence beside the costs."


class RenderFailed(Permanent):
    """The PDF could not be made."""

    remedy = "Read the log of render_pdf; the costs are stored, so a rerun pays for nothing twice."


class StoreRefused(Permanent):
    """DynamoDB or S3 refused the request for good."""

    remedy = "Compare the function's role, table and bucket with the template: `sam deploy` mends a difference."


class ReportNotStored(Permanent):
    """The report that is to go out as it is stored is not there, or no longer the one that was meant."""

    remedy = "Start the client's run with force_send and a reason only: it is made anew, and may differ."


class NotHeld(Permanent):
    """There is no such report that waits for approval, or another one waits than was meant."""

    remedy = "See what waits with `scripts/report.py status --client-id …`, and approve or reject that."


class DeliveryRejected(Permanent):
    """SES refused the message for good."""

    remedy = "Check the sender's verification, the account's sending status and the recipient's address."


class LetterMalformed(Permanent):
    """The mail to one recipient could not be composed; the others' went, or will."""

    remedy = "Correct that recipient's address with `client_manager.py export` and `update`, then rerun the client."


class DeliveryUncertain(Permanent):
    """SES may or may not have accepted the message."""

    remedy = "Ask the recipient or look for the SEND event; only then rerun with force_send and a reason."


class DeliveryRepeated(Permanent):
    """A mail was forced to this recipient less than ten minutes ago, by another run."""

    remedy = "If a further mail is meant, use `report.py resend --again` (force_send.again: true); else do nothing."


class ContractViolated(Permanent):
    """A state received or returned something that it should not."""

    remedy = "This is a fault of the software: keep the execution's input and tell the developers."


class RollUpNotSent(Permanent):
    """The letter about all clients could not be mailed to operators; the counts are told all the same."""

    remedy = "Check the sender's verification and the Operators parameter; the roll-up is in the bucket: runs/watch/."

    def __init__(self, reason: str, *, missing: int = 0, bounced: int = 0) -> None:
        super().__init__(reason)
        self.missing = missing
        self.bounced = bounced


class RotationStopped(Permanent):
    """The rotation of a client's credentials cannot go on by itself; the client is still read with what works."""

    remedy = "Do what the message says, then start the rotation again: it goes on where it stopped."


class RunNotStarted(Permanent):
    """Step Functions did not start the run, or does not say how it stands."""

    remedy = "Ask again; if it stays, compare the function's role and the state machine's name with the template."


class WorklistChanged(Permanent):
    """A run's list of clients in the bucket is not the one that List Clients wrote.

    ``processed`` clients are counted with this verdict.
    """

    remedy = (
        "Find out who wrote below runs/ in the bucket, then redrive the execution: it works on those who lack a report."
    )

    def __init__(self, reason: str, *, processed: int = 0) -> None:
        super().__init__(reason)
        self.processed = processed


class Unhealthy(Permanent):
    """The health check found a part of the system out of order."""

    remedy = "Mend the named part; the other parts were checked as well and are listed."


class RunIncomplete(Permanent):
    """The run ended, and some clients have no report.

    ``worked_ms``: so long it worked, if that is known. ``processed`` clients are counted with this verdict.
    """

    remedy = "Mend what each client's remedy says, then redrive the execution: only the failed clients run again."

    def __init__(self, reason: str, *, worked_ms: int | None = None, processed: int = 0) -> None:
        super().__init__(reason)
        self.worked_ms = worked_ms
        self.processed = processed


def leaves(root: type[CostReportingError] = CostReportingError) -> dict[str, type[CostReportingError]]:
    """Every concrete error below ``root`` by the name that the ASL uses."""
    found: dict[str, type[CostReportingError]] = {}
    for child in root.__subclasses__():
        found |= leaves(child) or {child.__name__: child}
    return found


_PLATFORM_REMEDIES: Final = {
    "States.Timeout": "The function was too slow: look at its duration, then rerun the client.",
    "Sandbox.Timedout": "The function was too slow: look at its duration, then rerun the client.",
    "Lambda.Unknown": "The function ended without an answer (time or memory): look at its log, then rerun the client.",
    "Runtime.ExitError": "The function's process ended (memory?): look at its log, then rerun the client.",
    "NoOutcome": "Redrive the execution, or start the same input again: nobody who has the report is mailed again.",
    "States.DataLimitExceeded": "A state's payload passed 256 KiB: tell the developers.",
}


def remedy_of(name: str) -> str:
    """What an operator can do about the error called ``name``, be it ours or the platform's."""
    ours = leaves().get(name)
    return ours.remedy if ours else _PLATFORM_REMEDIES.get(name, CostReportingError.remedy)
