"""What a run leaves behind, brought out of the account into a folder, and held against each other."""

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

from cost_reporting.clients import Client
from cost_reporting.contracts import Outcome
from cost_reporting.costs import CostDocument, period_total
from cost_reporting.money import cents
from cost_reporting.store.objects import ObjectStore


@dataclass(frozen=True)
class Case:
    """One client's part of a run, with the files that it left in ``folder``."""

    client: Client
    outcome: Outcome
    folder: Path
    mails: tuple[Path, ...] = ()

    @property
    def pdf(self) -> Path | None:
        """The report."""
        return self._there("report.pdf")

    @property
    def costs(self) -> CostDocument | None:
        """The cost document."""
        path = self._there("costs.json")
        return CostDocument.model_validate_json(path.read_bytes()) if path else None

    def _there(self, name: str) -> Path | None:
        path = self.folder / name
        return path if path.exists() else None


def sent(mail: Path) -> list[dict[str, Any]]:
    """What SES has accepted so far, in order."""
    index = mail / "messages.jsonl"
    return [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []


def collect(
    clients: Iterable[Client], outcomes: dict[str, Outcome], objects: ObjectStore, mail: Path, run_id: str, out: Path
) -> list[Case]:
    """Write the files of run ``run_id`` below ``out``, a folder for each client."""
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / "summary.json").write_bytes(objects.get(f"runs/{run_id}/summary.json") or b"")
    messages = [message for message in sent(mail) if message["tags"].get("run_id") == run_id]

    def case(client: Client) -> Case:
        folder = out / client.client_id
        folder.mkdir()
        outcome = outcomes[client.client_id]
        if outcome.report_key:
            for name in ("report.pdf", "costs.json", "costs.csv", "costs.xlsx", "evidence.json"):
                body = objects.get(f"{outcome.report_key.rpartition('/')[0]}/{name}")
                if body is not None:
                    (folder / name).write_bytes(body)
        (folder / "outcome.json").write_text(outcome.model_dump_json(exclude_none=True, indent=2))
        order = {recipient: place for place, recipient in enumerate(client.recipients)}
        ours = [message for message in messages if message["tags"].get("client_id") == client.client_id]
        ours.sort(key=lambda message: order.get(message["to"][0], len(order)))
        mails = tuple(folder / f"mail-{number}.eml" for number in range(1, len(ours) + 1))
        for path, message in zip(mails, ours, strict=True):
            shutil.copyfile(mail / message["file"], path)
        return Case(client, outcome, folder, mails)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(case, clients))


def faults(cases: list[Case], expected: dict[str, str], summary: Path) -> Iterator[str]:
    """Everything that is not as it should be, in words. Nothing, for a good run."""
    said = {one["client_id"]: one for one in json.loads(summary.read_bytes() or b'{"clients": []}')["clients"]}
    for case in cases:
        client_id, outcome = case.client.client_id, case.outcome
        wanted = expected.get(client_id)
        if outcome.error != wanted:
            found = outcome.error or outcome.status
            yield f"{client_id}: {found}, expected {wanted or 'SENT'}: {outcome.message or ''}"
        if outcome.status == "FAILED":
            if case.mails:
                yield f"{client_id}: failed, but {len(case.mails)} mails were sent"
            continue
        yield from _mail_faults(case)
        yield from _total_faults(case, said.get(client_id, {}))


def doubles(messages: list[dict[str, Any]]) -> Iterator[str]:
    """Reports that somebody has got more than once."""
    counts = Counter((message["tags"].get("report_id"), to) for message in messages for to in message["to"])
    for (report, recipient), times in counts.items():
        if times > 1:
            yield f"{recipient} got {report} {times} times"


def _mail_faults(case: Case) -> Iterator[str]:
    got = [read(mail)["To"].addresses[0].addr_spec for mail in case.mails]
    if got != list(case.client.recipients):
        yield f"{case.client.client_id}: mailed to {got}, expected {list(case.client.recipients)}"
    parts = [part for mail in case.mails for part in read(mail).iter_attachments()]
    attached = [part.get_content() for part in parts if part.get_content_type() == "application/pdf"]
    report = case.pdf.read_bytes() if case.pdf else b""
    if attached != [report] * len(case.mails):
        yield f"{case.client.client_id}: a mail does not carry exactly the stored report"


def _total_faults(case: Case, summary: dict[str, Any]) -> Iterator[str]:
    """One total, wherever it stands: costs.json, the outcome, summary.json, the mail, the PDF."""
    client_id, costs = case.client.client_id, case.costs
    if costs is None or case.outcome.total is None:
        yield f"{client_id}: there are no costs"
        return
    total = period_total(costs, costs.period)
    if case.outcome.total != total:
        yield f"{client_id}: costs.json says {total}, the outcome {case.outcome.total}"
    if summary.get("total") is None or Decimal(summary["total"]) != total:
        yield f"{client_id}: costs.json says {total}, summary.json {summary.get('total')}"
    for mail in case.mails:
        if not says(text(read(mail)), total):
            yield f"{client_id}: {mail.name} does not say {cents(total)}"
    if case.pdf is not None and shutil.which("pdftotext") and not says(words(case.pdf), total):
        yield f"{client_id}: report.pdf does not say {cents(total)}"


def says(prose: str, total: Decimal) -> bool:
    """Whether ``prose`` names ``total`` to the cent, in whatever locale; a zero may also be named in words."""
    digits = re.sub(r"(?<=\d)[.,'’ \u00a0\u202f\u2009](?=\d)", "", prose)
    wanted = f"{abs(cents(total)):.2f}".replace(".", "")
    named = re.search(rf"(?<!\d){wanted}(?!\d)", digits) is not None
    return named or (not cents(total) and ("covered all of it" in prose or "charged nothing" in prose))


def read(mail: Path) -> EmailMessage:
    """A message."""
    return BytesParser(EmailMessage, policy=default).parsebytes(mail.read_bytes())


def text(message: EmailMessage) -> str:
    """Its plain text."""
    body = message.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def words(pdf: Path) -> str:
    """The text of a PDF."""
    return subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, text=True, check=False).stdout
