"""Lambda's execution environments, as AWS has them.

Restored here, where MiniStack's workers differ:

- a handler's exception is reported by the name of its class, with ``requestId`` and ``stackTrace``; upstream calls
  every one ``Runtime.HandlerError``, so no Retry and no Catch of a state machine could tell them apart;
- an environment outlives an exception; upstream kills it, and the next invocation starts cold;
- a handler sees the standard library, boto3, its layers and its own code; upstream lets it import whatever the emulator
  itself has installed, and hands on the emulator's environment variables;
- layers lie unpacked at one place, and a variable that names a path below /opt finds it; upstream unpacks every layer
  again for every environment, and compiles it again with every cold start;
- a process that ends by itself is ``Runtime.ExitError``, a failed import ``Runtime.ImportModuleError``;
- an invocation's log ends with a REPORT line of what was measured (``reports.py``).

Two things are unlike AWS on purpose. At most ``LIMIT`` environments of one function run at a time, and further
invocations wait for one instead of starting their own, since a laptop has few cores. And initialisation may take as
long as it takes.
"""

import functools
import hashlib
import io
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from local.differences import measured, reports
from local.differences.upstream import upstream

LIMIT = max(2, os.cpu_count() or 2)
"""Environments of one function at a time."""

OWN_LINES = "rie"
"""Upstream's word for a log that has its START, END and REPORT already."""

