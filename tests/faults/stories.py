"""Rows that take more than one fault and one rerun: what operators, SES and other writers do before, amid and after.

Each story says in its row how each of its executions ends, in order, and how many mails each recipient gets.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cost_reporting.clients import NamedAccount, RoleAccess
from tests.faults.rows import CONCLUDE, ROWS, SES, SUCCEEDED, Crime, Row, at, error
from tests.faults.scene import Scene

EARLIER: Final[dict[str, Any]] = {"rerun_of": "an-earlier-run"}
"""A rerun: no operator has named the client."""
FORCED: Final[dict[str, Any]] = {"force_send": {"reason": "the recipient has nothing"}}
AGAIN: Final[dict[str, Any]] = {"force_send": {"reason": "the recipient has nothing still", "again": True}}
DENIED: Final = at("fetch-costs/sts.AssumeRole/1", **error("AccessDenied", 403))
FETCH, RENDER, SEND = "fetch-costs/start", "render-pdf/start", "send-email/start"
REFUSED: Final = "ClientAccessDenied"
STARTS: Final = (
    ("listing and fetching", FETCH),
    ("fetching and rendering", RENDER),
    ("rendering and sending", SEND),
)

Story = Callable[[Scene], None]


# -- one account, one client ------------------------------------------------------------------------------------------


def _same_account(scene: Scene) -> None:
    """The other client's record leads to this one's account."""
    scene.put_other(access=scene.client.access)
    scene.run(client_ids=[scene.client.client_id, scene.other.client_id])
    scene.redrive()


def _mended(scene: Scene) -> None:
    """Of the two, only this client is in the run; the other's record is mended before the redrive."""
    own = scene.other.access
    scene.put_other(access=scene.client.access)
    scene.run()
    scene.put_other(access=own)
    scene.redrive()


def _other_role(scene: Scene) -> None:
    access = scene.client.access
    assert isinstance(access, RoleAccess)
    scene.put_other(access=access.model_copy(update={"role_arn": access.role_arn.replace(":role/", ":role/other-")}))
    scene.run()


def _among_more_accounts(scene: Scene) -> None:
    scene.put_other(more_accounts=(NamedAccount(name="Lab", access=scene.client.access),))
    scene.run()


def _shared(both: bool) -> Story:
    def story(scene: Scene) -> None:
        why = "a second report for the board"
        scene.put(shared_with=(scene.other.client_id,), shared_reason=why)
        theirs = {"shared_with": (scene.client.client_id,), "shared_reason": why} if both else {}
        scene.put_other(access=scene.client.access, **theirs)
        scene.run(client_ids=[scene.client.client_id, scene.other.client_id])

    return story


def _added_by_hand(scene: Scene) -> None:
    """The account is this client's by the time that the other's record is written; the report under way goes out."""
    scene.run(at=FETCH, do=lambda: scene.put_other(access=scene.client.access, recipients=()))


def _one_client_each() -> tuple[Row, ...]:
    group, refused = "One account, one client", "ClientMisconfigured"
    none: dict[str, Any] = {"mails": 0}
    return (
        _row(group, "two records have the same role, and the run is redriven", _same_account, refused, refused, **none),
        _row(group, "another record has the same account by another role", _other_role, refused, **none),
        _row(group, "another record has the account among its more_accounts", _among_more_accounts, refused, **none),
        _row(group, "an account is shared by the word of one of two records", _shared(both=False), refused, **none),
        _row(group, "an account is shared by the word of both records", _shared(both=True), SUCCEEDED),
        _row(group, "a second record with the role is added between listing and fetching", _added_by_hand, SUCCEEDED),
        _row(group, "another record with the role is mended before a redrive", _mended, refused, SUCCEEDED),
    )


# -- never twice ------------------------------------------------------------------------------------------------------


