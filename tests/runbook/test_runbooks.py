"""Every command block of docs/RUNBOOKS.md works, in order, on the local stack."""

from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from local.stack import Stack
from tests.runbook.blocks import RUNBOOKS, Block, Procedure, procedures
from tests.runbook.conftest import Shell, tried
from tests.runbook.meanwhile import MEANWHILE
from tests.runbook.unanswered import UNANSWERED

FIRST, *PROCEDURES = procedures(RUNBOOKS.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def shell(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell that has been through the first procedure."""
    shell = Shell(tmp_path_factory.mktemp("operator"), dict(environment))
    shell.enter()
    for block in FIRST.blocks:
        done = shell.run(f"{block.commands}\nenv -0 > .exported")
        assert done.returncode == 0, told(block, done)
    said = (shell.folder / ".exported").read_text(encoding="utf-8")
    shell.environment |= dict(line.split("=", 1) for line in said.split("\0") if "=" in line)
    return shell


@pytest.fixture
def here(shell: Shell, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shell]:
    """The shell, in an empty folder."""
    mine = Shell(tmp_path, shell.environment)
    mine.enter()
    yield mine
    request.config.stash.setdefault(tried, []).extend(mine.tried)


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.title)
def test_each_block_of_the_procedure_works(procedure: Procedure, here: Shell, stack: Stack) -> None:
    for block in procedure.blocks:
        if block.meanwhile:
            MEANWHILE[block.meanwhile](stack, here.folder)
        done = here.run(block.commands)
        assert done.returncode == 0, told(block, done)


def told(block: Block, done: CompletedProcess[str]) -> str:
    return f"docs/RUNBOOKS.md:{block.line}:\n{block.commands}\n{done.stdout}{done.stderr}"


def test_what_the_local_stack_does_not_answer_stands_in_the_runbook_and_has_a_reason() -> None:
    text = RUNBOOKS.read_text(encoding="utf-8")
    for operation, reason in UNANSWERED.items():
        assert f"aws {operation}" in text, f"{operation} is not in the runbook any more"
        assert reason
