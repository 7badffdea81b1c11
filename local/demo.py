"""`make demo`: the whole product on this machine, from `sam build` to the mails, and what came of it.

Exit code 0 if everything happened as planned, the failures of the world included; 1 if anything else did: another
failure, one failure less, a second mail, totals that differ. DEMO_CLIENTS=N makes a world of N ordinary clients.
"""

import json
import os
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cost_reporting.contracts import DeliveriesWatched, Run
from cost_reporting.domain.report_status import STATUSES, ReportFacts, with_outcome
from cost_reporting.ledger import issue_key
from cost_reporting.operations.report_facts import FIELDS, facts_of_issue
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.ledger import LedgerStore
from cost_reporting.store.objects import ObjectStore
from cost_reporting.store.runs import RunStore
from local import evidence, process, rollup
from local.evidence import Case
from local.index import money, shown_change, write_index
from local.process import NotPossible
from local.stack import Stack, default_folder, down, running, shown, up
from local.watch import STAGES, Moment, Part, Watch
from local.world import EXPECTED_FAILURES, crowd, twelve

DETAIL = 40
"""Up to so many clients, each has a line of its own."""

console = Console(highlight=False)


def main() -> None:
    """Run the demo."""
    try:
        sys.exit(demo(int(os.environ.get("DEMO_CLIENTS") or 0)))
    except (NotPossible, ValueError) as refusal:
        console.print(str(refusal), style="red", markup=False)
        sys.exit(1)


def demo(count: int) -> int:
    """The demo with ``count`` ordinary clients, or with the twelve if that is 0. Returns the exit code."""
    began = time.monotonic()
    clients, expected = (crowd(count), {}) if count else (twelve(), EXPECTED_FAILURES)
    title("The emulated AWS account, and the product in it")
    stack = fresh_stack(count)
    use(stack)

    title(f"A monthly run for {len(clients)} clients")
    first = watch(stack, [client.client_id for client in clients])
    outcomes = RunStore(stack.names.outcomes_table).outcomes(first.run_id)
    lost = [client for client in clients if client.client_id not in outcomes]
    if lost or not first.run_id:
        console.print(f"The run ended as {first.status}: {first.error}\n{first.cause}", style="red", markup=False)
        return 1
    objects = ObjectStore(stack.names.bucket)
    out = default_folder().parent
    folder = out / first.run_id
    cases = evidence.collect(clients, outcomes, objects, stack.mail, first.run_id, folder)
    faults = [*verdict_faults(first, expected), *evidence.faults(cases, expected, folder / "summary.json")]
    console.print(table(cases))
    remedies(cases)

    title("The same input again")
    mailed = len(evidence.sent(stack.mail))
    second = watch(stack, sorted(expected))
    messages = evidence.sent(stack.mail)
    again = len(messages) - mailed
    faults += [*verdict_faults(second, expected), *evidence.doubles(messages)]
    if again:
        faults.append(f"{again} mails were sent although everybody had theirs")
    console.print(
        f"  {mailed} mails after the first run, {len(messages)} after the second: nobody was mailed twice."
        if not again
        else f"  {again} mails too many.",
        markup=False,
    )

    title("What the watch sees, as each hour")
    run = run_of(objects, first.run_id)
    watched = rollup.look(stack, run)
    faults += rollup.faults(rollup.of_run(watched, run), len(clients), len(expected))
    letter = rollup.letter(stack, folder)
    console.print(counted(watched))
    console.print(
        f"  {watched.missing} clients without a report: {rollup.ALARM} is {rollup.alarm(stack)}, and operators have"
        f" the roll-up{f' ({shown(letter)})' if letter else ''}.",
        markup=False,
        soft_wrap=True,
    )

    page = write_index(out, run, cases, facts_of(stack, run, cases), now=datetime.now(UTC), again=again)
    farewell(stack, cases, first.run_id, page, faults, time.monotonic() - began)
    return 1 if faults else 0