def _rejected_after_forced(scene: Scene) -> None:
    scene.run()
    scene.settled()
    scene.run(**FORCED)
    forced = scene.settled()
    scene.event("Reject", forced)
    scene.ledger_says("DELIVERED")
    scene.run()


def _two_forced_and_a_retry(scene: Scene) -> None:
    """Order II: a forced sender waits before it asks SES, another run forces with ``again``, and the first goes on."""
    scene.run()
    scene.settled()
    scene.fault(Crime("send-email/end", "after"))
    scene.run(**FORCED)


def _forced_between(scene: Scene) -> None:
    scene.run()
    scene.settled()
    scene.clock(datetime.now(UTC), stands=True)  # ten minutes pass quickly here, on a busy machine within two runs
    scene.run(at="send-email/end", when="after", do=scene.settled, **FORCED)
    scene.run(**FORCED)
    scene.run(**AGAIN)


def _at_once_forced(scene: Scene) -> None:
    scene.run()
    scene.settled()
    scene.clock(datetime.now(UTC), stands=True)
    arns = [scene.start(**FORCED) for _ in range(2)]
    scene.wait_for_all(arns)


def _forced_an_hour_later(scene: Scene) -> None:
    scene.run()
    scene.settled()
    scene.run(**FORCED)
    scene.clock(datetime.now(UTC) + timedelta(hours=1))
    scene.run(**FORCED)


def _event_and_rerun(kind: str, **more: Any) -> Story:
    def story(scene: Scene) -> None:
        scene.run()
        scene.event(kind, scene.settled(), **more)
        scene.run()

    return story


def _poison(**poison: Any) -> Story:
    def story(scene: Scene) -> None:
        scene.run()
        entry = scene.settled()
        scene.event("Bounce", entry, fails=True, **poison)
        if scene.entry() != entry:
            scene.wrong("the poison event has moved the ledger")
        scene.run()

    return story


def _stray_events(scene: Scene) -> None:
    """Events about the first mail come late, twice and out of order, after a forced one has replaced it."""
    scene.run()
    first = scene.settled()
    scene.run(**FORCED)
    scene.settled()
    for kind in ("Delivery", "Send", "Delivery", "DeliveryDelay", "Send"):
        scene.event(kind, first)
    scene.ledger_says("DELIVERED")
    scene.run()


def _sending(ago: timedelta) -> Story:
    def story(scene: Scene) -> None:
        scene.sending_at(datetime.now(UTC) - ago)
        scene.run()

    return story


def _stored_final(state: str) -> Story:
    def story(scene: Scene) -> None:
        scene.stored_before("final", state)
        scene.run()

    return story


def _before_and_after_the_8th(scene: Scene) -> None:
    end = scene.run_of().period.end
    month = (end.replace(day=1) + timedelta(days=31)).replace(day=1)
    for day in (3, 12):
        scene.run(scheduled_at=datetime(month.year, month.month, day, 6, tzinfo=UTC).isoformat())


