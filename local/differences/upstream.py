"""The emulator's own modules, which have no types and are not installed where this repository is checked."""

import importlib
from typing import Any


def upstream(module: str) -> Any:
    """``upstream("services.sts")`` is ``ministack.services.sts``.

    What MiniStack reads from the environment must stand there before the first call.
    """
    return importlib.import_module(f"ministack.{module}")
