"""Cut the Noto families down to what client names need. Run once, by hand, when a family is replaced; needs fontTools.

    python layers/pdf/subset_fonts.py FOLDER_WITH_THE_ORIGINAL_TTF_FILES

Source Sans 3 is bundled as it came, since its licence reserves its name for unchanged files; it also holds Greek and
Cyrillic. Of the Noto families:

    Japanese   JIS X 0208 and 0213 with the extensions of Windows-31J, regular and bold
    Chinese    GB 2312, without what the Japanese files have already (they are one design)
    Korean     KS X 1001
    Arabic, Thai, Devanagari, and Emoji in one colour: whole
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).parent / "report_fonts"
WHOLE = ("NotoSansArabic", "NotoSansThai", "NotoSansDevanagari", "NotoEmoji")
JAPANESE_EXTRAS = "20-7E,A0-FF,3000-30FF,31F0-31FF,FF00-FFEF"


def characters(*codecs: str) -> Iterator[int]:
    """Every character beyond ASCII that one of the double-byte ``codecs`` can write, in both of its planes."""
    for codec in codecs:
        for prefix in (b"", b"\x8f"):
            for first in range(0x81, 0xFF):
                for second in range(0x40, 0xFF):
                    try:
                        text = (prefix + bytes([first, second])).decode(codec)
                    except UnicodeDecodeError:
                        continue
                    if len(text) == 1:
                        yield ord(text)


def subset(source: Path, target: str, unicodes: str) -> None:
    """Write the part of ``source`` that draws ``unicodes``, without hints and without vertical writing."""
    command = [
        sys.executable,
        "-m",
        "fontTools.subset",
        str(source),
        f"--output-file={TARGET / target}",
        f"--unicodes={unicodes}",
    ]
    command += [
        "--no-hinting",
        "--notdef-outline",
        "--layout-features=ccmp,liga",
        "--drop-tables+=DSIG,vhea,vmtx,VORG,BASE",
    ]
    subprocess.run(command, check=True)


def main(originals: Path) -> None:
    """Cut every family."""

    def hexadecimal(chars: set[int]) -> str:
        return ",".join(f"{char:X}" for char in sorted(chars))

    common = set(characters("cp932"))
    japanese = common | set(characters("euc_jisx0213"))
    chinese = {char for char in characters("gb2312") if 0x4E00 <= char <= 0x9FFF} - japanese
    korean = {char for char in characters("euc_kr") if 0xAC00 <= char <= 0xD7A3}
    subset(
        originals / "NotoSansJP_400Regular.ttf", "NotoSansJP-Regular.ttf", f"{hexadecimal(japanese)},{JAPANESE_EXTRAS}"
    )
    subset(originals / "NotoSansJP_700Bold.ttf", "NotoSansJP-Bold.ttf", f"{hexadecimal(common)},{JAPANESE_EXTRAS}")
    subset(originals / "NotoSansSC_400Regular.ttf", "NotoSansSC-Regular.ttf", hexadecimal(chinese))
    subset(originals / "NotoSansKR_400Regular.ttf", "NotoSansKR-Regular.ttf", hexadecimal(korean))
    for family in WHOLE:
        shutil.copyfile(originals / f"{family}_400Regular.ttf", TARGET / f"{family}-Regular.ttf")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