def _never_twice() -> tuple[Row, ...]:
    group = "Never twice"
    twice: dict[str, Any] = {"mails": 2}
    bounce = {"bounce": {"bounceType": "Permanent"}}
    return (
        _row(
            group,
            "a weekly report is asked for before and after the 8th",
            _before_and_after_the_8th,
            SUCCEEDED,
            SUCCEEDED,
        ),
        _row(
            group, "a version before has delivered the report as final", _stored_final("DELIVERED"), SUCCEEDED, mails=0
        ),
        _row(
            group,
            "a version before has begun to send the report as final",
            _stored_final("SENDING"),
            "DeliveryUncertain",
            mails=0,
        ),
        _row(
            group,
            "a forced mail is rejected by SES's event, and the input runs again (order I)",
            _rejected_after_forced,
            SUCCEEDED,
            SUCCEEDED,
            SUCCEEDED,
            **twice,
        ),
        _row(
            group,
            "a forced run is tried again after it has mailed (order II)",
            _two_forced_and_a_retry,
            SUCCEEDED,
            SUCCEEDED,
            **twice,
        ),
        _row(
            group,
            "a mail is forced again within ten minutes, and then with the word again",
            _forced_between,
            SUCCEEDED,
            SUCCEEDED,
            "DeliveryRepeated",
            SUCCEEDED,
            mails=3,
        ),
        _row(group, "a mail is forced again an hour later", _forced_an_hour_later, *[SUCCEEDED] * 3, mails=3),
        _row(
            group,
            "two equal forced runs begin at once",
            _at_once_forced,
            SUCCEEDED,
            SUCCEEDED,
            "DeliveryRepeated",
            **twice,
        ),
        _row(group, "another sender's clock is a day fast", _sending(-timedelta(days=1)), "DeliveryUncertain", mails=0),
        _row(
            group, "another sender's clock is an hour slow", _sending(timedelta(hours=3)), "DeliveryUncertain", mails=0
        ),
        _row(
            group, "the mail bounces, and the input runs again", _event_and_rerun("Bounce", **bounce), *[SUCCEEDED] * 2
        ),
        _row(
            group, "the recipient complains, and the input runs again", _event_and_rerun("Complaint"), *[SUCCEEDED] * 2
        ),
        _row(
            group,
            "a delivery event arrives a second time, and the input runs again",
            _event_and_rerun("Delivery"),
            *[SUCCEEDED] * 2,
        ),
        _row(
            group,
            "events about a replaced mail come late, twice and out of order",
            _stray_events,
            *[SUCCEEDED] * 3,
            **twice,
        ),
        _row(group, "an event has a bounce without a type", _poison(bounce=None), *[SUCCEEDED] * 2),
        _row(group, "an event's tag names no report", _poison(tag="short"), *[SUCCEEDED] * 2),
    )


# -- an operator's word -----------------------------------------------------------------------------------------------


def _stopped(place: str, act: str, **request: Any) -> Story:
    def story(scene: Scene) -> None:
        scene.run(at=place, do=getattr(scene, act), **request)

    return story


def _begun(place: str, when: str = "before") -> Story:
    def story(scene: Scene) -> None:
        scene.run(at=place, when=when, do=lambda: scene.suspend(begun=True), **EARLIER)

    return story


def _failed_then(*acts: str, redrive: bool) -> Story:
    """The run fails; then an operator acts; then it is redriven or run again."""

    def story(scene: Scene) -> None:
        scene.rules(DENIED)
        scene.run()
        scene.lift()
        for act in acts:
            getattr(scene, act)()
        if redrive:
            scene.redrive()
        else:
            scene.run(**EARLIER)

    return story


def _suspended_and_named(scene: Scene) -> None:
    scene.suspend(begun=True)
    scene.run()


def _suspended_and_resumed(scene: Scene) -> None:
    scene.suspend()
    scene.run(**EARLIER)
    scene.resume()
    scene.run(**EARLIER)


def _uncertain_then_suspended(scene: Scene) -> None:
    """SENDING is written, the sender is killed, and SES was never asked: nobody knows that, and nothing goes out."""
    scene.fault(Crime(SES))
    scene.run()
    scene.lift()
    scene.suspend()
    scene.run(**EARLIER)


def _held_then(*acts: Callable[[Scene], object], operators: int = 1) -> Story:
    def story(scene: Scene) -> None:
        scene.run()
        if scene.operators_mails() != operators:
            scene.wrong(f"the operators have {scene.operators_mails()} mails, not {operators}")
        for act in acts:
            act(scene)

    return story


def _rerun(scene: Scene) -> None:
    scene.run(**EARLIER)


def _forced(scene: Scene) -> None:
    scene.run(**FORCED)


def _other_colour(scene: Scene) -> None:
    scene.put(branding=scene.client.branding.model_copy(update={"colour": "#123456"}))
    scene.forbid()


def _no_approval(scene: Scene) -> None:
    scene.put(approve_first=0)


