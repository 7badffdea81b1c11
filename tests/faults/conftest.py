"""A deployed stack of its own, with a saboteur in every function, a proxy before its account, and all rows at work."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import boto3
import pytest
from rich.console import Console

from cost_reporting.clients import Client
from local.stack import Stack, down, up
from local.world import World, crowd, twelve
from tests.faults import proxy, table
from tests.faults.laboratory import SPEED, Laboratory, Result, install
from tests.faults.rows import OPERATOR, Row
from tests.faults.stories import ALL as ROWS
from tests.workflow.machine import Machine

UNDER_WAY = pytest.StashKey[dict[str, "Future[Result]"]]()
SPARE = 8
"""Clients beside those of the rows, for the stories that need a second one."""
SHARED = "the one account whose answers have pages"
AT_ONCE = 12
"""Rows that are tried at the same time: most of them wait most of their time."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The template, built and deployed, with a client for each row."""
    folder = tmp_path_factory.mktemp("faults") / "local"
    try:
        with mock.patch.dict(os.environ, {"SFN_WAIT_SCALE": str(1 / SPEED)}):
            deployed = up(folder, attached=True)
        World((*twelve(), *crowd(len(ROWS) + SPARE))).load(deployed.emulator.endpoint, deployed.names)
        with mock.patch.dict(os.environ, deployed.variables()):
            boto3.setup_default_session()
            large = next(client for client in twelve() if client.client_id == "northwind-retail")
            shared = {"shared_with": those_of_the_large(), "shared_reason": SHARED}
            Machine(deployed).put(large.model_copy(update=shared))
            yield deployed
    finally:
        boto3.DEFAULT_SESSION = None
        down(folder)


@pytest.fixture(scope="session")
def laboratory(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Where rows are tried."""
    plans = tmp_path_factory.mktemp("plans")
    with proxy.running(stack.emulator.endpoint) as running:
        install(stack, running.endpoint, plans)
        yield Laboratory(stack, running, plans, crowd(len(ROWS) + SPARE)[len(ROWS) :])


def clients() -> Iterator[Client]:
    """An ordinary client for each row; where it is about pages, with the account that has many."""
    large = next(client for client in twelve() if client.client_id == "northwind-retail")
    for row, client in zip(ROWS, crowd(len(ROWS)), strict=True):
        to = tuple(f"reader-{number}@{client.client_id}.example" for number in range(1, row.recipients + 1))
        own = (
            {"access": large.access, "shared_with": others(client, large), "shared_reason": SHARED} if row.large else {}
        )
        yield client.model_copy(update={"recipients": to} | row.own | own)


def those_of_the_large() -> tuple[str, ...]:
    """The ids of the clients whose rows are about pages: they share one account, and say so."""
    return tuple(client.client_id for row, client in zip(ROWS, crowd(len(ROWS)), strict=True) if row.large)


def others(client: Client, large: Client) -> tuple[str, ...]:
    """With whom the client shares the large account."""
    return tuple(each for each in (*those_of_the_large(), large.client_id) if each != client.client_id)


@pytest.fixture(scope="session")
def results(laboratory: Laboratory, request: pytest.FixtureRequest) -> Iterator[dict[str, "Future[Result]"]]:
    """Every row that was asked for, or all, under way: those that take long first."""
    asked = {params(item)["row"].claim for item in request.session.items if "row" in params(item)}
    whole = any(item.name.startswith("test_the_table") for item in request.session.items)
    rows = [(row, client) for row, client in zip(ROWS, clients(), strict=True) if whole or row.claim in asked]
    rows.sort(key=lambda each: not takes_long(each[0]))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        under_way = {row.claim: pool.submit(laboratory.try_out, row, client) for row, client in rows}
        request.config.stash[UNDER_WAY] = under_way
        yield under_way


def params(item: pytest.Item) -> dict[str, Any]:
    """What a test is parametrised with."""
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def takes_long(row: Row) -> bool:
    """Whether most of the row is waiting: for retries that run out, timeouts, or a sender that may be at work."""
    return any(word in row.claim for word in ("for long", "times out", "never", "no data")) or row.then == OPERATOR


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The table, for whoever runs these tests alone."""
    under_way = config.stash.get(UNDER_WAY, {})
    done = [future.result() for future in under_way.values() if future.done() and future.exception() is None]
    if done:
        order = {row.claim: place for place, row in enumerate(ROWS)}
        console = Console(width=max(140, terminalreporter._tw.fullwidth))
        table.show(sorted(done, key=lambda result: order[result.row.claim]), console)
