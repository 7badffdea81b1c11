"""The product in an emulated AWS account on this machine: `python -m local.stack up`, `down`, `status`, `deploy`,
`world`, `later`.

Everything of a stack is in one folder, out/local unless LOCAL_DIR names another, and beside it a file for shells:
`set -a; . out/local.env` lets aws, boto3 and sam talk to it. Several stacks can run side by side. Exit codes: 0 done,
1 failed or not running, 2 wrong usage.
"""

import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.console import Console

from local import deployment, process
from local.process import ROOT, Emulator, NotPossible
from local.world import Names, World, crowd, twelve

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False)


def default_folder() -> Path:
    """LOCAL_DIR, or out/local."""
    return (ROOT / os.environ.get("LOCAL_DIR", "out/local")).resolve()


@dataclass(frozen=True)
class Stack:
    """A deployed stack: where it is, and what its parts are called."""

    emulator: Emulator
    names: Names

    @property
    def mail(self) -> Path:
        """The folder with every mail that SES has accepted: .eml files, and messages.jsonl about them."""
        return self.emulator.folder / "mail"

    @property
    def env_file(self) -> Path:
        """What a shell needs to know."""
        return self.emulator.folder.with_suffix(".env")

    def session(self) -> boto3.Session:
        """A session of the consultancy's account. Clients still need ``endpoint_url``."""
        return deployment.session()

    def variables(self) -> dict[str, str]:
        """Environment variables for any program that is to use this account."""
        return {
            "AWS_ENDPOINT_URL": self.emulator.endpoint,
            "AWS_ENDPOINT_URL_COST_EXPLORER": self.emulator.endpoint,
            "AWS_REGION": deployment.REGION,
            "AWS_DEFAULT_REGION": deployment.REGION,
            **deployment.credentials(),
            "STACK_NAME": deployment.STACK,
            "STATE_MACHINE_ARN": self.names.state_machine_arn,
            "CLIENTS_TABLE": self.names.clients_table,
            "OUTCOMES_TABLE": self.names.outcomes_table,
            "BUCKET": self.names.bucket,
            "ALERTS_TOPIC_ARN": self.names.alerts_topic_arn,
            "CONFIGURATION_SET": self.names.configuration_set,
            "SENDER": self.names.sender,
            "EMULATOR_MAIL_DIR": str(self.mail),
            "EMULATOR_LOG": str(self.emulator.log),
            "EMULATOR_PID": str(self.emulator.pid),
        }


def up(folder: Path | None = None, *, port: int = 0, clients: int = 0, attached: bool = False) -> Stack:
    """A running stack with its world: started, replaced, redeployed or left alone, whichever is needed.

    ``clients``: a world of so many ordinary clients instead of the twelve. ``attached``: it ends with this process.
    """
    folder = folder or default_folder()
    with process.locked(folder):
        built = _timed("sam build", deployment.build)
        emulator = process.find(folder)
        if emulator is None:
            process.stop(folder)
            emulator = _timed("emulator", lambda: process.start(folder, port=port, attached=attached))
        running = emulator
        _timed("sam deploy", lambda: deployment.deploy(running, built))
        stack = Stack(running, Names.of(deployment.outputs(running)))
        _timed("world", lambda: _world(stack, clients or None))
        stack.env_file.write_text(
            "".join(f"{name}={shlex.quote(value)}\n" for name, value in stack.variables().items())
        )
    return stack


def running(folder: Path | None = None) -> Stack:
    """The stack as it is. Raises NotPossible if none runs."""
    emulator = process.find(folder or default_folder())
    if emulator is None:
        raise NotPossible("No stack is running here. Start it with `make local-up`.")
    return Stack(emulator, Names.of(deployment.outputs(emulator)))


def down(folder: Path | None = None) -> bool:
    """Stop the emulator and the functions' processes. False: none was running."""
    folder = folder or default_folder()
    with process.locked(folder):
        stopped = process.stop(folder)
        folder.with_suffix(".env").unlink(missing_ok=True)
    return stopped


def _world(stack: Stack, clients: int | None, *, again: bool = False) -> bool:
    """Load the world, unless this account has it. False: it has."""
    stamp = stack.emulator.folder / "world.txt"
    world = World(crowd(clients) if clients else twelve())
    said = f"{stack.emulator.pid} {world.fingerprint()}"
    if not again and stamp.exists() and stamp.read_text() == said:
        return False
    world.load(stack.emulator.endpoint, stack.names)
    stamp.write_text(said)
    return True


def _timed[T](what: str, work: Callable[[], T]) -> T:
    began = time.monotonic()
    result = work()
    idle = result is False or time.monotonic() - began < 0.05
    console.print(f"  {what:<12} {'unchanged' if idle else f'{time.monotonic() - began:.1f} s'}")
    return result


@app.command(name="up")
def up_command(
    clients: Annotated[
        int, typer.Option(min=0, max=10_000, help="So many ordinary clients instead of the twelve.")
    ] = 0,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 0,
) -> None:
    """Start the emulated account if it does not run, deploy what has changed, load the world."""
    stack = up(port=port, clients=clients)
    console.print(f"up at {stack.emulator.endpoint}; in a shell: set -a; . {shown(stack.env_file)}")


@app.command(name="down")
def down_command() -> None:
    """Stop the emulated account. Its state is in memory, and gone then; its mail stays until the next one starts."""
    console.print("stopped" if down() else "nothing was running")


@app.command()
def status() -> None:
    """What runs, and where. Exit code 1 if nothing does."""
    stack = running()
    console.print(f"up at {stack.emulator.endpoint}, pid {stack.emulator.pid}, log {shown(stack.emulator.log)}")
    for name, value in stack.variables().items():
        print(f"{name}={value}")


@app.command()
def deploy() -> None:
    """Build and deploy what has changed to the running account."""
    folder = default_folder()
    with process.locked(folder):
        stack = running(folder)
        _timed("sam deploy", lambda: deployment.deploy(stack.emulator, deployment.build()))


@app.command()
def world(
    clients: Annotated[
        int, typer.Option(min=0, max=10_000, help="So many ordinary clients instead of the twelve.")
    ] = 0,
) -> None:
    """Put the clients, their roles and their logos back as they were."""
    folder = default_folder()
    with process.locked(folder):
        stack = running(folder)
        _timed("world", lambda: _world(stack, clients or None, again=True))


@app.command()
def later(seconds: Annotated[float, typer.Argument(min=0, help="How many seconds.")]) -> None:
    """Move the clock of the account's CloudWatch on: alarms that would clear by then do so now."""
    running().emulator.later(seconds)


def shown(path: Path) -> Path:
    """The path from the top of the repository, if it is below it."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def main() -> None:
    """The commands, with what is not possible said in words."""
    try:
        app()
    except NotPossible as refusal:
        console.print(str(refusal), style="red", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
