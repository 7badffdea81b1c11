"""microburst between the functions and the emulated account, in a thread of this process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from microburst import forward
from microburst.app import make_app
from microburst.core import pipeline
from microburst.core.context import RequestContext
from microburst.core.pipeline import Microburst
from microburst.detection import detect

forward.HOP_BY_HOP -= {"content-length"}
"""It says how long an answer is, and the answer to a HEAD says nothing else; microburst leaves it out."""


def detected(headers: Any, method: str, path: str, query: Any, body: bytes | None) -> RequestContext:
    """What microburst sees in a request. Both versions of SES are signed as ``ses``, and it knows the first only."""
    context = detect(headers, method, path, query, body)
    if context.service == "ses" and path.startswith("/v2/"):
        context.service, context.protocol = "sesv2", "rest-json"
    return context


pipeline.detect = detected


class Transparent(forward.Upstream):
    """Leaves the Host header as it is signed: the emulator holds signatures against it. Upstream puts its own there."""

    def _outbound_headers(self, request: web.Request) -> dict[str, str]:
        return super()._outbound_headers(request) | {"host": request.headers["Host"]}


class Proxy:
    """The running proxy: rules go in and out by the row that they are for."""

    def __init__(self, microburst: Microburst, port: int) -> None:
        self._microburst = microburst
        self.endpoint = f"http://127.0.0.1:{port}"

    def order(self, row: str, rules: tuple[dict[str, Any], ...]) -> None:
        """Let ``rules`` happen to the calls that are made on behalf of ``row``."""
        mine = [rule | {"headers": {"x-row": row, **rule.get("headers", {})}} for rule in rules]
        self._microburst.engine.add_rules(mine)

    def lift(self, row: str) -> None:
        """Nothing happens to ``row`` any more. Its rules stay, for :meth:`fired`, but have expired."""
        for rule in self._mine(row):
            rule.until = 0.0

    def fired(self, row: str) -> list[int]:
        """How often each of the row's rules has fired."""
        return [rule.fired_count for rule in self._mine(row)]

    @property
    def requests(self) -> int:
        """How many requests have passed."""
        return self._microburst.requests_seen

    def _mine(self, row: str) -> list[Any]:
        return [rule for rule in self._microburst.engine.rules if (rule.headers or {}).get("x-row") == row]


@contextmanager
def running(upstream: str) -> Iterator[Proxy]:
    """A proxy before ``upstream`` on a free port of the loopback."""
    loop = asyncio.new_event_loop()
    microburst = Microburst(upstream)
    microburst.upstream = Transparent(upstream, stats=microburst.stats)
    runner = web.AppRunner(make_app(microburst), access_log=None)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port: int = runner.addresses[0][1]
        return port

    thread = threading.Thread(target=loop.run_forever, daemon=True, name="microburst")
    thread.start()
    try:
        yield Proxy(microburst, asyncio.run_coroutine_threadsafe(start(), loop).result(30))
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
