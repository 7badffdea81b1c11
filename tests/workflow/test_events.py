"""The events of `events/` as they stand, in the deployed functions; and by `sam local invoke`, where containers run."""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from botocore.config import Config
from pydantic import TypeAdapter

from cost_reporting.periods import last_complete
from local import sam_local, samples
from local.deployment import SAM
from local.lookalike import ENGINES, IMAGE, answers
from local.process import ROOT, NotPossible
from local.sam_local import DECLARED
from local.stack import Stack, up
from tests.contract.documents import EVENTS, FUNCTIONS
from tests.contract.handlers import returned
from tests.contract.test_names import logical_id
from tests.workflow.conftest import deployed

AWS_IMAGE = "public.ecr.aws/lambda/python:3.13"
"""What `sam local` runs functions of this runtime in (SAM CLI 1.170, samcli/local/docker/lambda_image.py)."""
pytestmark = pytest.mark.timeout(900)


class Engine(NamedTuple):
    """What runs containers, how SAM finds it, and where its containers reach this machine."""

    command: str
    host: str
    bridge: str
    image: str


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine | str]:
    """An engine with an image that functions can run in; or in words what is lacking."""
    command = next(filter(answers, ENGINES), None)
    if command is None:
        yield "neither Docker nor podman answers here. On Debian: apt-get install podman, or install Docker"
        return
    has = {
        image: subprocess.run([command, "image", "inspect", image], capture_output=True, check=False).returncode == 0
        for image in (AWS_IMAGE, IMAGE)
    }
    image = next((image for image, there in has.items() if there), None)
    if image is None:
        yield (
            f"{command} has no image for functions: `{command} pull {AWS_IMAGE}`, or make one that is like it: "
            "`.venv/bin/python -m local.lookalike`"
        )
        return
    start = [command, "run", "--rm", "--entrypoint", "/bin/sh", image, "-c", "exit 0"]
    started = subprocess.run(start, capture_output=True, text=True, check=False)
    if started.returncode != 0:
        yield f"{command} is here, and starts no container: {started.stderr.strip()[-300:]}"
        return
    bridge = gateway(command)
    if command == "docker":
        yield Engine(command, os.environ.get("DOCKER_HOST", ""), bridge, image)
        return
    door = tmp_path_factory.mktemp("podman") / "podman.sock"
    service = subprocess.Popen([command, "system", "service", "--time", "0", f"unix://{door}"])
    try:
        deadline = time.monotonic() + 60
        while not door.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        yield Engine(command, f"unix://{door}", bridge, image)
    finally:
        service.terminate()
        service.wait()


def gateway(command: str) -> str:
    """Where containers reach this machine. podman's network is called otherwise, in the command of Docker as well."""
    for name in ("bridge", "podman"):
        done = subprocess.run([command, "network", "inspect", name], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            (network,) = json.loads(done.stdout)
            (subnet, *_) = network.get("subnets") or network["IPAM"]["Config"]
            return str(subnet.get("gateway") or subnet["Gateway"])
    raise AssertionError(f"{command} has neither a network bridge nor one podman")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, engine: Engine | str) -> Iterator[Stack]:
    """A stack of this file's own, as `make local-up` leaves it."""
    listen = engine.bridge if isinstance(engine, Engine) else ""
    with deployed(tmp_path_factory.mktemp("events") / "local", listen=listen) as stack:
        assert samples.seed(stack.names, stack.variables())
        yield stack


@pytest.fixture(scope="module")
def files(stack: Stack) -> sam_local.SamLocal:
    """What `sam local` is given."""
    return sam_local.write(stack.emulator)


def call(stack: Stack, function: str, event: Any) -> Any:
    """What the deployed function answers, which is what its annotations promise."""
    endpoint = stack.emulator.endpoint
    name = dict(sam_local.deployed_functions(stack.session().client("cloudformation", endpoint_url=endpoint)))
    config = Config(read_timeout=240, retries={"total_max_attempts": 1})
    functions = stack.session().client("lambda", endpoint_url=endpoint, config=config)
    answer = functions.invoke(FunctionName=name[logical_id(function)], Payload=json.dumps(event))
    said = json.loads(answer["Payload"].read())
    assert answer.get("FunctionError") is None, f"{function}: {said}"
    TypeAdapter(returned(function)).validate_python(said)
    return said


TOLD: dict[str, Callable[[Any], Any]] = {
    "back_up_tables": lambda said: [backup["name"] for backup in said["backups"]],
    "check_health": lambda said: said["status"],
    "cost_reporting_lambda": lambda said: said["status"],
    "fetch_costs": lambda said: (said["costs"]["total"], said["costs"]["paid_requests"]),
    "list_clients": lambda said: said["client_count"],
    "record_delivery": lambda said: said["state"],
    "record_outcome": lambda said: (said["status"], said.get("error")),
    "render_pdf": lambda said: said["report"]["file_name"],
    "send_email": lambda said: [delivery["state"] for delivery in said["delivery"]["deliveries"]],
    "settle_run": lambda said: (said["client_count"], said["sent"]),
    "watch_deliveries": lambda said: said["roll_up"] in ("mailed", "nothing_new", "already_sent"),
}
"""The part of an answer by which one sees that a function has done its work."""