INITIALISATION_SECONDS = 60
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What the runtime brings beside the standard library: boto3 and what it needs."""


def restore(folder: Path) -> None:
    """Run Python functions in environments of ours, unpacked below ``folder``."""
    runtime = upstream("core.lambda_runtime")
    lambda_svc = upstream("services.lambda_svc")
    theirs = runtime._worker_class_for

    def environment_class(config: dict[str, Any]) -> Any:
        if str(config.get("Runtime", "")).startswith("python"):
            return functools.partial(Environment, folder)
        return theirs(config)

    runtime._worker_class_for = environment_class
    lambda_svc._execute_function_warm = execute
    provide_runtime(folder)
    throw_away_old(folder)


def stop_all() -> None:
    """End every environment."""
    upstream("core.lambda_runtime").reset()


_turns: defaultdict[str, threading.BoundedSemaphore] = defaultdict(lambda: threading.BoundedSemaphore(LIMIT))


def execute(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """One invocation, answered as ``services.lambda_svc`` expects it."""
    runtime = upstream("core.lambda_runtime")
    lambda_svc = upstream("services.lambda_svc")
    config = function.get("config") or function
    name, qualifier = config["FunctionName"], config.get("Version", "$LATEST")
    lambda_svc._ensure_reaper_thread()
    with _turns[config["FunctionArn"]]:
        environment, _ = runtime.acquire_worker(name, config, function["code_zip"], qualifier=qualifier)
        began = time.monotonic()
        try:
            answer = environment.invoke(event, request_id, lambda_svc._xray_trace_id_for_invocation(config))
        finally:
            runtime.release_worker(environment)
    measured.invoked(name, time.monotonic() - began, failed=bool(answer.get("failure")))
    if answer.get("failure"):
        return {"body": answer["failure"], "error": True, "log": answer["log"], "log_source": OWN_LINES}
    return {"body": answer.get("result"), "log": answer["log"], "log_source": OWN_LINES}


class Environment:
    """One process that runs one function, one invocation at a time.

    Has the attributes that upstream's pool of workers uses: ``in_use``, ``last_used``, ``config``, ``_proc`` and so on.
    """

    def __init__(self, folder: Path, name: str, config: dict[str, Any], code: bytes) -> None:
        self.folder = folder
        self.func_name = name
        self.config = config
        self.code = code
        self.in_use = False
        self.last_used = time.time()
        self._cold = True
        self._lock = threading.Lock()
        self._proc: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._peak_mb = 0

    def invoke(self, event: Any, request_id: str, trace_id: str | None) -> dict[str, Any]:
        """The handler's ``result`` or ``failure``, and the ``log`` of this invocation."""
        with self._lock:
            log: list[str] = []
            init: float | None = None
            if self._proc is None or self._proc.poll() is not None:
                began = time.monotonic()
                ready = self._start(log)
                init = time.monotonic() - began
                if ready.get("failure"):
                    failed = {"failure": ready["failure"] | {"requestId": request_id}}
                    return self._reported(failed, log, request_id, 0.0, init)
            timeout = float(self.config.get("Timeout", 3))
            began = time.monotonic()
            self._send(
                {
                    "event": event,
                    "request_id": request_id,
                    "arn": self.config["FunctionArn"],
                    "timeout": timeout,
                    "trace_id": trace_id,
                }
            )
            answer = self._receive(timeout, log)
            if "ended" in answer:
                answer = {"failure": self._ended(answer["ended"], request_id, timeout)}
                log.append(answer["failure"]["errorMessage"])
            return self._reported(answer, log, request_id, time.monotonic() - began, init)

    def _reported(
        self, answer: dict[str, Any], log: list[str], request_id: str, seconds: float, init: float | None
    ) -> dict[str, Any]:
        """The answer, with its log as Lambda leaves it."""
        lines = reports.around(
            log,
            request_id=request_id,
            version=self.config.get("Version", "$LATEST"),
            seconds=seconds,
            init_seconds=init,
            memory_size=int(self.config.get("MemorySize", 128)),
            memory_used=self._measured(),
            failure=(answer.get("failure") or {}).get("errorType"),
        )
        return answer | {"log": "\n".join(lines)}

    def _measured(self) -> int:
        """The most memory that this environment has had so far, in MB."""
        alive = self._proc
        self._peak_mb = max(self._peak_mb, (reports.peak_mb(alive.pid) if alive is not None else None) or 0)
        return self._peak_mb

    def _spawn(self) -> None:
        """Start ahead of the first invocation. Upstream asks for this when it publishes a SnapStart version."""
        ready = self._start([])
        if ready.get("failure"):
            raise RuntimeError(ready["failure"]["errorMessage"])

    def _start(self, log: list[str]) -> dict[str, Any]:
        self._peak_mb = 0
        task = unpacked(self.code, self.folder)
        layers = [unpacked(layer, self.folder) for layer in self._layers()]
        self._lines = queue.Queue()
        self._proc = subprocess.Popen(
            [sys.executable, "-I", "-S", "-u", "-X", "utf8", str(BOOTSTRAP)],
            cwd=task,
            env=self._variables(task, layers),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        threading.Thread(target=_read, args=(self._proc, self._lines), daemon=True).start()
        self._send(
            {
                "handler": self.config["Handler"],
                "path": [str(task), *(str(path) for layer in reversed(layers) for path in _python_folders(layer))],
                "runtime_path": [str(self.folder / "runtime")],
            }
        )
        ready = self._receive(INITIALISATION_SECONDS, log)
        self._measured()
        if "ended" in ready:
            return {"failure": {"errorMessage": "initialisation did not finish", "errorType": "Runtime.ExitError"}}
        return ready

    def _layers(self) -> list[bytes]:
        references = self.config.get("Layers") or []
        return [upstream("services.lambda_svc")._resolve_layer_zip(reference) for reference in references]

    def _variables(self, task: Path, layers: list[Path]) -> dict[str, str]:
        """The environment: Lambda's own variables, the function's, and the way to the emulator."""
        runtime = upstream("core.lambda_runtime")
        _, region = runtime._account_region_from_function_config(self.config)
        name, version = self.config["FunctionName"], self.config.get("Version", "$LATEST")
        configured = (self.config.get("Environment") or {}).get("Variables") or {}
        logging = self.config.get("LoggingConfig") or {}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LD_LIBRARY_PATH": ":".join(str(layer / "lib") for layer in layers),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            **{key: _below_opt(value, layers) for key, value in configured.items()},
            **runtime.execution_credentials(self.config),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{self.config['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.config.get("MemorySize", 128)),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup") or f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d')}/[{version}]{uuid.uuid4().hex}",
            "LAMBDA_TASK_ROOT": str(task),
            "_HANDLER": self.config["Handler"],
        }

    def _send(self, message: dict[str, Any]) -> None:
        assert self._proc is not None and self._proc.stdin is not None
        try:
            self._proc.stdin.write(json.dumps(message).encode() + b"\n")
            self._proc.stdin.flush()
        except BrokenPipeError:
            pass  # the process has ended, which is what the answer will say

    def _receive(self, timeout: float, log: list[str]) -> dict[str, Any]:
        """The next answer; what was printed before it goes into ``log``.

        ``{"ended": None}`` if the time is up, ``{"ended": exit code}`` if the process has ended by itself.
        """
        deadline = time.monotonic() + timeout
        process = self._proc
        assert process is not None
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self._measured()
                self._end()
                return {"ended": None}
            if line is None:
                self._proc = None
                return {"ended": process.wait()}
            printed, mark, message = line.partition(b"\0")
            if printed.strip():
                log.append(printed.decode(errors="replace").rstrip("\n"))
            if mark:
                answer: dict[str, Any] = json.loads(message)
                return answer

    def _ended(self, exit_code: int | None, request_id: str, timeout: float) -> dict[str, Any]:
        """What Lambda says about a process that was too slow, or that ended by itself."""
        if exit_code is None:
            said, name = f"Task timed out after {timeout:.2f} seconds", "Sandbox.Timedout"
        else:
            how = f"signal: {-exit_code}" if exit_code < 0 else f"exit status {exit_code}"
            said, name = f"Runtime exited with error: {how}", "Runtime.ExitError"
        return {"errorType": name, "errorMessage": f"RequestId: {request_id} Error: {said}"}

    def _end(self) -> None:
        process, self._proc = self._proc, None
        if process is not None:
            process.kill()
            process.wait()

    def _discard_tmpdir(self) -> None:
        """Nothing to discard: what is unpacked is shared. Upstream asks for this after it has ended the process."""