def _test_report(**more: Any) -> Story:
    def story(scene: Scene) -> None:
        scene.run(client_ids=None, client_id=scene.client.client_id, test_report=True, **more)

    return story


def _test_goes_to_operators(scene: Scene) -> None:
    _test_report()(scene)
    if scene.operators_mails() != 1:
        scene.wrong("the operators have not got the test")


def _operators_word() -> tuple[Row, ...]:
    group = "An operator's word"
    none: dict[str, Any] = {"mails": 0}
    held: dict[str, Any] = {"own": {"approve_first": 1}}
    return (
        *(
            _row(
                group,
                f"the client is suspended between {what}",
                _stopped(place, "suspend", **EARLIER),
                "LEFT_OUT",
                **none,
            )
            for what, place in STARTS
        ),
        *(
            _row(group, f"the client's record is removed between {what}", _stopped(place, "remove"), "REMOVED", **none)
            for what, place in STARTS
        ),
        _row(
            group,
            "the client is suspended when SENDING is written and SES is being asked",
            _begun(SES),
            SUCCEEDED,
        ),
        _row(
            group,
            "the client is suspended when SES has accepted, before SENT is written",
            _begun(CONCLUDE),
            SUCCEEDED,
        ),
        _row(
            group,
            "the client is suspended after the first of two recipients was mailed",
            _begun("send-email/sesv2.SendEmail/2"),
            SUCCEEDED,
            recipients=2,
        ),
        _row(
            group,
            "the client is suspended after the first of two was mailed, and Send Email is killed there",
            _begun_and_killed,
            SUCCEEDED,
            recipients=2,
        ),
        _row(group, "a suspended client is named by an operator", _suspended_and_named, SUCCEEDED),
        _row(
            group,
            "a client is suspended after a failed run, which is redriven",
            _failed_then("suspend", redrive=True),
            REFUSED,
            "LEFT_OUT",
            **none,
        ),
        _row(
            group,
            "a client is suspended after a failed run, which is run again",
            _failed_then("suspend", redrive=False),
            REFUSED,
            "LEFT_OUT",
            **none,
        ),
        _row(
            group,
            "a client is suspended and active again after a failed run, which is redriven",
            _failed_then("suspend", "resume", redrive=True),
            REFUSED,
            SUCCEEDED,
        ),
        _row(
            group,
            "a client is removed after a failed run, which is redriven",
            _failed_then("remove", redrive=True),
            REFUSED,
            "REMOVED",
            **none,
        ),
        _row(
            group,
            "a client is removed after a failed run, which is run again",
            _failed_then("remove", redrive=False),
            REFUSED,
            "REMOVED",
            **none,
        ),
        _row(group, "a client is suspended, and active again later", _suspended_and_resumed, "LEFT_OUT", SUCCEEDED),
        _row(
            group,
            "a client is suspended while it is unknown whether SES has accepted its mail",
            _uncertain_then_suspended,
            "DeliveryUncertain",
            "LEFT_OUT",
            **none,
        ),
        _row(group, "a report is held", _held_then(), "HELD", **held, **none),
        _row(group, "a report is held, and run again", _held_then(_rerun), "HELD", "HELD", **held, **none),
        _row(group, "a report is held, and forced", _held_then(_forced), "HELD", "HELD", **held, **none),
        _row(
            group,
            "a report is held, approved and run again",
            _held_then(Scene.approve, _rerun),
            "HELD",
            SUCCEEDED,
            **held,
        ),
        _row(
            group,
            "a report is approved, and sent with other bytes",
            _held_then(Scene.approve, _other_colour, _rerun),
            "HELD",
            "HELD",
            **held,
            **none,
        ),
        _row(
            group,
            "approve_first is lowered while a report is held",
            _held_then(_no_approval, _rerun),
            "HELD",
            "HELD",
            **held,
            **none,
        ),
        _row(
            group,
            "a report is rejected, and run again",
            _held_then(Scene.reject, _rerun),
            "HELD",
            "REJECTED",
            **held,
            **none,
        ),
        _row(
            group,
            "a report is rejected, and forced",
            _held_then(Scene.reject, _forced),
            "HELD",
            "HELD",
            **held,
            **none,
        ),
        _row(
            group,
            "a report is held and approved, and its client suspended",
            _held_then(Scene.approve, Scene.suspend, _rerun),
            "HELD",
            "LEFT_OUT",
            **held,
            **none,
        ),
        _row(
            group,
            "a report is held, and its client removed",
            _held_then(Scene.remove, _rerun),
            "HELD",
            "REMOVED",
            **held,
            **none,
        ),
        _row(group, "a test is asked for while an approval is due", _test_goes_to_operators, SUCCEEDED, **held, **none),
        _row(
            group,
            "a test is asked for to an address of another domain",
            _test_report(recipients=["reader@elsewhere.example"]),
            "run: InvalidRequest",
            **none,
        ),
        _row(
            group,
            "a test is asked for to the client's own recipient while an approval is due",
            _test_to_own,
            "run: InvalidRequest",
            **held,
            **none,
        ),
    )


