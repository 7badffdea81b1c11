"""The PDF layer holds free fonts that draw what names are written in, and is built for the system on which it runs."""

import os
import subprocess
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

import report_fonts

LAYER = Path(__file__).parents[3] / "layers" / "pdf"
TEMPLATES = Path(__file__).parents[3] / "src" / "cost_reporting" / "report" / "templates"
ON_LAMBDA_S_SYSTEM = (
    'VERSION_ID="2023"' in Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else False
)


def drawn(family: str) -> set[int]:
    return {
        char for file in report_fonts.files() if file.name.startswith(family) for char in TTFont(file).getBestCmap()
    }


def test_every_family_has_its_licence_beside_it() -> None:
    families = {file.stem.partition("-")[0] for file in report_fonts.files()}
    for family in families:
        licence = (report_fonts.FOLDER / f"LICENSE-{family}.txt").read_text(encoding="utf-8")
        assert "SIL Open Font License" in licence, family


def test_the_fonts_take_less_than_twelve_megabytes() -> None:
    assert sum(file.stat().st_size for file in report_fonts.files()) < 12_000_000


@pytest.mark.parametrize("codec", ["shift_jis", "cp932", "euc_jisx0213"])
def test_every_japanese_character_of_the_standards_is_drawn(codec: str) -> None:
    text = "".join(
        bytes([first, second]).decode(codec, errors="ignore")
        for first in range(0x81, 0xFD)
        for second in range(0x40, 0xFD)
    )
    wanted = {ord(char) for char in text if char.isalnum() and ord(char) > 0x3000 and not 0xE000 <= ord(char) < 0xF900}
    assert len(wanted) > 6000
    assert not wanted - drawn("NotoSansJP")


@pytest.mark.parametrize(
    "text", ["Ωμέγα", "Привет", "Łódź Ångström Đặng", "한국데이터", "数据科技有限公司", "مرحبا", "ไทย", "हिन्दी", "🐙"]
)
def test_names_of_many_scripts_are_drawn(text: str) -> None:
    assert not {ord(char) for char in text if char != " "} - drawn("")


@pytest.mark.skipif(ON_LAMBDA_S_SYSTEM, reason="this is where it may be built")
def test_the_layer_is_not_built_for_another_system_unasked(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PANGO"}
    done = subprocess.run(
        ["bash", "build.sh", str(tmp_path / "artifacts")],
        cwd=LAYER,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Amazon Linux 2023" in done.stderr
    assert not (tmp_path / "artifacts").exists()


def test_digits_are_equally_wide_without_asking_for_it_since_a_text_with_font_features_is_never_freed() -> None:
    """WeasyPrint 70 leaks the attributes of every such text: 1.4 MiB for a report of the largest client."""
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    assert "font-variant" not in style
    assert "font-feature" not in style
    for file in report_fonts.files():
        font = TTFont(file)
        glyphs = [font.getBestCmap().get(ord(digit)) for digit in "0123456789"]
        assert len({font["hmtx"][glyph][0] for glyph in glyphs if glyph}) <= 1, file.name
