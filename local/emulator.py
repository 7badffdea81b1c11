"""The emulated AWS account: MiniStack on 127.0.0.1, with AWS's behaviour restored where it differs.

Runs in the emulator's own environment, not in the product's:

    .tools/emulator/bin/python -m local.emulator --folder out/local

It listens on a free port of the loopback interface unless told which one, and once it does, writes ``emulator.json``
(pid, port) into the folder. Accounts are told apart by access key: a key of twelve digits is the root of that account.
Roles are real (MiniStack's AUTH mode): credentials of a role may do what its policies allow, and only those whom its
trust policy names can assume it. All state is in memory and gone with the process; its mail stays in ``mail``
until the next one starts, and code and layers stay unpacked in ``unpacked``.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from local.accounts import ACCOUNTS, crowd
from local.cost_explorer import CostExplorer
from local.differences import (
    alarms,
    cost_explorer,
    environments,
    event_logs,
    item_keys,
    mail,
    measured,
    metrics,
    principals,
    provisioning,
    queries,
    redrives,
    roles,
    suppression,
    transport,
)
from local.differences.upstream import upstream

ACCOUNT = "111122223333"
"""The consultancy's own account."""

CROWD = 10_000
"""So many more clients' accounts are there for larger worlds."""

LOCAL = frozenset({"/_local", "/_local/account", "/_local/events", "/_local/late", "/_local/later"})
"""What the emulator answers itself, and no service of AWS."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def main() -> None:
    """Listen, then start the emulator behind the socket, until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local.emulator", description="An AWS account in this process.")
    parser.add_argument("--folder", type=Path, required=True, help="where mail, unpacked layers and emulator.json go")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--while-runs", type=int, metavar="PID", help="stop when this process has ended")
    parser.add_argument("--as-upstream", action="store_true", help="restore nothing; the contract tests look at this")
    parser.add_argument("--now", type=datetime.fromisoformat, help="Cost Explorer's clock starts here instead of now")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", arguments.port))
        listener.listen(1024)
        port: int = listener.getsockname()[1]
        settle_environment(port, arguments.region)
        if not arguments.as_upstream:
            restore_aws(folder, clock(arguments.now))
        record = folder / "emulator.json"
        record.write_text(json.dumps({"pid": os.getpid(), "port": port}))
        try:
            asyncio.run(serve(listener, arguments.while_runs))
        finally:
            record.unlink(missing_ok=True)


def settle_environment(port: int, region: str) -> None:
    """What MiniStack reads from the environment, most of it when it is imported."""
    os.environ |= {
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": region,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        # Listeners that nobody asked for.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    unwanted = ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "SERVICES", "LAMBDA_EXECUTOR", "LAMBDA_STRICT")
    for name in unwanted:
        os.environ.pop(name, None)
    os.environ.setdefault("LOG_LEVEL", "WARNING")


def restore_aws(folder: Path, now: Callable[[], datetime]) -> None:
    """Put right, one by one, what MiniStack does otherwise than AWS. It is imported here, and not before."""
    transport.restore()
    environments.restore(folder)
    redrives.restore()
    roles.restore()
    principals.restore()
    item_keys.restore()
    metrics.restore()
    alarms.restore()
    measured.restore()
    queries.restore()
    event_logs.restore()
    provisioning.restore()
    mail.restore(folder / "mail")
    suppression.restore()
    cost_explorer.restore(CostExplorer({**crowd(CROWD), **ACCOUNTS}, cost_explorer.clock(now)))


def clock(start: datetime | None) -> Callable[[], datetime]:
    """The time; or, if it is to start somewhere else, the time shifted."""
    shift = (start.replace(tzinfo=start.tzinfo or UTC) - datetime.now(UTC)) if start else timedelta()
    return lambda: datetime.now(UTC) + shift


async def serve(listener: socket.socket, companion: int | None) -> None:
    """Serve until a signal asks to stop or ``companion`` has ended; then end the functions' processes as well."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    following = loop.create_task(follow(companion, stop)) if companion else None
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    logging.getLogger("hypercorn.error").setLevel(logging.WARNING)
    try:
        await hypercorn_serve(identified(upstream("app").app), config, shutdown_trigger=stop.wait)
    finally:
        if following is not None:
            following.cancel()
        environments.stop_all()


async def follow(pid: int, stop: asyncio.Event) -> None:
    """Ask to stop when the process ``pid`` is gone: a killed test run leaves nothing behind."""
    while not stop.is_set():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            stop.set()
        await asyncio.sleep(1)


def identified(app: Any) -> Any:
    """The emulator, which at ``/_local`` also says which process it is: a port may have changed hands.

    ``/_local/events`` takes entries of PutEvents from AWS's own services, which PutEvents itself takes from nobody: so
    recorded events of SES can be replayed. ``/_local/later?seconds=300`` moves CloudWatch's clock on.
    ``/_local/late?account=210000000001&requests=1`` has Cost Explorer answer the next request without figures, and
    ``/_local/account?account=210000000001`` has it answer otherwise from now on, as a body like {"unfilled_days": 1}
    says.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in LOCAL:
            await app(scope, receive, send)
            return
        said: dict[str, Any] = {"pid": os.getpid()}
        if scope["path"] == "/_local/events":
            said = event_logs.publish(json.loads(await whole(receive)))
        if scope["path"] == "/_local/later":
            (seconds,) = parse_qs(scope["query_string"].decode())["seconds"]
            await asyncio.to_thread(alarms.later, float(seconds))
        if scope["path"] == "/_local/late":
            asked = parse_qs(scope["query_string"].decode())
            cost_explorer.late(asked["account"][0], int(asked["requests"][0]))
        if scope["path"] == "/_local/account":
            (account,) = parse_qs(scope["query_string"].decode())["account"]
            cost_explorer.change(account, json.loads(await whole(receive)))
        body = json.dumps(said).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return application


async def whole(receive: Receive) -> bytes:
    """The body of a request."""
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    return body


if __name__ == "__main__":
    main()
