"""`preview`: a report as its client would get it, without a run. Nothing is sent."""

import logging
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

import _console
import _deployment
import _files
from _console import Failed, WrongInput
from cost_reporting import wiring
from cost_reporting.clients import Client, faults
from cost_reporting.contracts import Cadence
from cost_reporting.costs import PRICE_PER_REQUEST, CostDocument, period_total
from cost_reporting.errors import InvalidRequest
from cost_reporting.money import cents
from cost_reporting.operations import preview as previews
from cost_reporting.operations.preview import Preview
from cost_reporting.periods import label
from cost_reporting.report.renderer import Renderer
from cost_reporting.sources.cost_explorer import CostExplorerSource, requests_for
from cost_reporting.store.clients import ClientStore
from cost_reporting.store.objects import ObjectStore

DOTS_PER_INCH = 110
OURS = re.compile(r"report\.html|page-\d+\.png|.+_aws-costs_.+\.(pdf|csv|xlsx)")
"""Names that an earlier preview of the same report may have left."""


def preview(
    client_id: Annotated[str | None, typer.Option(help="Whose report; not needed with --from-file.")] = None,
    period: Annotated[str | None, typer.Option(help="2026-10 or 2026-W42; the last one that is over.")] = None,
    cadence: Annotated[Cadence | None, typer.Option(help="The period's own, or the client's first.")] = None,
    from_file: Annotated[Path | None, typer.Option(help="A stored costs.json; AWS is left alone.")] = None,
    client_file: Annotated[
        Path | None, typer.Option(help="The client record that goes with it; client.json beside it, or a neutral one.")
    ] = None,
    stack_name: Annotated[
        str | None, typer.Option(help="The deployed stack; else the environment's, else the local one.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The report gets a folder of its own below this one.")] = Path(
        "out/preview"
    ),
    html: Annotated[bool, typer.Option("--html", help="Write the page that is printed as well.")] = False,
    png: Annotated[bool, typer.Option("--png", help="Write an image of each page as well.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the PDF.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Pay for costs that are not stored, unasked.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")] = False,
) -> None:
    """Render a client's report. Nothing is mailed, and nothing is written to the account.

    Stored costs are used if a run has left them, else Cost Explorer is asked, which costs money and asks you first.
    Costs that are fetched here are kept with the preview only: `--from-file` uses them again.

    Which deployment: --stack-name, else the names in the environment (CLIENTS_TABLE, BUCKET, …, or STACK_NAME), else
    the local stack, if `make local-up` has left out/local.env. Your credentials must be allowed to read the clients
    table and the bucket, and to assume the client's role.
    """
    logging.getLogger("cost_reporting").addHandler(logging.NullHandler())
    if png and shutil.which("pdftoppm") is None:
        raise Failed("pdftoppm is not installed, so there can be no images.", remedy="Run `make setup`.")
    try:
        if from_file is not None:
            if stack_name is not None:
                raise WrongInput("--stack-name: makes no sense with --from-file.", remedy="Leave one of them out.")
            found, source = _from_file(from_file, client_file), "file"
            _same(found, client_id, period, cadence)
        else:
            found, source = _from_account(client_id, client_file, stack_name, period, cadence, yes=yes)
    except InvalidRequest as wrong:
        raise WrongInput(f"--{str(wrong).replace('_', '-', 1)}", remedy="Correct it; --help has examples.") from None
    costs = found.costs
    assert costs is not None  # noqa: S101 - both ways end with costs
    folder = out / found.client.client_id / f"{label(found.run.period)}-{found.run.issue}"
    renderer = Renderer()
    rendered = renderer.render(found.client.shown, costs, found.run, found.logo)
    files = dict(previews.documents(found, rendered))
    if html:
        style = f"<style>{renderer.stylesheet}</style></head>"
        files["report.html"] = rendered.html.replace("</head>", style, 1).encode()
    if png:
        files |= _images(rendered.pdf)
    _write(folder, files)
    pdf = folder / rendered.file_name
    for warning in rendered.warnings:
        _console.tell(f"note: {warning}", "yellow")
    if as_json:
        _console.answer(
            {
                "status": "done",
                "client_id": found.client.client_id,
                "cadence": found.run.cadence,
                "period": label(found.run.period),
                "issue": found.run.issue,
                "total": f"{cents(period_total(costs, costs.period)):f}",
                "currency": costs.currency,
                "source": source,
                "paid_requests": costs.paid_requests if source == "cost_explorer" else 0,
                "warnings": list(rendered.warnings),
                "folder": str(folder),
                "pdf": str(pdf),
                "files": sorted(files),
            }
        )
    else:
        for name in files:
            print(folder / name)
    if show and typer.launch(str(pdf)):
        _console.tell(f"note: nothing here opens a PDF; it is {pdf}", "yellow")


