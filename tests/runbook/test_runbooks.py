"""Every command block of docs/RUNBOOKS.md works, in order, on the local stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runbook.blocks import RUNBOOKS, Procedure, procedures
from tests.runbook.conftest import Shell, tried
from tests.runbook.unanswered import UNANSWERED

FIRST, *PROCEDURES = procedures(RUNBOOKS.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def shell(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell that has been through the first procedure."""
    shell = Shell(tmp_path_factory.mktemp("operator"), dict(environment))
    shell.enter()
    for line, block in FIRST.blocks:
        done = shell.run(f"{block}\nenv -0 > .exported")
        assert done.returncode == 0, f"line {line}:\n{block}\n{done.stdout}{done.stderr}"
    said = (shell.folder / ".exported").read_text(encoding="utf-8")
    shell.environment |= dict(line.split("=", 1) for line in said.split("\0") if "=" in line)
    return shell


@pytest.fixture
def here(shell: Shell, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shell]:
    """The shell, in an empty folder."""
    mine = Shell(tmp_path, shell.environment)
    mine.enter()
    yield mine
    request.config.stash.setdefault(tried, []).extend(mine.calls)


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.title)
def test_each_block_of_the_procedure_works(procedure: Procedure, here: Shell) -> None:
    for line, block in procedure.blocks:
        done = here.run(block)
        assert done.returncode == 0, f"docs/RUNBOOKS.md:{line}:\n{block}\n{done.stdout}{done.stderr}"


def test_what_the_local_stack_does_not_answer_stands_in_the_runbook_and_has_a_reason() -> None:
    text = RUNBOOKS.read_text(encoding="utf-8")
    for operation, reason in UNANSWERED.items():
        assert f"aws {operation}" in text, f"{operation} is not in the runbook any more"
        assert reason
