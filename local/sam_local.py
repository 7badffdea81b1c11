"""`sam local invoke` and `sam local start-lambda` against the emulated account: the files that they need, in out/sam.

`template.yaml` is the built template, with more variables for every function, all empty; `env.json` has their values,
and those of the deployed functions, whose names `sam local` cannot know: for `!Ref ClientsTable` it says ClientsTable.
`--env-vars` sets only variables that the template declares (SAM CLI 1.170, samcli/local/lambdafn/env_vars.py), which is
why the endpoints are declared. The credentials are declared too, so that a function never has those of the shell.

samconfig.toml names both files: while they are missing, the commands stop before a function starts, and do not reach
AWS. SAM looks for samconfig.toml beside the template that --template-file names, so there is one beside this as well.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from layer_build.application import fingerprint
from local import deployment
from local.process import ROOT, Emulator, shown

DEPLOYABLE: Final = ROOT / ".aws-sam" / "build"
"""Where `make build` puts what can be deployed: its PDF layer brings Pango along, that of `make local-up` does not.
Beside it, in build.json, stands what it was made from."""
ENDPOINTS: Final = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_COST_EXPLORER")
"""Where AWS is. Empty they count as absent: botocore takes an endpoint only `if endpoint_url` (botocore.configprovider,
ConfiguredEndpointProvider)."""
ACCESS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
"""Whose calls they are, and in which region. Lambda refuses a function with such variables, so a deployment of the copy
fails (Lambda Developer Guide, "Using Lambda environment variables", reserved variables)."""
DECLARED: Final = (*ENDPOINTS, *ACCESS)
DOCKER_DESKTOP: Final = "host.docker.internal"
"""The machine, as containers of Docker Desktop know it (Docker documentation, "Networking on Docker Desktop")."""
_PATHS: Final = ("CodeUri", "ContentUri", "DefinitionUri")
_COMPILED: Final = {"x86_64-linux-gnu": "x86_64", "aarch64-linux-gnu": "arm64"}
"""How compiled modules of the layer are named, by Lambda's word for the architecture."""


@dataclass(frozen=True)
class SamLocal:
    """What was written, and how it is used. ``architecture``: of the build; None: it is not for Linux."""

    folder: Path
    endpoint: str
    listen: str
    architecture: str | None
    brings_pango: bool

    @property
    def template(self) -> Path:
        """A copy of the built template."""
        return self.folder / "template.yaml"

    @property
    def variables(self) -> Path:
        """The functions' variables, as --env-vars takes them."""
        return self.folder / "env.json"

    def said(self) -> Iterator[str]:
        """What `make local-up` says about it: the commands, and what they still lack."""
        folder = shown(self.folder)
        sam = ".tools/sam/bin/sam local invoke"
        named = ""
        if self.folder != folder_of(ROOT / "out" / "local"):
            named = f" --template-file {shown(self.template)} --env-vars {shown(self.variables)}"
        yield f"sam local: {shown(self.template)} and {shown(self.variables)}; functions call {self.endpoint}"
        yield f"    {sam} FetchCostsFunction{named} -e events/fetch_costs.json | tail -1 > {folder}/fetched.json"
        yield f"    {sam} RenderPdfFunction{named} -e {folder}/fetched.json"
        if not self.listen:
            yield (
                "    Docker Desktop reaches the emulator as it is. On Linux give it the address of the containers' "
                "bridge: make local-down; make local-up LISTEN=10.88.0.1 (podman) or LISTEN=172.17.0.1 (Docker)"
            )
        if self.architecture is None:
            yield f"    {shown(deployment.BUILD)} is for this system and not for Linux: run `make build` first"
        elif not self.brings_pango:
            yield (
                "    RenderPdfFunction needs an image with Pango (README: sam local invoke), "
                "or `make build` and then `make local-up` again"
            )


def folder_of(stack: Path) -> Path:
    """Where the files are of the stack in the folder ``stack``: out/sam for out/local."""
    return stack.with_name("sam" if stack.name == "local" else f"{stack.name}-sam")


