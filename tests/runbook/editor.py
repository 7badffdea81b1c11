"""What a person types into the files of the runbook, in place of a person."""

import json
import sys
from pathlib import Path
from typing import Any, Final

EDITS: Final[dict[str, dict[str, Any]]] = {
    "new-client.json": {
        "client_id": "acme",
        "client_name": "Acme Corporation",
        "recipients": ["finance@acme.example"],
        "reply_to": "anna@consultancy.example",
    },
    "current-config.json": {"page_size": "Letter"},
}


def main() -> None:
    """Edit each file that is named."""
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(json.dumps(json.loads(path.read_text()) | EDITS[path.name], indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