def facts_of(stack: Stack, run: Run, cases: list[Case]) -> dict[str, ReportFacts]:
    """What is on record about the reports of ``run``, by client id, read as the watch reads it."""
    names = stack.names
    rows = {str(row.get("client_id")): row for row in ClientStore(names.clients_table).rows(*FIELDS)}
    runs, ledger, objects = RunStore(names.outcomes_table), LedgerStore(names.outcomes_table), ObjectStore(names.bucket)
    found = facts_of_issue(issue_key(run), rows, runs=runs, ledger=ledger, objects=objects)
    recorded = runs.recorded(run.run_id)
    return {
        client_id: with_outcome(
            found.of(client_id), recorded[client_id].outcome, run_id=run.run_id, at=recorded[client_id].at
        )
        for client_id in (case.client.client_id for case in cases)
    }


def fresh_stack(count: int) -> Stack:
    """The stack, in an account without runs: one that has reported already would only say so."""
    folder = default_folder()
    if process.find(folder) is not None and has_runs(folder):
        console.print("  The account has runs already and is replaced by a fresh one.")
        down(folder)
    return up(folder, clients=count)


def has_runs(folder: Path) -> bool:
    """Whether anything has been run in the account."""
    try:
        stack = running(folder)
    except Exception:  # noqa: BLE001 - half a stack is as good as a used one
        return True
    table = stack.session().resource("dynamodb", endpoint_url=stack.emulator.endpoint).Table(stack.names.outcomes_table)
    return bool(table.scan(Limit=1)["Items"])


def use(stack: Stack) -> None:
    """Let the product's own adapters, which know no endpoint, talk to the stack."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ |= stack.variables() | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def run_of(objects: ObjectStore, run_id: str) -> Run:
    """The run, from its summary."""
    return Run.model_validate(json.loads(objects.get(f"runs/{run_id}/summary.json") or b"{}")["run"])


def verdict_faults(moment: Moment, expected: dict[str, str]) -> Iterable[str]:
    """A run fails if, and only if, somebody has no report."""
    wanted = ("FAILED", "RunIncomplete") if expected else ("SUCCEEDED", "")
    if (moment.status, moment.error) != wanted:
        yield f"the run ended as {moment.status} {moment.error}, expected {' '.join(wanted)}: {moment.cause[:500]}"


# -- what is shown ----------------------------------------------------------------------------------------------------


def title(words: str) -> None:
    """A heading."""
    console.print()
    console.print(Text(words, style="bold"))


def watch(stack: Stack, client_ids: list[str]) -> Moment:
    """Start the run and show how it goes on; a line now and then where nobody can see a line change."""
    states = stack.session().client("stepfunctions", endpoint_url=stack.emulator.endpoint)
    moments = Watch(states, stack.names.state_machine_arn).run(rollup.request(stack), detail=DETAIL)
    last, told = Moment("RUNNING", 0.0), -1
    with Live(console=console, refresh_per_second=8, transient=not console.is_terminal, auto_refresh=True) as live:
        for moment in moments:
            last = moment
            if console.is_terminal:
                live.update(progress(moment, client_ids))
            elif moment.ended != told and (moment.ended % max(1, moment.total // 12) == 0):
                told = moment.ended
                console.print(f"  {moment.seconds:5.1f} s  {moment.ended} of {moment.total or len(client_ids)} clients")
    how = f"{last.status.lower()} with {last.error}" if last.error else last.status.lower()
    console.print(f"  {how} after {last.seconds:.1f} s, run {last.run_id}", markup=False)
    return last


def progress(moment: Moment, client_ids: list[str]) -> RenderableType:
    """The run as it is now."""
    total = moment.total or len(client_ids)
    if not total:
        return Text("  everybody has their report already", style="dim")
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        "  ",
        ProgressBar(total=max(total, 1), completed=moment.ended, width=40),
        f"{moment.ended}/{total}",
        f"{moment.seconds:.0f} s",
    )
    if len(client_ids) > DETAIL:
        return bar
    lines = Table.grid(padding=(0, 1))
    for client_id in client_ids:
        lines.add_row("  ", client_id, *steps(moment.parts.get(client_id, Part(client_id))))
    return Group(lines, bar)


def steps(part: Part) -> list[Text]:
    """Costs, report and mail of a client: done, under way, failed or still to come."""
    shown = []
    for place, name in enumerate(("costs", "report", "mail")):
        if place < part.done:
            shown.append(Text(f"✓ {name}", style="green"))
        elif part.error:
            shown.append(Text(f"✗ {part.error}" if place == part.done else "", style="red"))
        else:
            shown.append(Text(f"· {name}", style="dim"))
    assert len(shown) == len(STAGES)
    return shown


def table(cases: list[Case]) -> Table:
    """How each client ended; of a crowd, the failures and the first few."""
    shown = cases if len(cases) <= DETAIL else [*(c for c in cases if c.outcome.status == "FAILED"), *cases[:10]]
    result = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for name in ("  client", "status", "total", "change", "mails", "error"):
        figures = name in ("total", "change", "mails")
        result.add_column(name, justify="right" if figures else "left", no_wrap=True)
    for case in shown:
        outcome = case.outcome
        failed = outcome.status == "FAILED"
        total = "" if outcome.total is None else f"{outcome.currency} {money(outcome.total)}"
        difference = "" if outcome.total is None else signed(case)
        status = Text(outcome.status, style="red" if failed else "green")
        mails = str(len(case.mails) or "")
        result.add_row(f"  {case.client.client_id}", status, total, difference, mails, Text(outcome.error or "", "red"))
    if len(shown) < len(cases):
        result.add_row(f"  … {len(cases) - len(shown)} more", "", "", "", "", "")
    return result


def counted(watched: DeliveriesWatched) -> Table:
    """How many clients' reports stand how, a line for each report that was due."""
    result = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for name in ("  report", "due", "clients", "how they stand"):
        result.add_column(name, justify="right" if name == "clients" else "left")
    for report in watched.reports:
        stand = ", ".join(f"{report.counts[status]} {status}" for status in STATUSES if status in report.counts)
        due = f"{report.due_at:%Y-%m-%d}"
        result.add_row(f"  {report.cadence} {report.period} {report.issue}", due, str(report.clients), stand)
    return result


