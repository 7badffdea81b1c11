"""`make build` and `make deploy` build for one architecture, deploy what was checked, and stop where the two differ."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from layer_build import application, building, content, gate
from layer_build.command import main
from layer_build.faults import NotBuilt, NotSound, WrongInput
from tests.unit.layers.libraries import a_library

ROOT = Path(__file__).parents[3]
LINE = re.compile(r"layer (common|pdf) (x86_64|arm64) \d+ sha256:[0-9a-f]{64}")


def a_build(folder: Path, machine: str = "x86_64", *, pango: bool = True) -> Path:
    """The layers of a build, with libraries made up."""
    for layer in ("CommonLayer", "PdfLayer"):
        (folder / layer / "python").mkdir(parents=True)
        (folder / layer / "python" / "module.so").write_bytes(a_library(machine))
    (folder / "PdfLayer" / "lib").mkdir()
    for name in gate.PANGO if pango else ():
        (folder / "PdfLayer" / "lib" / name).write_bytes(a_library(machine, versions={"libc.so.6": ("GLIBC_2.34",)}))
    return folder


def test_a_build_is_told_by_a_line_for_each_layer_and_one_for_the_libraries(tmp_path: Path) -> None:
    common, pdf, libraries = application.examined(a_build(tmp_path), "x86_64")
    assert LINE.fullmatch(common)
    assert LINE.fullmatch(pdf)
    assert libraries == "elf 8 checked, highest GLIBC_2.34"


def test_a_layer_made_for_this_machine_is_refused_since_it_has_no_pango(tmp_path: Path) -> None:
    with pytest.raises(NotSound, match=r"layer pdf does not fit Lambda[\s\S]*libpango-1\.0\.so\.0[\s\S]*`make build`"):
        application.examined(a_build(tmp_path, pango=False), "x86_64")


def test_layers_of_the_other_architecture_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotSound, match=r"module\.so: it is for arm64, not for x86_64"):
        application.examined(a_build(tmp_path, "arm64"), "x86_64")


@pytest.mark.parametrize("folder", ["build", "cache", "anything"])
def test_pango_of_the_host_is_built_into_the_emulator_s_folder_only(tmp_path: Path, folder: str) -> None:
    with pytest.raises(WrongInput, match=r"PANGO=host.*`make build`"):
        building.build("pdf", tmp_path / ".aws-sam" / folder / "PdfLayer", tmp_path, {"PANGO": "host"})
    assert not (tmp_path / ".aws-sam").exists()


def test_a_layer_is_not_built_for_an_architecture_that_was_not_said(tmp_path: Path) -> None:
    """SAM does not hand its own parameter on: `--parameter-overrides Architecture=arm64` would make x86_64."""
    for environment in ({}, {"ARCHITECTURE": ""}):
        with pytest.raises(WrongInput, match="`make build ARCHITECTURE=arm64`"):
            building.architecture_of("debian", environment)
    with pytest.raises(WrongInput, match="expected x86_64 or arm64, not aarch64"):
        building.architecture_of("debian", {"ARCHITECTURE": "aarch64"})
    with pytest.raises(WrongInput, match="PANGO: expected debian, amazon or host"):
        building.pango({"PANGO": "system"})


@pytest.mark.parametrize(
    "said",
    [
        'Sender=a@example.org Architecture=arm64 Consultancy="A B"',
        ["Sender=a@example.org", "Architecture=arm64"],
        "ParameterKey=Sender,ParameterValue=a@example.org ParameterKey=Architecture,ParameterValue=arm64",
        {"Sender": "a@example.org", "Architecture": "arm64"},
        [{"ParameterKey": "Architecture", "ParameterValue": "arm64"}],
    ],
)
def test_a_build_for_another_architecture_than_samconfig_says_is_not_deployed(said: Any) -> None:
    with pytest.raises(WrongInput, match=r"samconfig\.toml says Architecture=arm64.*`make deploy ARCHITECTURE=arm64`"):
        application.agree("x86_64", {"parameter_overrides": said}, None)
    application.agree("arm64", {"parameter_overrides": said}, "x86_64")


def test_a_build_for_another_architecture_than_the_stack_has_is_not_deployed() -> None:
    with pytest.raises(WrongInput, match=r"the stack is deployed for arm64.*`make deploy ARCHITECTURE=arm64`"):
        application.agree("x86_64", {}, "arm64")
    application.agree("x86_64", {}, "x86_64")
    application.agree("x86_64", {}, None)


def test_the_answers_of_guided_are_found_in_samconfig(tmp_path: Path) -> None:
    configuration = tmp_path / "samconfig.toml"
    assert application.answers_of(configuration) == {}
    configuration.write_text('[default.global.parameters]\nstack_name = "s"\nregion = "eu-central-1"\n')
    assert application.answers_of(configuration) == {"stack_name": "s", "region": "eu-central-1"}
    configuration.write_text("[default")
    with pytest.raises(WrongInput, match=r"samconfig\.toml"):
        application.answers_of(configuration)


def test_the_repository_s_own_samconfig_has_not_been_answered_yet() -> None:
    assert "region" not in application.answers_of(ROOT / "samconfig.toml")


def test_the_built_template_takes_its_own_architecture_only(tmp_path: Path) -> None:
    """So that CloudFormation refuses another one, however `sam deploy` was called."""
    template = tmp_path / "template.yaml"
    text = (
        "Parameters:\n  Prefix:\n    Default: x86_64\n  Architecture:\n    Description: Of\n      two lines\n"
        "    Type: String\n    Default: x86_64\n    AllowedValues:\n    - x86_64\n    - arm64\nResources: {}\n"
    )
    template.write_text(text)
    application._only_for("arm64", template)
    assert template.read_text() == text.replace(
        "    Default: x86_64\n    AllowedValues:\n    - x86_64\n    - arm64\n",
        "    Default: arm64\n    AllowedValues:\n    - arm64\n",
    )
    template.write_text("Parameters: {}\n")
    with pytest.raises(NotSound, match="Architecture"):
        application._only_for("arm64", template)


@pytest.mark.parametrize(
    "arguments", [["build", "arm", "debian"], ["build", "x86_64", "docker"], ["deploy", "", "debian"], ["bake"], []]
)
def test_wrong_input_is_exit_code_2_and_builds_nothing(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(application, "sam", lambda *_, **__: pytest.fail("nothing is built"))
    assert main(arguments) == 2
    assert capsys.readouterr().err


def test_the_hash_of_a_layer_is_over_paths_modes_and_bytes_and_not_over_times(tmp_path: Path) -> None:
    a_build(tmp_path / "one")
    a_build(tmp_path / "two")
    for folder in (tmp_path / "one", tmp_path / "two"):
        content.settle(folder)
    first, second = (content.content(tmp_path / name) for name in ("one", "two"))
    assert first == second
    module = tmp_path / "two" / "CommonLayer" / "python" / "module.so"
    assert stat.S_IMODE(module.stat().st_mode) == 0o644
    os.utime(module)
    assert content.content(tmp_path / "two") == first
    module.chmod(0o755)
    assert content.content(tmp_path / "two") != first
    module.chmod(0o644)
    module.rename(module.with_name("other.so"))
    assert content.content(tmp_path / "two") != first


def test_sam_s_own_build_without_make_is_told_of_make_build(tmp_path: Path) -> None:
    """The layers' Makefile as SAM runs it, in a copy of the sources, from a folder whose name has a space."""
    copied = tmp_path / "with a space"
    copied.mkdir()
    subprocess.run(["cp", "-R", str(ROOT / "layers"), str(copied / "layers")], check=True)
    environment = {name: value for name, value in os.environ.items() if name not in {"ARCHITECTURE", "PANGO"}}
    python = (ROOT / ".tools" / "python").resolve().parent
    done = subprocess.run(
        ["make", "--makefile", str(copied / "layers" / "Makefile"), "build-PdfLayer"],
        cwd=ROOT / "layers" / "pdf",
        env={**environment, "PATH": f"{python}:{os.environ['PATH']}", "ARTIFACTS_DIR": str(tmp_path / "PdfLayer")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "`make build`" in done.stderr
    assert not (tmp_path / "PdfLayer").exists()


@pytest.fixture
def sam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`sam` and `aws` that write down how they were called; aws knows the stack that `stack.json` holds."""
    for name in ("sam", "aws"):
        (tmp_path / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called\n'
            f"[ {name} = sam ] || cat {tmp_path}/stack.json 2>/dev/null || {{ echo does not exist >&2; exit 254; }}\n"
        )
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(application, "SAM", tmp_path / "sam")
    monkeypatch.setattr(application, "build", lambda *_: ["layer"])
    (tmp_path / "called").write_text("")
    return tmp_path


def called(folder: Path) -> list[str]:
    return (folder / "called").read_text().splitlines()


def test_the_first_deployment_asks_and_the_next_ones_do_not(sam: Path) -> None:
    configuration = sam / "samconfig.toml"
    configuration.write_text('[default.deploy.parameters]\ncapabilities = "CAPABILITY_IAM"\n')
    application.deploy("x86_64", "debian", configuration)
    assert called(sam) == ["sam deploy --guided"]
    configuration.write_text('[default.global.parameters]\nstack_name = "reports"\nregion = "eu-central-1"\n')
    application.deploy("x86_64", "debian", configuration)
    assert called(sam)[1:] == [
        "aws cloudformation describe-stacks --output json --stack-name reports --region eu-central-1",
        "sam deploy",
    ]


@pytest.mark.parametrize(
    "said", ['region = "eu-central-1"', 'region = "e"\nparameter_overrides = "Architecture=arm64"']
)
def test_a_mismatch_stops_before_anything_is_built_or_deployed(
    sam: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setattr(application, "build", lambda *_: pytest.fail("built"))
    (sam / "samconfig.toml").write_text(f"[default.deploy.parameters]\n{said}\n")
    (sam / "stack.json").write_text(
        '{"Stacks": [{"Parameters": [{"ParameterKey": "Architecture", "ParameterValue": "arm64"}]}]}'
    )
    with pytest.raises(WrongInput, match="`make deploy ARCHITECTURE=arm64`"):
        application.deploy("x86_64", "debian", sam / "samconfig.toml")
    assert "sam deploy" not in called(sam)


def test_a_deployment_that_fails_is_a_failure_of_make(sam: Path) -> None:
    (sam / "sam").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(NotBuilt, match="sam deploy"):
        application.deploy("x86_64", "debian", sam / "samconfig.toml")


def test_a_build_is_done_again_if_an_input_or_the_folder_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, inputs, times = tmp_path / "build", ["first"], []

    def sam(*_: str, **__: str) -> None:
        times.append(inputs[-1])
        if not folder.exists():
            a_build(folder)
        (folder / "template.yaml").write_text("built")

    monkeypatch.setattr(application, "BUILD", folder)
    monkeypatch.setattr(application, "fingerprint", lambda: inputs[-1])
    monkeypatch.setattr(application, "sam", sam)
    monkeypatch.setattr(application, "_only_for", lambda *_: None)
    monkeypatch.setattr(building, "native", lambda *_: None)
    for _ in range(2):
        application.build("x86_64")
    assert times == ["first"]
    inputs.append("second")
    application.build("x86_64")
    (folder / "PdfLayer" / "python" / "module.so").write_bytes(a_library(needed=()))
    application.build("x86_64")
    (folder / "template.yaml").write_text("changed by hand")
    application.build("x86_64")
    assert times == ["first", "second", "second", "second"]
