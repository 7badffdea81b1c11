"""Any interleaving of senders, crashes, events, reruns and operators, over the real ledger and the real Send Email.

Each sender is a greenlet in which ``operations.send_email`` runs as it is. Whenever it calls DynamoDB or SES it stands
still, and hypothesis decides who moves next, and what becomes of the call: done, refused, done without an answer, or
the end of the process. SES's events are greenlets too, with :meth:`LedgerStore.apply` in them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from unittest import mock

from botocore.exceptions import ClientError, ConnectionClosedError
from greenlet import GreenletExit, getcurrent, greenlet
from hypothesis import currently_in_test_context
from hypothesis import note as hypothesis_note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cost_reporting import aws
from cost_reporting.contracts import ForceSend, MailWords, Run
from cost_reporting.delivery import Letter
from cost_reporting.errors import CostReportingError, DeliveryRejected, DeliveryThrottled, DeliveryUncertain
from cost_reporting.ledger import Entry, Event, State, decide, fingerprint, report_key
from cost_reporting.operations.send_email import _Sending
from cost_reporting.store.ledger import LedgerStore
from tests.builders import a_client, a_run, report_rendered

TO: Final = "finance@northwind.example"
CLIENT: Final = a_client(recipients=(TO,))
RENDERED: Final = report_rendered(CLIENT.client_id)
REPORT: Final = report_key(RENDERED.run, CLIENT.client_id)
CROWD: Final = 4
"""So many are at work at once."""
WORDS: Final = MailWords(subject="AWS costs", text="Total: 12", html="<p>Total: 12</p>")
ORDER: Final = ("SENDING", "SENT", "DELAYED", "DELIVERED", "BOUNCED", "COMPLAINED", "REJECTED")
FATES: Final[tuple[tuple[State, ...], ...]] = (
    ("SENT", "DELIVERED"),
    ("SENT", "DELAYED", "DELIVERED"),
    ("SENT", "BOUNCED"),
    ("SENT", "DELIVERED", "COMPLAINED"),
    ("SENT", "REJECTED"),
)
"""What SES may tell of a message that it has accepted, in the order in which it happens."""

READ: Final = st.sampled_from(["done", "throttled"])
WRITTEN: Final = st.sampled_from(["done", "done", "throttled", "answer lost", "written twice"])
ASKED: Final = st.sampled_from(["accepts", "accepts", "throttles", "rejects", "lost", "accepts, answer lost", "crash"])


class Table:
    """A DynamoDB table as far as the ledger uses one: items by key, and two conditions."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def get_item(self, *, Key: dict[str, str], ConsistentRead: bool) -> dict[str, Any]:
        assert ConsistentRead
        item = self.items.get((Key["pk"], Key["sk"]))
        return {} if item is None else {"Item": dict(item)}

    def put_item(
        self,
        *,
        Item: dict[str, Any],
        ConditionExpression: str,
        ExpressionAttributeNames: dict[str, str] | None = None,
        ExpressionAttributeValues: dict[str, Any] | None = None,
    ) -> None:
        key = Item["pk"], Item["sk"]
        here = self.items.get(key)
        if ConditionExpression == "attribute_not_exists(pk)":
            holds = here is None
        else:
            revision = {
                "#state = :state AND try_id = :try_id AND revision = :revision": "is the same",
                "#state = :state AND try_id = :try_id AND attribute_not_exists(revision)": "is not there",
            }[ConditionExpression]
            assert ExpressionAttributeNames == {"#state": "state"}
            wanted = ExpressionAttributeValues or {}
            assert (":revision" in wanted) == (revision == "is the same")
            holds = here is not None and (here["state"], here["try_id"], here.get("revision")) == (
                wanted[":state"],
                wanted[":try_id"],
                wanted.get(":revision"),
            )
        if not holds:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}, "PutItem")
        self.items[key] = dict(Item)


