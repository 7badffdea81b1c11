"""The layers for Lambda, in a root file system like Lambda's that has no Pango: reports come out as everywhere else."""

import json
from typing import Any, Final

import pytest
from weasyprint.text.ffi import pango

from layer_build import gate
from tests.build import sandbox
from tests.build.conftest import ROOT, Built, once
from tests.workflow.machine import Execution, Machine

PANGO: Final = "15012"
"""1.50.12, Debian 12's."""
NAME: Final = "cost-reporting-render-pdf"
CLIENTS: Final = ("tiny-bakery", "northwind-retail", "tokyo-data", "euro-logistik")
LOADED: Final = """
import ctypes, sys
sys.path.insert(0, "/opt/python")
import weasyprint.text.ffi as ffi
print(ffi.pango.pango_version())
print("\\n".join(sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line})))
"""


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Built:
    reason = sandbox.why_not()
    if reason is not None:
        pytest.skip(reason)
    return once(tmp_path_factory, sandbox.ARCHITECTURE)


@pytest.fixture(scope="module")
def alone(layers: Built) -> sandbox.Sandbox:
    """The layers at /opt, the function's code, and what Lambda's runtime brings."""
    both = {
        f"/opt/python/{path.name}": path
        for name in ("common", "pdf")
        for path in (layers.layer(name) / "python").iterdir()
    }
    opt = {**both, "/opt/lib": layers.layer("pdf") / "lib"}
    return sandbox.Sandbox({**opt, **sandbox.runtime(), "/var/task": ROOT / "functions" / "render_pdf"})


@pytest.fixture(scope="module")
def configured(machine: Machine) -> dict[str, str]:
    """The environment of the deployed function."""
    shown = machine.client("lambda").get_function_configuration(FunctionName=NAME)
    return dict(shown["Environment"]["Variables"])


def test_every_library_of_pango_comes_from_the_layer(alone: sandbox.Sandbox, configured: dict[str, str]) -> None:
    path = configured["LD_LIBRARY_PATH"]
    assert path.split(":")[0] == "/opt/lib"
    done = alone.run(["/python", "-I", "-S", "-c", LOADED], {"LD_LIBRARY_PATH": path})
    assert done.returncode == 0, done.stderr
    version, *loaded = done.stdout.split()
    assert version == PANGO
    assert {f"/opt/lib/{name}" for name in gate.PANGO} <= set(loaded)
    elsewhere = {each for each in loaded if not each.startswith(("/opt/", "/var/lang/lib/"))}
    assert {each.rpartition("/")[2] for each in elsewhere if "/lib-dynload/" not in each} <= {
        *gate.BASE,
        gate.LOADERS[sandbox.ARCHITECTURE],
        "libpython3.13.so.1.0",
    }


def test_without_the_layer_s_folder_first_there_is_no_pango_at_all(alone: sandbox.Sandbox) -> None:
    """The negative control: nothing of it comes from this machine."""
    done = alone.run(["/python", "-I", "-S", "-c", LOADED], {"LD_LIBRARY_PATH": "/var/lang/lib:/lib64"})
    assert done.returncode != 0
    assert "cannot load library" in done.stderr


def test_the_deployed_function_renders_the_same_bytes_with_the_layers_alone(
    machine: Machine, alone: sandbox.Sandbox, configured: dict[str, str]
) -> None:
    usual_pango = str(pango.pango_version())
    if usual_pango != PANGO:
        pytest.skip(f"this machine's Pango is {usual_pango} and the layer's {PANGO}: pages may break elsewhere")
    run = machine.run({"cadence": "monthly", "client_ids": list(CLIENTS), "dry_run": True})
    asked = {child: rendering(child) for child in run.children}
    batons = [event for event, _ in asked.values()]
    usual = {event["client_id"]: answer["report"]["pdf"] for event, answer in asked.values()}
    assert sorted(usual) == sorted(CLIENTS)
    stored = machine.client("s3")
    for answer in (answer for _, answer in asked.values()):
        for document in ("pdf", "mail", "evidence"):  # so that it renders, and does not find what is there
            stored.delete_object(Bucket=machine.bucket, Key=answer["report"][document]["key"])
    environment = {
        **machine.stack.variables(),
        **configured,
        "AWS_LAMBDA_FUNCTION_NAME": NAME,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "alone",
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
    }
    answers = sandbox.invoked(alone, environment, batons)
    alone_made = {answer["client_id"]: answer["report"]["pdf"] for answer in answers}
    assert {name: (each["sha256"], each["size"]) for name, each in alone_made.items()} == {
        name: (each["sha256"], each["size"]) for name, each in usual.items()
    }


def rendering(child: Execution) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Render PDF was asked in a client's execution, and what it answered."""
    scheduled = (event.get("taskScheduledEventDetails", {}).get("parameters", "{}") for event in child.events)
    succeeded = (event.get("taskSucceededEventDetails", {}).get("output", "{}") for event in child.events)
    asked = next(said["Payload"] for said in map(json.loads, scheduled) if NAME in said.get("FunctionName", ""))
    answer = next(said["Payload"] for said in map(json.loads, succeeded) if "report" in said.get("Payload", {}))
    return asked, answer