def remedies(cases: list[Case]) -> None:
    """What is to be done about each failure, once."""
    for error in sorted({case.outcome.error for case in cases if case.outcome.error}):
        remedy = next(case.outcome.remedy for case in cases if case.outcome.error == error)
        console.print(Text.assemble("  ", (error, "red"), f": {remedy}"), soft_wrap=True)


def signed(case: Case) -> str:
    """The change with its sign, or a dash where there is nothing to compare with."""
    if case.outcome.change is None:
        return "–"
    difference = shown_change(case.outcome)
    return ("+" if difference > 0 else "") + money(difference)


def farewell(stack: Stack, cases: list[Case], run_id: str, page: Path, faults: list[str], seconds: float) -> None:
    """What there is to see, what was wrong, and what to try next."""
    delivered = [case for case in cases if case.outcome.status == "SENT"]
    title(f"{len(delivered)} of {len(cases)} clients have their report ({seconds:.0f} s in all)")
    for fault in faults:
        console.print(f"  not as planned: {fault}", style="red", markup=False)
    if not faults and len(delivered) < len(cases):
        console.print("  The others failed as planned; their errors and remedies are above.")
    example = delivered[0].client.client_id if delivered else cases[0].client.client_id
    title("Try next")
    aws = ".tools/sam/bin/aws stepfunctions"
    start = f"{aws} start-execution --state-machine-arn $STATE_MACHINE_ARN --input"
    for command, what in (
        (f"open {shown(page)}", "browse reports, mails and errors (xdg-open on Linux)"),
        (f"ls {shown(page.parent / run_id / example)}", "the files of one client"),
        (f"set -a; . {shown(stack.env_file)}; set +a", "let a shell talk to the account; then:"),
        (f"{aws} list-executions --state-machine-arn $STATE_MACHINE_ARN", "the runs"),
        (f"{start} '{{\"test\": true}}'", "a health check"),
        (
            f'{start} \'{{"test_report": true, "client_id": "{example}"}}\'',
            f"a report marked TEST; its mail lands in {shown(stack.mail)}",
        ),
        ("make local-down", "stop the account"),
    ):
        console.print(f"  {command}", style="cyan", markup=False, soft_wrap=True)
        console.print(f"      {what}", style="dim", markup=False)


if __name__ == "__main__":
    main()
