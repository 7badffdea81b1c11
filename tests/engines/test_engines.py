"""The cases of local/stepfunctions-local on two engines that other people wrote, state by state.

What to expect is derived from the definition (`derive.py`). The engines share no code with it, with each other or with
the emulated account, whose own mocks never get beyond the first answer inside a Map: they would pass falsely.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import derive
import pytest
import run
from cases import CASES

from tests.contract.documents import ROOT
from tests.engines.moto_engine import engine

CONFIG = derive.mock_config()
WANTED = run.expected()
NODE_FOLDER = ROOT / ".tools" / "npm"


@pytest.fixture(scope="session")
def by_moto() -> Mapping[str, run.Went]:
    """How the cases go on moto's engine, LocalStack's: by the same program that runs them on Step Functions Local."""
    with engine(CONFIG) as states:
        return run.run(states, WANTED, pause=lambda seconds: time.sleep(seconds / 10))


@pytest.fixture(scope="session")
def by_node() -> Mapping[str, run.Went]:
    """The same on npm's aws-local-stepfunctions."""
    if why := no_node():
        pytest.skip(why)
    machines = {name: json.loads((run.HERE / f"{name}.asl.json").read_text()) for name in CONFIG["StateMachines"]}
    asked = json.dumps({"machines": machines, "config": CONFIG, "cases": WANTED})
    done = subprocess.run(
        ["node", str(Path(__file__).with_name("engine.mjs"))],
        input=asked,
        env={"PATH": os.environ["PATH"], "NODE_FOLDER": str(NODE_FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: run.Went(each["ends"], each["trace"]) for name, each in json.loads(done.stdout).items()}


def no_node() -> str | None:
    """Why the second engine cannot run here, and what to do about it."""
    node = shutil.which("node")
    version = (
        "" if node is None else subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    )
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < 20:
        return "needs Node 20 or newer with npm on PATH, from your system; then `make test` installs the engine"
    if not (NODE_FOLDER / "node_modules" / "aws-local-stepfunctions").is_dir():
        return "the engine is not installed: `python3 local/setup.py --browser` does that, by npm from requirements/npm"
    return None


@pytest.mark.parametrize("name", CASES)
def test_a_case_goes_on_moto_s_engine_as_the_definition_says(name: str, by_moto: Mapping[str, run.Went]) -> None:
    assert run.compared(name, WANTED[name], by_moto[name]) is None, by_moto[name]


@pytest.mark.parametrize("name", CASES)
def test_a_case_goes_on_npm_s_engine_as_the_definition_says(name: str, by_node: Mapping[str, run.Went]) -> None:
    assert run.compared(name, WANTED[name], by_node[name]) is None, by_node[name]


@pytest.mark.parametrize("name", CASES)
def test_a_case_ends_as_it_says(name: str) -> None:
    assert WANTED[name]["ends"] == CASES[name].ends