def _from_file(from_file: Path, client_file: Path | None) -> Preview:
    try:
        costs = CostDocument.model_validate_json(_read("--from-file", from_file))
    except ValidationError as invalid:
        raise WrongInput(
            f"--from-file: {from_file} is not a stored cost document: {faults(invalid)[:300]}",
            remedy="Take costs.json of a report from the bucket, out/ or a preview.",
        ) from None
    beside = from_file.parent / "client.json"
    record = client_file or (beside if beside.is_file() else None)
    if record is None:
        _console.tell("The client is made up from the costs: no name, no brand, English. --client-file gives another.")
        return previews.from_document(costs)
    client = _client(record)
    logo = record.parent / (client.branding.logo or "")
    picture = logo.read_bytes() if client.branding.logo and logo.is_file() else None
    if client.branding.logo and picture is None:
        _console.tell(f"note: the logo {client.branding.logo} is not beside {record}, so it is left out", "yellow")
    return previews.from_document(costs, client, picture)


def _client(record: Path) -> Client:
    try:
        return Client.model_validate_json(_read("--client-file", record))
    except ValidationError as invalid:
        raise WrongInput(
            f"--client-file: {record} is not a client record: {faults(invalid)[:600]}",
            remedy="Correct the named fields.",
        ) from None


def _read(option: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise WrongInput(f"{option}: {path}: {fault.strerror}.", remedy="Name a file that can be read.") from None


def _same(found: Preview, client_id: str | None, period: str | None, cadence: Cadence | None) -> None:
    """Refuse options that say something else than the file."""
    for name, said, wanted in (
        ("client-id", found.client.client_id, client_id),
        ("period", label(found.run.period), period),
        ("cadence", found.run.cadence, cadence),
    ):
        if wanted is not None and wanted != said:
            raise WrongInput(f"--{name}: the file is about {said}, not {wanted}.", remedy=f"Leave --{name} out.")


def _from_account(
    client_id: str | None,
    client_file: Path | None,
    stack_name: str | None,
    period: str | None,
    cadence: Cadence | None,
    *,
    yes: bool,
) -> tuple[Preview, str]:
    if client_file is not None:
        raise WrongInput("--client-file: goes with --from-file.", remedy="Leave it out: the account has the record.")
    if client_id is None:
        raise WrongInput("--client-id: whose report?", remedy="Name a client, or give a stored costs.json.")
    deployment = _deployment.find(stack_name)
    found = previews.from_account(
        client_id,
        cadence=cadence,
        period=period,
        at=wiring.now(),
        zone=deployment.zone,
        clients=ClientStore(deployment.clients_table),
        objects=ObjectStore(deployment.bucket),
    )
    what = f"{found.client.client_id}, {found.run.cadence} {label(found.run.period)}, {found.run.issue}"
    _console.tell(f"{what}, from {deployment.name}")
    if found.costs is not None:
        _console.tell(f"Its costs are stored since {found.costs.fetched_at:%Y-%m-%d %H:%M} UTC: nothing is paid.")
        return found, "stored"
    count = requests_for(found.client, found.run.cadence)
    price = f"about {count} paid requests, USD {count * PRICE_PER_REQUEST:.2f}, and one more for each further page"
    _console.agreed(f"No costs are stored for it. Asking Cost Explorer takes {price}. Ask?", yes=yes)
    found = previews.fetched(found, CostExplorerSource(wiring.now))
    if found.costs is not None:
        _console.tell(f"{found.costs.paid_requests} paid requests.")
    return found, "cost_explorer"


def _images(pdf: bytes) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        command = ["pdftoppm", "-png", "-r", str(DOTS_PER_INCH), "-", f"{folder}/page"]
        done = subprocess.run(command, input=pdf, capture_output=True, check=False)
        if done.returncode:
            raise Failed(f"pdftoppm: {done.stderr.decode(errors='replace').strip()}", remedy="Leave --png out.")
        return {image.name: image.read_bytes() for image in sorted(Path(folder).iterdir())}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        _files.write_folder(folder, files, ours=OURS)
    except OSError as fault:
        raise Failed(
            f"{fault.filename or folder}: {fault.strerror}.", remedy="Give another folder with --out."
        ) from None