def write(emulator: Emulator) -> SamLocal:
    """Write the files for the stack that runs in ``emulator``."""
    folder, built = folder_of(emulator.folder), newest_build()
    folder.mkdir(parents=True, exist_ok=True)
    found = SamLocal(
        folder=folder,
        endpoint=f"http://{emulator.listen or DOCKER_DESKTOP}:{emulator.port}",
        listen=emulator.listen,
        architecture=architecture_of(built),
        brings_pango=any((built / "PdfLayer" / "lib").glob("libpango-1.0.so*")),
    )
    found.template.write_text(copied(built / "template.yaml", folder, found.architecture))
    found.variables.write_text(json.dumps(variables(emulator, found.endpoint), indent=1))
    (folder / "samconfig.toml").write_text(beside(found))
    return found


def remove(stack: Path) -> None:
    """Remove the files of the stack in the folder ``stack``: the commands stop then, and start no function."""
    for name in ("env.json", "template.yaml", "samconfig.toml"):
        (folder_of(stack) / name).unlink(missing_ok=True)


def newest_build() -> Path:
    """What `make build` has built, if its inputs are still the same; else what `make local-up` has built."""
    stamp = DEPLOYABLE.with_suffix(".json")
    try:
        made_from = json.loads(json.loads(stamp.read_text())["made_from"])["inputs"]
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return deployment.BUILD
    return DEPLOYABLE if made_from == fingerprint() else deployment.BUILD


def architecture_of(built: Path) -> str | None:
    """What the compiled modules of a build are for, in Lambda's words; None, if it is no Linux."""
    (module, *_) = (*(built / "CommonLayer" / "python" / "pydantic_core").glob("_pydantic_core.*.so"), Path())
    return next((known for name, known in _COMPILED.items() if name in module.name), None)


def copied(template: Path, folder: Path, architecture: str | None) -> str:
    """The built template as text for ``folder``: the paths lead on to what was built, and every function has DECLARED.

    Changed as a tree of nodes, so that CloudFormation's own tags stay as they are.
    """
    tree: Any = yaml.compose(template.read_text())
    function = _at(_at(tree, "Globals"), "Function")
    declared = _at(_at(function, "Environment"), "Variables")
    there = {key.value for key, _ in declared.value}
    declared.value += [(_text(name), _text("")) for name in DECLARED if name not in there]
    for _, resource in _at(tree, "Resources").value:
        for name, node in _at(resource, "Properties").value:
            if name.value in _PATHS and not re.match(r"[a-z0-9]+://", node.value):
                node.value = os.path.relpath(template.parent / node.value, folder)
    if architecture is not None:
        _at(_at(_at(tree, "Parameters"), "Architecture"), "Default").value = architecture
    return f"# Written by `make local-up` for `sam local`, and for nothing else.\n{yaml.serialize(tree)}"


def variables(emulator: Emulator, endpoint: str) -> dict[str, dict[str, str]]:
    """The variables of each deployed function, by its name in the template, and the way to the emulator."""
    session = deployment.session()
    formation = session.client("cloudformation", endpoint_url=emulator.endpoint)
    functions = session.client("lambda", endpoint_url=emulator.endpoint)
    way = {
        **dict.fromkeys(ENDPOINTS, endpoint),
        **deployment.credentials(),
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": deployment.REGION,
        "AWS_DEFAULT_REGION": deployment.REGION,
    }
    return {
        logical_id: _configured(functions.get_function_configuration(FunctionName=name)) | way
        for logical_id, name in sorted(deployed_functions(formation))
    }


def deployed_functions(formation: Any) -> Iterator[tuple[str, str]]:
    """The name in the template and the name in the account of each function of the product."""
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=deployment.STACK):
        for each in page["StackResourceSummaries"]:
            if each["ResourceType"] == "AWS::Lambda::Function":
                yield each["LogicalResourceId"], each["PhysicalResourceId"]


def beside(found: SamLocal) -> str:
    """A samconfig.toml for commands that name the template themselves: they get the environment file as well."""
    name = json.dumps(str(found.variables))
    sections = ("local_invoke", "local_start_lambda")
    return "version = 0.1\n" + "".join(f"\n[default.{each}.parameters]\nenv_vars = {name}\n" for each in sections)


def _configured(function: Any) -> dict[str, str]:
    return dict(function.get("Environment", {}).get("Variables", {}))


def _at(node: Any, name: str) -> Any:
    return next(value for key, value in node.value if key.value == name)


def _text(value: str) -> Any:
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style="'" if not value else None)