def _test_to_own(scene: Scene) -> None:
    _test_report(recipients=list(scene.client.recipients))(scene)


def _begun_and_killed(scene: Scene) -> None:
    """SES has accepted the first mail. The client is suspended, and the sender dies before the second."""
    scene.fault(Crime("send-email/dynamodb.GetItem/4"))
    scene.run(at=CONCLUDE, when="after", do=lambda: scene.suspend(begun=True), **EARLIER)


# -- stored documents -------------------------------------------------------------------------------------------------


def _twisted(body: bytes) -> bytes:
    return body.replace(b"1", b"7") if body != body.replace(b"1", b"7") else body + b" "


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _spoiled(name: str, place: str, change: Callable[[bytes], bytes] | None, *, keep: bool = True) -> Story:
    def story(scene: Scene) -> None:
        scene.run(at=place, do=lambda: scene.overwrite(name, change, keep_metadata=keep))

    return story


def _spoiled_between_runs(name: str, change: Callable[[bytes], bytes] | None, *, keep: bool = True) -> Story:
    """The run fails at SES, the document is spoiled, and the run is redriven."""

    def story(scene: Scene) -> None:
        scene.rules(at(SES, **error("MessageRejected", 400)))
        scene.run()
        scene.lift()
        scene.overwrite(name, change, keep_metadata=keep)
        scene.redrive()

    return story


def _refreshed(place: str) -> Story:
    """Another run asks Cost Explorer again, to its end, while the first stands still."""

    def story(scene: Scene) -> None:
        scene.run(at=place, do=lambda: scene.aside(refresh=True, dry_run=True))

    return story


def _documents() -> tuple[Row, ...]:
    group = "Stored documents"
    ways: tuple[tuple[str, Callable[[bytes], bytes] | None, bool], ...] = (
        ("is overwritten under its own metadata", _twisted, True),
        ("is overwritten without metadata", _twisted, False),
        ("is cut in half", _half, True),
        ("is removed", None, True),
    )
    return (
        *(
            _row(group, f"{name} {what} before it is rendered", _spoiled(name, RENDER, change, keep=keep), SUCCEEDED)
            for name in ("costs.json",)
            for what, change, keep in ways
        ),
        *(
            _row(group, f"{name} {what} before it is sent", _spoiled(name, SEND, change, keep=keep), SUCCEEDED)
            for name in ("report.pdf", "mail.json")
            for what, change, keep in ways
        ),
        *(
            _row(
                group,
                f"{name} {what} between a run and its redrive",
                _spoiled_between_runs(name, change),
                "DeliveryRejected",
                SUCCEEDED,
            )
            for name in ("costs.json", "answers", "report.pdf", "mail.json", "evidence.json")
            for what, change, keep in ways
            if what in ("is overwritten under its own metadata", "is removed")
        ),
        *(
            _row(group, f"another run replaces the documents between {what}", _refreshed(place), SUCCEEDED)
            for what, place in STARTS
        ),
    )


