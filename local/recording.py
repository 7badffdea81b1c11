"""`.venv/bin/python -m local.recording`: the events of functions, and what they name, recorded anew from a local stack.

What Fetch Costs and Render PDF say on the running stack becomes the event of the function that comes next, and the
documents that they store become the files of `events/stored`. Needed when a report is stored in another form than
before; a report that looks otherwise needs nothing. Cost Explorer keeps 13 months: if the period of
`events/fetch_costs.json` is older, name a later one there first.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from botocore.config import Config

from cost_reporting.contracts import ClientDue
from local import sam_local, samples
from local.samples import CLIENT, EVENTS, STORED
from local.stack import Stack, main_of, running

RUN_IDS: Final = {
    "fetch_costs": "1a2b3c4d",
    "render_pdf": "2b3c4d5e",
    "send_email": "3c4d5e6f",
    "record_outcome": "4d5e6f7a",
    "settle_run": "5e6f7a8b",
    "record_delivery": "6f7a8b9c",
}
"""The last part of the id of each event's run."""


class Recorder:
    """The deployed functions, and the bucket that they write."""

    def __init__(self, stack: Stack) -> None:
        session, endpoint = stack.session(), stack.emulator.endpoint
        patient = Config(read_timeout=300, retries={"total_max_attempts": 1})
        self._lambda: Any = session.client("lambda", endpoint_url=endpoint, config=patient)
        self._functions = dict(sam_local.deployed_functions(session.client("cloudformation", endpoint_url=endpoint)))
        self._bucket = session.resource("s3", endpoint_url=endpoint).Bucket(stack.names.bucket)
        self._clients = session.resource("dynamodb", endpoint_url=endpoint).Table(stack.names.clients_table)

    def call(self, function: str, event: Any) -> Any:
        """What the deployed function answers."""
        logical_id = f"{function.title().replace('_', '')}Function"
        answer = self._lambda.invoke(FunctionName=self._functions[logical_id], Payload=json.dumps(event))
        said = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, said
        return _without_versions(said)

    def with_attachment(self, wanted: list[str]) -> None:
        """Let the client's record ask for files with the PDF."""
        self._clients.update_item(
            Key={"client_id": CLIENT}, UpdateExpression="SET attachments = :w", ExpressionAttributeValues={":w": wanted}
        )

    def clear(self, prefix: str) -> None:
        """Remove what lies below ``prefix``, in every version."""
        self._bucket.object_versions.filter(Prefix=prefix).delete()

    def keep(self, event: Any) -> None:
        """Write the documents that ``event`` names into `events/stored`."""
        for stored in samples.named(event):
            body = self._bucket.Object(stored.key).get()["Body"].read()
            (STORED / stored.key.rpartition("/")[2]).write_bytes(body)


def record(stack: Stack) -> None:
    """Write `events/stored`, and the events that name what is in it."""
    STORED.mkdir(exist_ok=True)
    recorder = Recorder(stack)
    due = samples.event("fetch_costs")
    recorder.with_attachment(["csv"])
    try:
        baton = {}
        for function in ("render_pdf", "send_email"):
            asked = _of_run(due, function)
            recorder.clear(f"reports/{CLIENT}/test/{asked['run']['run_id']}/")
            baton[function] = recorder.call("fetch_costs", asked)
            if function == "send_email":
                baton[function] = recorder.call("render_pdf", baton[function])
    finally:
        recorder.with_attachment([])
    # One recording of the costs for all: what is made of them names them by their hash.
    recorder.keep(baton["send_email"])
    baton["render_pdf"]["costs"]["document"] |= {
        part: baton["send_email"]["costs"]["document"][part] for part in ("size", "sha256")
    }
    failed, settled = samples.event("record_outcome")["failure"], samples.event("settle_run")
    baton["record_outcome"] = _of_run(baton["send_email"], "record_outcome") | {"failure": failed}
    baton["settle_run"] = settled | {"worklist": settled["worklist"] | worklist(_of_run(due, "settle_run"))}
    for function, event in baton.items():
        (EVENTS / f"{function}.json").write_text(json.dumps(event, indent=2) + "\n")


def worklist(due: dict[str, Any]) -> dict[str, Any]:
    """A worklist of one client, in `events/stored`, and how Settle Run is told of it."""
    line = f"{ClientDue.model_validate(due).model_dump_json()}\n".encode()
    (STORED / "worklist-1.jsonl").write_bytes(line)
    key = f"runs/{due['run']['run_id']}/worklist-1.jsonl"
    stored = {"key": key, "size": len(line), "sha256": sha256(line).hexdigest()}
    return {"run": due["run"], "worklist": stored, "client_count": 1}


def _of_run(event: dict[str, Any], function: str) -> dict[str, Any]:
    """The event as that of the run of another function: its id, and the keys that have it."""
    run_id = event["run"]["run_id"]
    renamed = json.dumps(event).replace(run_id, f"{run_id.rpartition('-')[0]}-{RUN_IDS[function]}")
    return dict(json.loads(renamed))


def _without_versions(said: Any) -> Any:
    """An answer without the names of versions, which are those of one bucket, and without what is not set."""
    if isinstance(said, Mapping):
        return {
            name: _without_versions(value)
            for name, value in said.items()
            if name != "version_id" and (value is not None or name == "previous")
        }
    return [_without_versions(each) for each in said] if isinstance(said, list) else said


if __name__ == "__main__":
    main_of(lambda: record(running()))
