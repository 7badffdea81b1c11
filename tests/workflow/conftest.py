"""The deployed stack, with its world, in an emulated account of its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import boto3
import pytest

from local.stack import Stack, down, up
from tests.workflow.machine import Machine


@contextmanager
def deployed(folder: Path) -> Iterator[Stack]:
    """The template, built and deployed, with the twelve clients. The product's adapters in this process talk to it.

    A file's own stack gives way to the shared one when it ends.
    """
    session = boto3.DEFAULT_SESSION
    try:
        stack = up(folder, attached=True)
        with mock.patch.dict(os.environ, stack.variables()):
            boto3.setup_default_session()
            yield stack
    finally:
        boto3.DEFAULT_SESSION = session
        down(folder)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that most files share."""
    with deployed(tmp_path_factory.mktemp("workflow") / "local") as stack:
        yield stack


@pytest.fixture(scope="session")
def machine(stack: Stack) -> Machine:
    """The state machine, ready to be run."""
    return Machine(stack)