def _read(process: subprocess.Popen[bytes], lines: queue.Queue[bytes | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _python_folders(layer: Path) -> list[Path]:
    """Where the runtime looks for packages in a layer."""
    folders = [layer / "python", *sorted((layer / "python" / "lib").glob("python3.*/site-packages"))]
    return [folder for folder in folders if folder.is_dir()]


def _below_opt(value: str, layers: list[Path]) -> str:
    """``value``; or, if it is a path below /opt, where it is in the last layer that has it."""
    if not value.startswith("/opt/"):
        return value
    found = (layer / value.removeprefix("/opt/") for layer in reversed(layers))
    return next((str(path) for path in found if path.exists()), value)


_unpacking = threading.Lock()


def unpacked(archive: bytes, folder: Path) -> Path:
    """The folder with the contents of ``archive``: unpacked once for all environments, and kept for the next start."""
    target = folder / "unpacked" / hashlib.sha256(archive).hexdigest()[:24]
    with _unpacking:
        if target.is_dir():
            os.utime(target)
            return target
        temporary = target.with_name(f"{target.name}.unfinished")
        shutil.rmtree(temporary, ignore_errors=True)
        with zipfile.ZipFile(io.BytesIO(archive)) as entries:
            for entry in entries.infolist():
                path = Path(entries.extract(entry, temporary))
                if mode := entry.external_attr >> 16 & 0o777:
                    path.chmod(mode | 0o700 if path.is_dir() else mode | 0o600)
        temporary.rename(target)
    return target


def throw_away_old(folder: Path) -> None:
    """Forget what no account has unpacked for a day: every changed layer leaves its predecessor behind."""
    for path in (folder / "unpacked").glob("*"):
        if time.time() - path.stat().st_mtime > 24 * 60 * 60:
            shutil.rmtree(path, ignore_errors=True)


def provide_runtime(folder: Path) -> None:
    """A folder with the packages of the Lambda runtime and no others."""
    runtime = folder / "runtime"
    shutil.rmtree(runtime, ignore_errors=True)
    runtime.mkdir(parents=True)
    for package in RUNTIME_PACKAGES:
        source = installed(package)
        (runtime / source.name).symlink_to(source)


def installed(package: str) -> Path:
    """Where ``package`` is installed: its folder, or its only file."""
    found = find_spec(package)
    assert found is not None and found.origin is not None, f"{package} is not installed beside the emulator"
    origin = Path(found.origin)
    return origin.parent if origin.name == "__init__.py" else origin