def told(function: str, said: Any) -> Any:
    """That part of what a function has said."""
    return TOLD[function](said)


FIRST = {
    "back_up_tables": ["weekly-backup-20261108"] * 2,
    "check_health": "healthy",
    "cost_reporting_lambda": "SUCCEEDED",
    "fetch_costs": ("35.4570427245", 0),
    "list_clients": 12,
    "record_delivery": "DELIVERED",
    "record_outcome": ("FAILED", "DeliveryRejected"),
    "render_pdf": "TEST_tiny-bakery_aws-costs_2026-10_final.pdf",
    "send_email": ["SENT"],
    "settle_run": (1, 1),
    "watch_deliveries": True,
}
"""What each function says about its event the first time. `test_…_again` says what changes after that."""
AGAIN = FIRST | {"record_delivery": None, "send_email": ["ALREADY_SENT"]}


def mails(stack: Stack) -> Counter[tuple[str, ...]]:
    """How many mails there were of each report to each recipient."""
    index = stack.mail / "messages.jsonl"
    lines = index.read_text().splitlines() if index.exists() else []
    return Counter((*line["recipients"], line["tags"]["report_id"]) for line in map(json.loads, lines))


def test_every_event_runs_as_it_stands_in_any_order_and_again_and_nobody_gets_a_mail_twice(stack: Stack) -> None:
    assert {function: told(function, call(stack, function, EVENTS[function])) for function in FUNCTIONS} == FIRST
    once = mails(stack)
    again = {function: told(function, call(stack, function, EVENTS[function])) for function in reversed(FUNCTIONS)}
    assert again == AGAIN
    assert set(mails(stack).values()) == {1}
    # Who calls the function that starts runs a second time has ordered a second test report: a run of its own.
    news = [report for _, report in mails(stack) - once if not report.startswith("OPERATORS_")]
    assert len(news) == 1
    assert "_test_" in news[0]
    assert samples.seed(stack.names, stack.variables()) is False


def test_what_a_function_says_is_the_event_of_the_next(stack: Stack) -> None:
    period = last_complete("monthly", datetime.now(UTC), ZoneInfo("UTC"))
    run = EVENTS["fetch_costs"]["run"] | {"run_id": "chained", "period": period.model_dump(mode="json")}
    fetched = call(stack, "fetch_costs", EVENTS["fetch_costs"] | {"run": run | {"refresh": True}})
    assert fetched["costs"]["paid_requests"] > 0
    sent = call(stack, "send_email", call(stack, "render_pdf", fetched))
    assert told("send_email", sent) == ["SENT"]
    assert told("record_outcome", call(stack, "record_outcome", sent)) == ("SENT", None)


def test_the_variables_are_those_of_the_deployed_functions(stack: Stack, files: sam_local.SamLocal) -> None:
    variables = json.loads(files.variables.read_text())
    assert sorted(variables) == sorted(map(logical_id, FUNCTIONS))
    for each in variables.values():
        assert set(DECLARED) < each.keys()
        assert (each["CLIENTS_TABLE"], each["BUCKET"]) == (stack.names.clients_table, stack.names.bucket)
        assert each["AWS_ENDPOINT_URL"] == each["AWS_ENDPOINT_URL_COST_EXPLORER"] == files.endpoint
        assert each["AWS_ENDPOINT_URL"].endswith(f":{stack.emulator.port}")
    assert variables["CostReportingLambdaFunction"]["STATE_MACHINE_ARN"] == stack.names.state_machine_arn
    said = "\n".join(files.said())
    assert "sam local invoke FetchCostsFunction" in said
    assert "| tail -1 >" in said


def test_a_running_stack_does_not_change_where_it_listens(stack: Stack) -> None:
    with pytest.raises(NotPossible, match=r"LISTEN: the emulator runs already.*make local-down"):
        up(stack.emulator.folder, listen="10.255.254.253")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sam_local_runs_the_function_with_its_event(
    function: str, stack: Stack, files: sam_local.SamLocal, engine: Engine | str
) -> None:
    if isinstance(engine, str):
        pytest.skip(engine)
    if function == "render_pdf" and engine.image == AWS_IMAGE and not files.brings_pango:
        pytest.skip("the layer that was built has no Pango, and AWS's image has none: `make build` first")
    before = mails(stack)
    done = subprocess.run(
        [
            SAM, "local", "invoke", logical_id(function), "--event", str(ROOT / "events" / f"{function}.json"),
            "--template-file", str(files.template), "--env-vars", str(files.variables),
            "--invoke-image", engine.image, "--skip-pull-image",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            **({"DOCKER_HOST": engine.host} if engine.host else {}),
            "SAM_CLI_TELEMETRY": "0",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "AKIAOFSOMEACCOUNTS00",
            "AWS_DEFAULT_REGION": "eu-west-1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert "errorType" not in said, f"{said}\n{done.stderr}"  # a function's error ends sam with 0
    assert told(function, said) in (FIRST[function], AGAIN[function])
    assert set(mails(stack).values()) <= {1}
    if function in ("send_email", "render_pdf", "fetch_costs"):
        assert before <= mails(stack)