class Gate:
    """The table as a sender has it: each call waits for its turn, and for what becomes of it."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get_item(self, **question: Any) -> Any:
        if pause("read") == "throttled":
            raise throttled()
        return self._table.get_item(**question)

    def put_item(self, **order: Any) -> None:
        what = pause("write")
        if what == "throttled":
            raise throttled()
        self._table.put_item(**order)
        if what == "answer lost":
            raise ConnectionClosedError(endpoint_url="https://dynamodb.example")
        if what == "written twice":  # botocore has lost the answer, and tries again
            self._table.put_item(**order)


def pause(what: str) -> str:
    """Stand still before a call; the answer says what becomes of it."""
    return str(getcurrent().parent.switch(what))


def note(text: str) -> None:
    """Tell hypothesis, if it is at work: an order may also be replayed without it."""
    if currently_in_test_context():
        hypothesis_note(text)


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "later"}}, "PutItem")


@dataclass(frozen=True)
class Accepted:
    """A message that SES has accepted, and what it will tell of it."""

    recipient: str
    report: str
    run_id: str
    try_id: str
    message_id: str
    fate: tuple[State, ...]


@dataclass
class Process:
    """Somebody at work, standing before a call."""

    name: str
    at: str = ""
    body: greenlet | None = None
    letter: Letter | None = None


class LedgerMachine(RuleBasedStateMachine):
    """See the module."""

    make_table: Callable[[], Any] = staticmethod(Table)

    @initialize()
    def an_empty_ledger(self) -> None:
        self.now = RENDERED.run.nominal_at
        self.table = type(self).make_table()
        with mock.patch.object(aws, "table", return_value=Gate(self.table)):
            self.gated = LedgerStore("outcomes")
        with mock.patch.object(aws, "table", return_value=self.table):
            self.ledger = LedgerStore("outcomes")
        self.accepted: list[Accepted] = []
        self.told: defaultdict[str, set[State]] = defaultdict(set)
        self.forced: set[str] = set()
        self.furthest: dict[str, int] = {}
        self.working: list[Process] = []
        self.runs: list[Run] = []
        self.count = 0
        self.fate: tuple[State, ...] = FATES[0]

    # -- runs and senders ---------------------------------------------------------------------------------------------

    @rule(forced=st.sampled_from([False, False, True]), again=st.booleans())
    def a_run_begins(self, forced: bool, again: bool = False) -> None:
        """The schedule, the same input again, a redrive; or an operator who forces a mail."""
        word = ForceSend(reason="they have nothing", again=again) if forced else None
        run = a_run(run_id=self._name("forced" if forced else "run"), force_send=word)
        if forced:
            self.forced.add(run.run_id)
        self.runs.append(run)
        self._send(run)

    @precondition(lambda self: self.runs and len(self.working) < CROWD)
    @rule(which=st.integers(0, 2))
    def a_run_tries_again(self, which: int) -> None:
        """The state machine's retry, or the same child a second time: the ledger cannot tell, and need not."""
        self._send(self.runs[-1 - which % len(self.runs)])

    def _send(self, run: Run) -> None:
        process = Process(self._name("sender"))
        sending = _Sending(
            rendered=RENDERED.model_copy(update={"run": run}),
            client=CLIENT,
            words=WORDS,
            enclosures=(),
            ledger=self.gated,
            channel=_Channel(process),
            sender="reports@consultancy.example",
            now=lambda: self.now,
        )
        self._begin(process, lambda: sending.to(TO))

    @precondition(lambda self: self.working)
    @rule(which=st.integers(0, 9), read=READ, written=WRITTEN, asked=ASKED, fate=st.sampled_from(FATES))
    def somebody_moves(self, which: int, read: str, written: str, asked: str, fate: tuple[State, ...]) -> None:
        self.fate = fate
        process = self.working[which % len(self.working)]
        if process.at == "ses":
            self._ask(process, asked)
        else:
            self._go_on(process, read if process.at == "read" else written)

    @precondition(lambda self: self.working)
    @rule(which=st.integers(0, 9), asked=ASKED, fate=st.sampled_from(FATES))
    def somebody_gets_through(self, which: int, asked: str, fate: tuple[State, ...]) -> None:
        """Moves to the end, while the others stand still."""
        self.fate = fate
        process = self.working[which % len(self.working)]
        while process in self.working:
            if process.at == "ses":
                self._ask(process, asked)
            else:
                self._go_on(process, "done")

    @precondition(lambda self: len(self.working) > 1)
    @rule()
    def everybody_reads(self) -> None:
        """All who stand before the ledger look at once, and what they have seen grows old together."""
        for process in [each for each in self.working if each.at == "read"]:
            self._go_on(process, "done")

    @precondition(lambda self: self.working)
    @rule(which=st.integers(0, 9))
    def somebody_dies(self, which: int) -> None:
        self._end(self.working[which % len(self.working)])

    @rule(seconds=st.sampled_from([1, 89, 90, 600]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.accepted and len(self.working) < CROWD)
    @rule(which=st.integers(0, 9), step=st.integers(0, 2))
    def ses_tells_something(self, which: int, step: int) -> None:
        """In any order, late, and more than once."""
        message = self.accepted[-1 - which % len(self.accepted)]
        event = self._event(message, message.fate[step % len(message.fate)])
        self._begin(Process(self._name("event")), lambda: self._apply(event))

    def _apply(self, event: Event) -> None:
        self.gated.apply(event)
        self.told[event.try_id].add(event.state)

    def _event(self, message: Accepted, state: State) -> Event:
        return Event(
            report=message.report,
            recipient=message.recipient,
            try_id=message.try_id,
            message_id=message.message_id,
            state=state,
            at=self.now,
        )

    # -- how processes move -------------------------------------------------------------------------------------------

    def _begin(self, process: Process, work: Callable[[], object]) -> None:
        def body() -> str:
            try:
                work()
            except CostReportingError as trouble:
                note(f"{process.name}: {trouble.name}: {trouble}")
            return ""

        process.body = greenlet(body)
        self.working.append(process)
        self._arrived(process, process.body.switch())

    def _go_on(self, process: Process, what: str) -> None:
        assert process.body is not None
        note(f"{process.name}: {process.at}: {what}")
        self._arrived(process, process.body.switch(what))

    def _arrived(self, process: Process, where: str) -> None:
        process.at = where or ""
        if not process.at:
            self.working.remove(process)

    def _ask(self, process: Process, asked: str) -> None:
        letter = process.letter
        assert letter is not None
        if asked.startswith("accepts") or asked == "crash":
            self.accepted.append(
                Accepted(
                    recipient=fingerprint(letter.recipient),
                    report=letter.tags["report_id"].replace("_", "#"),
                    run_id=letter.tags["run_id"],
                    try_id=letter.tags["try_id"],
                    message_id=f"message-{len(self.accepted) + 1}",
                    fate=self.fate,
                )
            )
        if asked == "crash":
            self._end(process)
        else:
            self._go_on(process, self.accepted[-1].message_id if asked == "accepts" else asked)

    def _end(self, process: Process) -> None:
        if process.body is not None and not process.body.dead:
            note(f"{process.name} dies before: {process.at}")
            process.body.throw(GreenletExit)
            self.working.remove(process)
        process.at = ""

    def _name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}-{self.count:04d}"

    # -- what always holds --------------------------------------------------------------------------------------------

    def _entry(self) -> Entry | None:
        return self.ledger.find(REPORT, fingerprint(TO))

    def _mails(self) -> list[Accepted]:
        """Accepted messages that SES does not take back."""
        return [each for each in self.accepted if "REJECTED" not in each.fate]

    @invariant()
    def nobody_gets_a_mail_twice_unless_an_operator_said_so(self) -> None:
        mails = Counter(each.run_id if each.run_id in self.forced else "unasked" for each in self._mails())
        assert all(count == 1 for count in mails.values()), self.accepted

    @invariant()
    def what_ses_accepted_is_never_sent_again_unasked(self) -> None:
        if self._mails():
            assert decide(self._entry(), now=self.now) != "send"
            assert decide(self._entry(), now=self.now + timedelta(days=9)) != "send"

    @invariant()
    def the_ledger_says_nothing_that_ses_did_not(self) -> None:
        entry = self._entry()
        if entry is None or entry.state in ("SENDING", "REFUSED"):
            return
        (message,) = [each for each in self.accepted if each.try_id == entry.try_id]
        assert message.message_id == entry.message_id
        assert entry.state in ("SENT", *message.fate)

    @invariant()
    def an_entry_never_goes_back_on_its_line(self) -> None:
        entry = self._entry()
        if entry is None or entry.state == "REFUSED":
            return
        place = ORDER.index(entry.state)
        assert place >= self.furthest.get(entry.try_id, 0), (entry, self.furthest)
        self.furthest[entry.try_id] = place

    def teardown(self) -> None:
        """The dust settles: who is at work ends, and every event arrives. Then the ledger knows every mail."""
        for process in list(self.working):
            self._end(process)
        for message in reversed(self.accepted):
            for state in reversed(message.fate):
                self.ledger.apply(self._event(message, state))
                self.told[message.try_id].add(state)
        entry = self._entry()
        ours = [each for each in self.accepted if entry is not None and each.try_id == entry.try_id]
        if entry is not None and ours:
            assert entry.state == max(ours[0].fate, key=ORDER.index), (entry, ours)
        if self._mails():
            assert entry is not None
            assert ours or entry.run_id in self.forced, (entry, self.accepted)
            known = {each.try_id: each.state for each in entry.tries}
            told = {each.try_id: max(each.fate, key=ORDER.index) for each in self._mails()}
            assert told.items() <= known.items(), "every mail that went is known, as SES's last event left it"
        self.what_ses_accepted_is_never_sent_again_unasked()
        self.nobody_gets_a_mail_twice_unless_an_operator_said_so()


class _Channel:
    """SES as a sender has it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def send(self, letter: Letter) -> str:
        self._process.letter = letter
        what = pause("ses")
        if what == "throttles":
            raise DeliveryThrottled("SES: TooManyRequestsException")
        if what == "rejects":
            raise DeliveryRejected("SES: MessageRejected")
        if what.startswith("message-"):
            return what
        raise DeliveryUncertain("SES: ReadTimeoutError")
