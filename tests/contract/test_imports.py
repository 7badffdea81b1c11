"""What may import what, and how much a cold start imports: what import-linter cannot say."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.contract.documents import FUNCTIONS, ROOT, SOURCE

MODULE_BUDGET = 560
"""Modules that the import of a handler may load: 491 at most when it was set, of which 160 are boto3's."""
FILES = sorted(SOURCE.rglob("*.py"))
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def dotted(node: ast.AST) -> str:
    """``os.environ`` of the expression that says so."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def mentions(path: Path) -> set[str]:
    return {dotted(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute | ast.Name)}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(package: str) -> set[str]:
    return {
        path.relative_to(SOURCE).as_posix()
        for path in FILES
        if any(name == package or name.startswith(f"{package}.") for name in imports(path))
    }


@pytest.mark.parametrize(
    ("package", "importer"),
    [
        ("boto3", "aws.py"),
        ("botocore", "aws.py"),
        ("aws_lambda_powertools", "step.py"),
        ("weasyprint", "report/pdf.py"),
        ("os", "settings.py"),
        ("email", "delivery/message.py"),
    ],
)
def test_a_third_party_has_one_importer(package: str, importer: str) -> None:
    assert importers(package) == {importer}


@pytest.mark.parametrize("package", ["jinja2", "babel", "report_fonts", "xlsxwriter"])
def test_only_the_report_knows_how_it_is_made(package: str) -> None:
    assert all(path.startswith("report/") for path in importers(package))


def test_the_environment_is_read_in_one_place() -> None:
    readers = {path.name for path in FILES if mentions(path) & {"os.environ", "os.getenv", "environ", "getenv"}}
    assert readers <= {"settings.py"}


def test_the_clock_is_read_in_one_place() -> None:
    assert {path.name for path in FILES if mentions(path) & CLOCKS} == {"wiring.py"}


def test_nothing_prints_and_whoever_waits_is_given_the_pause() -> None:
    called = {
        path.name
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func) in {"print", "time.sleep", "sleep"}
    }
    assert called == {"wiring.py"}
    assert importers("time") == {"wiring.py"}


def test_a_handler_is_a_sentence() -> None:
    for function in FUNCTIONS:
        body = tree(ROOT / "functions" / function / "app.py").body
        defined = [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        assert [node.name for node in defined] == ["handler"]
        assert [dotted(decorator) for decorator in defined[0].decorator_list] == ["step"]
        docstring, only = defined[0].body
        assert isinstance(docstring, ast.Expr)
        assert isinstance(only, ast.Return)


@cache
def loaded(function: str) -> frozenset[str]:
    """What a fresh interpreter has loaded once the handler is imported as Lambda does it, without any environment."""
    script = "import sys; before = set(sys.modules); import app; print(*sorted(set(sys.modules) - before))"
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    path = os.pathsep.join(str(each) for each in (ROOT / "functions" / function, ROOT / "src"))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment | {"PYTHONPATH": path},
        cwd=ROOT / "functions" / function,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return frozenset(done.stdout.split())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_is_imported_without_an_environment_or_what_only_a_pdf_needs(function: str) -> None:
    heavy = {"weasyprint", "jinja2", "babel", "report_fonts", "cffi", "PIL", "fontTools", "xlsxwriter"}
    heavy |= {"moto", "mypy_boto3_ce"}
    assert not heavy & {name.partition(".")[0] for name in loaded(function)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_imports_no_more_modules_than_its_budget(function: str) -> None:
    assert len(loaded(function)) <= MODULE_BUDGET