# -- nothing lost -----------------------------------------------------------------------------------------------------


def _worklist(change: Callable[[bytes], bytes] | None) -> Story:
    def story(scene: Scene) -> None:
        scene.run(at=FETCH, do=lambda: scene.overwrite_worklist(change))
        scene.redrive()

    return story


def _another_client(body: bytes) -> bytes:
    return body.replace(b'"client_id":"client-', b'"client_id":"klient-')


def _verdict_twice(scene: Scene) -> None:
    """Settle Run has put its verdict on record, and is killed before it says so; its retry as well."""
    scene.rules(DENIED)
    scene.fault(Crime("settle-run/dynamodb.PutItem/1", "after", times=2))
    scene.run()
    scene.lift()
    scene.redrive()


def _redriven(times: int) -> Story:
    def story(scene: Scene) -> None:
        scene.rules(DENIED)
        scene.run()
        for _ in range(times - 1):
            scene.redrive()
        scene.lift()
        scene.redrive()

    return story


def _added_after(scene: Scene) -> None:
    scene.run()
    first, new = scene.client.recipients[0], f"new@{scene.client.client_id}.example"
    scene.put(recipients=(first, new))
    for _ in range(2):
        scene.run(force_send={"reason": "added after delivery", "pdf_sha256": scene.pdf(), "missing": True})


def _sent_then_late_failure(scene: Scene) -> None:
    """Record Outcome is invoked a second time for a client that has been mailed."""
    scene.fault(Crime("record-outcome/end", "after"))
    scene.run()
    scene.run()


def _nothing_lost() -> tuple[Row, ...]:
    group = "Nothing lost"
    return (
        _row(group, "the worklist is cut short before Settle Run", _worklist(_half), "run: WorklistChanged", SUCCEEDED),
        _row(group, "the worklist is removed before Settle Run", _worklist(None), "run: WorklistChanged", SUCCEEDED),
        _row(
            group,
            "the worklist names another client before Settle Run",
            _worklist(_another_client),
            "run: WorklistChanged",
            SUCCEEDED,
        ),
        _row(
            group,
            "Settle Run is killed twice after its verdict is written",
            _verdict_twice,
            "run: Runtime.ExitError",
            SUCCEEDED,
        ),
        _row(group, "a failed run is redriven twice", _redriven(2), REFUSED, REFUSED, SUCCEEDED),
        _row(group, "a failed run is redriven three times", _redriven(3), REFUSED, REFUSED, REFUSED, SUCCEEDED),
        _row(group, "Record Outcome repeats itself", _sent_then_late_failure, SUCCEEDED, SUCCEEDED),
        _row(
            group,
            "a recipient is added after delivery, and the missing are mailed, twice",
            _added_after,
            *[SUCCEEDED] * 3,
        ),
    )


# -- late -------------------------------------------------------------------------------------------------------------


def _late(looks: int, then: Callable[[Scene], object] | None = None) -> Story:
    def story(scene: Scene) -> None:
        scene.late(looks)
        scene.run()
        if then is not None:
            then(scene)

    return story


def _while_waiting(act: Callable[[Scene], object], *, redrive: bool = False) -> Story:
    def story(scene: Scene) -> None:
        scene.late(1)
        arn = scene.start(**EARLIER)
        scene.entered("Wait for Figures")
        act(scene)
        scene.wait(arn)
        if redrive:
            scene.redrive()

    return story


