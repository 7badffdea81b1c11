"""A release is made only where version, tag and changelog say the same."""

from pathlib import Path

import pytest

from local import release

LOG = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-12-01

### Added

- Something.

## [1.1.0] - 2026-11-01

- Something else.
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(LOG)
    monkeypatch.setattr(release, "ROOT", tmp_path)
    return tmp_path


def test_the_notes_of_a_release_are_its_part_of_the_changelog(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release.main(["v1.2.0"]) == 0
    assert capsys.readouterr().out == "### Added\n\n- Something.\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "said"),
    [
        ("v1.3.0", LOG, "the version is 1.2.0"),
        ("v1.1.0", LOG, "the version is 1.2.0"),
        ("v1.2.0", LOG.replace("## [1.2.0] - 2026-12-01", "## [1.2.0]"), "needs a heading"),
        ("v1.2.0", LOG.replace("### Added\n\n- Something.\n", ""), "with text below it"),
        ("v1.2.0", LOG.replace("[Unreleased]\n", "[Unreleased]\n\n- More.\n"), "under [Unreleased]"),
        ("v1.2.0", "", "needs a heading"),
    ],
)
def test_what_differs_is_named_and_nothing_is_released(
    checkout: Path, capsys: pytest.CaptureFixture[str], tag: str, changelog: str, said: str
) -> None:
    (checkout / "CHANGELOG.md").write_text(changelog)
    assert release.main([tag]) == 1
    answer = capsys.readouterr()
    assert (answer.out, said in answer.err) == ("", True)


@pytest.mark.parametrize("arguments", [[], ["1.2.0"], ["v1.2"], ["v1.2.0-rc1"], ["v1.2.0", "v1.2.1"], [""]])
def test_a_tag_that_is_none_is_wrong_input(
    checkout: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert release.main(arguments) == 2
    assert "make release-check TAG=v1.2.3" in capsys.readouterr().err


def test_the_version_stands_in_one_place_and_the_changelog_begins_with_what_is_not_released() -> None:
    root = release.ROOT
    assert next(iter(release.sections_of((root / "CHANGELOG.md").read_text(encoding="utf-8")))) == "Unreleased"
    assert "__version__" not in (root / "src" / "cost_reporting" / "__init__.py").read_text(encoding="utf-8")
