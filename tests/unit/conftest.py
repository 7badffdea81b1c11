"""Unit tests reach no network: a claim about one piece of code needs neither AWS nor an emulator."""

import pytest


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """A test that opens a socket fails with SocketBlockedError, naming itself."""
