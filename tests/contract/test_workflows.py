"""What GitHub runs: the same targets as a person, with actions that cannot change and rights that are few."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.documents import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(path.name for path in FOLDER.glob("*.y*ml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
DEPENDABOT = ROOT / ".github" / "dependabot.yml"


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def parsed(name: str) -> dict[str, Any]:
    """A workflow; YAML 1.1 reads its key ``on`` as a truth value."""
    document = yaml.safe_load(text_of(name))
    return {"on" if key is True else key: value for key, value in document.items()}


def jobs(name: str) -> dict[str, Any]:
    return dict(parsed(name)["jobs"])


def commands(name: str) -> list[str]:
    """Each command of a workflow, once for each value of the matrix."""
    found = []
    for job in jobs(name).values():
        values = job.get("strategy", {}).get("matrix", {}).get("target", [""])
        runs = [step["run"] for step in job["steps"] if "run" in step]
        found += [run.replace("${{ matrix.target }}", value) for run in runs for value in values]
    return found


def test_there_are_workflows() -> None:
    assert WORKFLOWS == ["checks.yml", "release.yml", "vulnerabilities.yml"]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_calls_targets_that_the_makefile_has(name: str) -> None:
    called = {target for command in commands(name) for target in re.findall(r"\bmake ([a-z-]+)", command)}
    assert called
    assert called <= TARGETS
    assert set(re.findall(r"python3 -I (\S+)", text_of(name))) <= {"local/release.py"}


def test_every_target_that_a_change_must_pass_is_called() -> None:
    called = {word for name in WORKFLOWS for command in commands(name) for word in command.split()}
    assert {"check", "test", "faults", "runbook", "demo", "build", "containers", "audit"} <= called
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert set(re.findall(r"^make (\w+)", script, re.MULTILINE)) <= called


def test_both_architectures_are_built() -> None:
    job = jobs("checks.yml")["build"]
    assert {each["architecture"] for each in job["strategy"]["matrix"]["include"]} == {"x86_64", "arm64"}
    assert job["env"] == {"ARCHITECTURE": "${{ matrix.architecture }}"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_an_action_is_pinned_by_its_commit_with_its_version_beside_it(name: str) -> None:
    used = re.findall(r"uses: (.+)", text_of(name))
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_and_only_the_job_that_makes_a_release_may_write(name: str) -> None:
    assert parsed(name)["permissions"] == {"contents": "read"}
    writing = {job: each["permissions"] for job, each in jobs(name).items() if "permissions" in each}
    assert writing == ({"publish": {"contents": "write"}} if name == "release.yml" else {})


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_job_ends_keeps_no_token_and_runs_no_text_of_others(name: str) -> None:
    for job in jobs(name).values():
        assert job["timeout-minutes"] <= 120
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            assert set(re.findall(r"\$\{\{ (.+?) \}\}", step.get("run", ""))) <= {"matrix.target"}
    assert "pull_request_target" not in parsed(name)["on"]


@pytest.mark.parametrize("path", [*(FOLDER / name for name in WORKFLOWS), DEPENDABOT], ids=lambda path: path.name)
def test_no_host_stands_in_what_github_reads(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "registries" not in text


def test_dependency_updates_cover_every_folder_with_a_lock_and_the_actions() -> None:
    found = yaml.safe_load(DEPENDABOT.read_text(encoding="utf-8"))["updates"]
    updates = {each["package-ecosystem"]: each.get("directories", [each.get("directory")]) for each in found}
    assert updates.keys() == {"pip", "npm", "github-actions"}
    tracked = [path for top in ("requirements", "src", "layers", "local", "tests") for path in (ROOT / top).rglob("*")]
    locks = {
        "pip": [path for path in tracked if path.name == "requirements.txt" or path.parent == ROOT / "requirements"],
        "npm": [path for path in tracked if path.name == "package-lock.json" and "node_modules" not in path.parts],
    }
    for kind, paths in locks.items():
        folders = {f"/{path.parent.relative_to(ROOT).as_posix()}" for path in paths if path.is_file()}
        assert folders <= set(updates[kind])


def test_what_needs_docker_is_tried_where_docker_is() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ncontainers:")[2].partition("\n\n")[0]
    assert "--use-container" in recipe or "CONTAINER=yes" in recipe
    for path in ("local/stepfunctions-local/run.py", "tests/contract/test_sam_local.py"):
        assert path in recipe or not (ROOT / path).exists(), path
