"""`scripts/clean_recipient_lists.py`: who is left out, who is put back, and what stands in the audit trail."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

import _console
import clean_recipient_lists
from cost_reporting.clients import Client
from cost_reporting.ledger import Entry, Event, State, fingerprint
from cost_reporting.operations.clients import changing
from cost_reporting.operations.clients.changing import Author
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.records import Along, Change, RecordStore, Version
from tests.builders import a_client
from tests.functional.conftest import Clock, Wire, World, refusal
from tests.functional.test_preview import Ended

ANNA, BEN, CARL = "anna@acme.example", "Ben@acme.example", "carl@acme.example"
EARLIER = datetime(2026, 11, 1, 6, tzinfo=UTC)
Clean = Callable[..., Ended]


@pytest.fixture
def suppressed(wire: Wire) -> Iterator[list[dict[str, Any]]]:
    """What stands on SES's suppression list, which moto has not got: one address a page."""
    listed: list[dict[str, Any]] = []

    def answer(model: Any, params: dict[str, Any], **_: Any) -> Any:
        ordered = wire.answer(model)
        if ordered is not None:
            return ordered
        token = int(params["query_string"].get("NextToken", 0))
        page = {"SuppressedDestinationSummaries": listed[token : token + 1]}
        return wired(page | ({"NextToken": str(token + 1)} if token + 1 < len(listed) else {}))

    def delete(params: dict[str, Any], **_: Any) -> Any:
        address = params["url_path"].rpartition("/")[2]
        kept = [each for each in listed if each["EmailAddress"] not in address.replace("%40", "@")]
        if len(kept) == len(listed):
            return Gone, {"Error": {"Code": "NotFoundException"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
        listed[:] = kept
        return wired({})

    events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    taps = {"ListSuppressedDestinations": answer, "DeleteSuppressedDestination": delete}
    for name, tap in taps.items():
        events.register(f"before-call.sesv2.{name}", tap)
    yield listed
    for name, tap in taps.items():
        events.unregister(f"before-call.sesv2.{name}", tap)


class Okay:
    status_code = 200


class Gone:
    status_code = 404


def wired(body: dict[str, Any]) -> Any:
    return Okay, body | {"ResponseMetadata": {"HTTPStatusCode": 200}}


@pytest.fixture
def topic(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> str:
    arn = boto3.client("sns").create_topic(Name="cost-reporting-alerts")["TopicArn"]
    monkeypatch.setenv("ALERTS_TOPIC_ARN", arn)
    return arn


@pytest.fixture
def clean(world: World, topic: str, suppressed: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> Clean:
    def clean(*arguments: str) -> Ended:
        capsys.readouterr()
        code = _console.main(clean_recipient_lists.app, [*arguments, "--yes", "--by", "olga"])
        return Ended(code, *capsys.readouterr())

    return clean


def acme(**changes: Any) -> Client:
    return a_client(client_id="acme", recipients=(ANNA, BEN), **changes)


def mailed(address: str, state: State, *, period: str = "2026-10", at: datetime = EARLIER, **more: Any) -> None:
    """A mail to ``address`` of which the ledger says ``state``."""
    entry = Entry(
        report=f"{more.pop('client_id', 'acme')}#monthly#{period}#final#live",
        recipient=fingerprint(address), state=state, try_id=f"try-{period}", attempt=1, run_id="run-1",
        report_sha256="0" * 64, updated_at=at, message_id="m-1", **more,
    )  # fmt: skip
    assert LedgerStore("outcomes").begin(entry, replacing=None)


def record(client_id: str = "acme") -> Client:
    return ClientStore("clients").get(client_id)


def deeds(world: World) -> list[dict[str, Any]]:
    """What stands in the audit trail of acme's recipients."""
    return [item for item in world.outcomes("CLIENT#acme") if item["sk"].startswith("RECIPIENT#")]


def versions() -> tuple[Version, ...]:
    """The history of acme's record."""
    return RecordStore("clients", "outcomes").versions("acme")


def alerts(wire: Wire) -> list[dict[str, Any]]:
    return [call.parameters for call in wire.calls if call.operation == "sns.Publish"]


def test_an_address_that_bounced_is_taken_out_with_a_trail_and_without_touching_others(
    clean: Clean, world: World, wire: Wire
) -> None:
    world.add(acme(), a_client(client_id="acme-2", recipients=(ANNA,)))
    mailed(ANNA.upper(), "BOUNCED", bounce="Permanent")
    mailed(BEN, "DELIVERED")
    ended = clean("--json")
    assert ended.code == 0, ended.err
    (change,) = ended.json["changes"]
    assert (change["client_id"], change["address"], change["reason"]) == ("acme", ANNA, "bounced")
    assert change["evidence"] == "ledger acme#monthly#2026-10#final#live"
    assert (record().recipients, record().quarantined, record().version) == ((BEN,), (ANNA,), 2)
    assert record("acme-2").recipients == (ANNA,)
    (deed,) = deeds(world)
    assert deed["sk"].startswith(f"RECIPIENT#{fingerprint(ANNA)}#")
    assert (deed["by"], deed["deed"], deed["version"], deed["run_id"]) == (
        "olga", "quarantined", 2, ended.json["run_id"],
    )  # fmt: skip
    assert ANNA not in json.dumps(deed, default=str), "the address is in the record only"
    assert alerts(wire) == []
    assert clean("--json").json["changes"] == []


def test_a_dry_run_says_the_same_and_changes_nothing(clean: Clean, world: World, wire: Wire) -> None:
    world.add(a_client(client_id="acme", recipients=(ANNA,)))
    mailed(ANNA, "COMPLAINED")
    wire.calls.clear()
    dry = clean("--dry-run", "--json")
    assert (dry.code, dry.json["dry_run"], dry.json["without_recipient"]) == (1, True, ["acme"])
    assert f"acme: {ANNA}: it complained" in dry.err
    assert not wire.count("dynamodb.PutItem", "dynamodb.UpdateItem", "dynamodb.TransactWriteItems", "sns.Publish")
    assert clean("--json").json["changes"] == dry.json["changes"]


def test_a_client_left_with_nobody_alerts_the_operators_until_that_is_mended(
    clean: Clean, world: World, wire: Wire, topic: str
) -> None:
    world.add(a_client(client_id="acme", recipients=(ANNA,)))
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    for _ in range(2):
        wire.calls.clear()
        ended = clean()
        assert ended.code == 1
        assert "nobody is left to send its reports to; the operators are alerted" in ended.err
        (alert,) = alerts(wire)
        assert (alert["TopicArn"], alert["Subject"]) == (topic, "No recipient left: acme")
        assert "--undo --client-id acme" in alert["Message"]
        assert "@" not in alert["Message"]
    assert record().recipients == ()


def test_an_alert_that_cannot_be_raised_is_no_silence(clean: Clean, world: World, wire: Wire) -> None:
    world.add(a_client(client_id="acme", recipients=(ANNA,)))
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    wire.order("sns.Publish", refusal("AuthorizationError", 403))
    ended = clean()
    assert ended.code == 1
    assert "Nobody was alerted that it has no recipient left" in ended.err


def test_three_transient_bounces_of_different_mails_leave_an_address_out_and_two_do_not(
    clean: Clean, world: World
) -> None:
    world.add(acme())
    for month in ("2026-08", "2026-09"):
        mailed(ANNA, "DELAYED", period=month, bounce="Transient")
    assert clean("--json").json["changes"] == []
    mailed(ANNA, "DELAYED", period="2026-10", bounce="Transient")
    (change,) = clean("--json").json["changes"]
    assert change["reason"] == "bounced_repeatedly"


def test_a_transient_bounce_after_a_delay_is_remembered_in_any_order(world: World) -> None:
    ledger = LedgerStore("outcomes")
    for order in ((None, "Transient"), ("Transient", None)):
        period = f"2026-0{len(world.outcomes('LEDGER')) + 1}"
        mailed(ANNA, "SENT", period=period)
        report = f"acme#monthly#{period}#final#live"
        for bounce in order:
            ledger.apply(
                Event(
                    report=report, recipient=fingerprint(ANNA), try_id=f"try-{period}", message_id="m-1",
                    state="DELAYED", at=EARLIER, bounce=bounce,
                )
            )  # fmt: skip
        entry = ledger.find(report, fingerprint(ANNA))
        assert entry is not None
        assert (entry.state, entry.bounce) == ("DELAYED", "Transient")


def test_the_suppression_list_is_read_to_its_end_in_any_spelling(
    clean: Clean, world: World, suppressed: list[dict[str, Any]]
) -> None:
    world.add(acme(), a_client(client_id="globex", recipients=(CARL, "ben@ACME.example")))
    everybody = ("x@else.example", "y@else.example", BEN.lower())
    suppressed.extend({"EmailAddress": each, "Reason": "BOUNCE", "LastUpdateTime": EARLIER} for each in everybody)
    ended = clean("--json")
    found = {(change["client_id"], change["address"]): change["evidence"] for change in ended.json["changes"]}
    assert set(found) == {("acme", BEN), ("globex", "ben@ACME.example")}
    assert set(found.values()) == {"SES suppression list: BOUNCE"}


def test_undo_puts_back_and_forgives_what_was_known_and_nothing_later(
    clean: Clean, world: World, clock: Clock, wire: Wire
) -> None:
    world.add(acme())
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    clean()
    clock.pass_by(hours=1)
    ended = clean("--undo", "--client-id", "acme", "--json")
    assert ended.code == 0, ended.err
    assert (record().recipients, record().quarantined, record().version) == ((BEN, ANNA), (), 3)
    assert [deed["deed"] for deed in deeds(world)] == ["quarantined", "restored"]
    clock.pass_by(hours=1)
    assert clean("--json").json["changes"] == [], "what it was quarantined for is forgiven"
    mailed(ANNA, "BOUNCED", period="2026-11", at=clock() + timedelta(minutes=1), bounce="Permanent")
    clock.pass_by(hours=1)
    assert [change["address"] for change in clean("--json").json["changes"]] == [ANNA]


def test_undo_of_a_run_or_an_address_touches_nothing_else(clean: Clean, world: World, clock: Clock) -> None:
    world.add(acme(), a_client(client_id="globex", recipients=(CARL, "dora@globex.example")))
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    first = clean("--json").json["run_id"]
    clock.pass_by(hours=1)
    mailed(BEN, "COMPLAINED", period="2026-09")
    mailed(CARL, "COMPLAINED", client_id="globex")
    clean()
    assert (record().quarantined, record("globex").quarantined) == ((ANNA, BEN), (CARL,))
    clock.pass_by(hours=1)
    (back,) = clean("--undo", "--run-id", first, "--json").json["changes"]
    assert back["address"] == ANNA
    clean("--undo", "--address", CARL.upper())
    assert (record().quarantined, record("globex").quarantined) == ((BEN,), ())


def test_undo_can_lift_the_suppression_and_says_so_if_it_does_not(
    clean: Clean, world: World, suppressed: list[dict[str, Any]], clock: Clock
) -> None:
    world.add(acme())
    suppressed.append({"EmailAddress": ANNA, "Reason": "COMPLAINT", "LastUpdateTime": EARLIER})
    clean()
    clock.pass_by(hours=1)
    assert "--lift-suppression takes it off" in clean("--undo", "--address", ANNA, "--dry-run").err
    clean("--undo", "--address", ANNA, "--lift-suppression")
    assert suppressed == []
    assert ANNA in record().recipients


def test_somebody_else_s_change_at_the_same_moment_is_kept(
    clean: Clean, world: World, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(acme())
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    theirs, meddled = RecordStore.write, list[str]()

    def write(store: RecordStore, changes: Sequence[Change], *, along: Sequence[Along] = ()) -> tuple[str, ...]:
        if not meddled:
            meddled.append("once")
            current = record()
            added = current.model_copy(update={"recipients": (*current.recipients, CARL)})
            author = Author(who="carl", at=EARLIER)
            changing.update("acme", added, since=None, store=store, author=author)
        return theirs(store, changes, along=along)

    monkeypatch.setattr(RecordStore, "write", write)
    assert clean().code == 0
    assert (record().recipients, record().quarantined, record().version) == ((BEN, CARL), (ANNA,), 3)
    assert len(deeds(world)) == 1
    assert [(each.action, each.who) for each in versions()] == [
        ("found", "unknown"), ("updated", "carl"), ("quarantined", "olga"),
    ]  # fmt: skip


def test_the_history_says_who_quarantined_and_put_back_whom_and_why(clean: Clean, world: World, clock: Clock) -> None:
    world.add(acme())
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    run_id = clean("--json").json["run_id"]
    clock.pass_by(hours=1)
    clean("--undo", "--client-id", "acme")
    found, quarantined, back = versions()
    assert (found.action, found.version) == ("found", 1)
    assert (quarantined.action, quarantined.who, quarantined.version) == ("quarantined", "olga", 2)
    assert quarantined.reason == f"bounced (ledger acme#monthly#2026-10#final#live); {run_id}"
    assert [each.field for each in quarantined.changes] == ["quarantined", "recipients"]
    assert (back.action, back.who, back.version) == ("put back", "olga", 3)
    assert back.record == RecordStore("clients", "outcomes").find("acme"), "nothing of it was written by hand"
    assert [deed["version"] for deed in deeds(world)] == [2, 3]
    assert ANNA not in (quarantined.reason or "")


def test_a_row_that_was_changed_by_hand_without_another_version_is_judged_again(
    clean: Clean, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add(acme())
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    theirs, meddled = changing.revision, list[str]()

    def revision(*given: Any, **named: Any) -> Change:
        if not meddled:
            meddled.append("once")
            world.add(acme(client_name="Renamed by hand"))
        return theirs(*given, **named)

    monkeypatch.setattr(changing, "revision", revision)
    assert clean().code == 0
    assert (record().client_name, record().quarantined) == ("Renamed by hand", (ANNA,))


def test_a_malformed_row_is_named_and_the_others_are_cleaned(clean: Clean, world: World) -> None:
    world.add(acme())
    world.add_row({"client_id": "aaa", "client_name": "two fields"})
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    ended = clean("--json")
    assert ended.code == 1
    assert list(ended.json["failed"]) == ["aaa"]
    assert record().quarantined == (ANNA,)


def test_an_unreadable_suppression_list_stops_everything_before_a_change(
    clean: Clean, world: World, wire: Wire
) -> None:
    world.add(acme())
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    wire.order("sesv2.ListSuppressedDestinations", refusal("AccessDeniedException", 403))
    ended = clean()
    assert ended.code == 1
    assert "read SES's suppression list: AccessDeniedException" in ended.err
    assert record().version == 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--undo"], "--undo"),
        (["--address", ANNA], "--address"),
        (["--undo", "--address", "not one"], "--address"),
        (["--lift-suppression"], "--lift-suppression"),
        (["--client-id", "nobody"], "--client-id"),
    ],
)
def test_wrong_input_names_the_field(arguments: list[str], field: str, clean: Clean, world: World) -> None:
    world.add(acme())
    ended = clean(*arguments, "--json")
    assert ended.code == 2
    assert ended.json["message"].startswith(f"{field}:")


def test_nobody_there_to_ask_changes_nothing(world: World, clean: Clean, topic: str) -> None:
    world.add(acme())
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    assert _console.main(clean_recipient_lists.app, []) == 2
    assert record().version == 1


def test_the_record_of_a_client_keeps_its_amounts(clean: Clean, world: World) -> None:
    row = json.loads(acme().model_dump_json(exclude_none=True)) | {"monthly_budget": "1200.50", "currency": "EUR"}
    row["exchange_rate"] = {"rate": "0.9214", "as_of": "2026-10-30", "source": "ECB"}
    del row["version"]
    world.add_row(row)
    mailed(ANNA, "BOUNCED", bounce="Permanent")
    before = record()
    assert clean().code == 0
    changed = {"recipients": (BEN,), "quarantined": (ANNA,), "version": 2}
    assert record() == before.model_copy(update=changed)