def _late_figures() -> tuple[Row, ...]:
    group = "Late figures"
    return (
        _row(group, "the figures are not there at the first look", _late(1), SUCCEEDED),
        _row(group, "the figures are not there at two looks", _late(2), SUCCEEDED),
        _row(group, "the figures are not there at any look", _late(3), "CostsNotReady", mails=0),
        _row(
            group,
            "the figures are not there at any look, and the run is redriven when they are",
            _late(3, Scene.redrive),
            "CostsNotReady",
            SUCCEEDED,
        ),
        _row(
            group,
            "the figures are not there at any look, nor at a redrive, but at the next",
            _late(4, lambda scene: (scene.redrive(), scene.redrive())),
            "CostsNotReady",
            "CostsNotReady",
            SUCCEEDED,
        ),
        _row(group, "the client is suspended while the run waits", _while_waiting(Scene.suspend), "LEFT_OUT", mails=0),
        _row(group, "the client is removed while the run waits", _while_waiting(Scene.remove), "REMOVED", mails=0),
        _row(
            group,
            "the run is aborted while it waits, and redriven",
            _while_waiting(Scene.abort, redrive=True),
            "ABORTED",
            SUCCEEDED,
        ),
    )


# -- logos ------------------------------------------------------------------------------------------------------------

SHAPE: Final = '<path d="M0 0h10v10z"/>'


def _svg(body: str, *, before: str = "", attributes: str = 'viewBox="0 0 100 50"') -> bytes:
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"{before}<svg {spaces} {attributes}>{body}</svg>".encode()


_USES: Final = "".join(f'<g id="u{n}">' + f'<use xlink:href="#u{n - 1}"/>' * 10 + "</g>" for n in range(1, 9))
HOSTILE: Final = (
    ("runs a script", _svg(f"<script>alert(1)</script>{SHAPE}")),
    ("reads a file", _svg('<use href="file:///etc/passwd#a"/>')),
    ("asks another host", _svg('<image xlink:href="http://evil.example/x.png"/>')),
    ("grows by entities", _svg("&b;", before='<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>')),
    ("grows by uses", _svg(f'<g id="u0">{SHAPE}</g>{_USES}')),
    ("refers to itself", _svg('<g id="a"><use href="#a"/></g>')),
    ("has a path of megabytes", _svg(f'<path d="{"M0 0h1" * 80_000}"/>')),
    ("has too many elements", _svg("<g/>" * 3_001)),
    ("is out of all measure", _svg('<rect width="1e999" height="1"/>')),
    ("is no picture", b"<html><body/></html>"),
    ("is empty", b""),
)


def _with_logo(body: bytes) -> Story:
    def story(scene: Scene) -> None:
        scene.logo(body)
        scene.run()

    return story


def _render_killed(times: int, logo: bool, *, then: bool = False) -> Story:
    def story(scene: Scene) -> None:
        if logo:
            scene.logo(_svg(SHAPE))
        scene.fault(Crime(RENDER, times=times))
        end = scene.run()
        if times == 1 and logo:
            scene.says(end, "without the client's logo")
        if then:
            scene.lift()
            scene.redrive()

    return story


def _logos() -> tuple[Row, ...]:
    group = "Logos"
    return (
        *(_row(group, f"the logo {what}", _with_logo(body), SUCCEEDED) for what, body in HOSTILE),
        _row(group, "Render PDF is killed once, with a logo", _render_killed(1, logo=True), SUCCEEDED),
        _row(group, "Render PDF is killed once, without a logo", _render_killed(1, logo=False), SUCCEEDED),
        _row(
            group,
            "Render PDF is killed each time, and the run is redriven",
            _render_killed(9, logo=True, then=True),
            "Runtime.ExitError",
            SUCCEEDED,
        ),
    )


def _row(group: str, claim: str, story: Story, *ends: str, **more: Any) -> Row:
    return Row(group, claim, story=story, ends=ends, **more)


STORIES: Final[tuple[Row, ...]] = (
    *_one_client_each(),
    *_never_twice(),
    *_operators_word(),
    *_documents(),
    *_nothing_lost(),
    *_late_figures(),
    *_logos(),
)
ALL: Final = (*ROWS, *STORIES)
"""The whole table."""
