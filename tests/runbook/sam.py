"""`sam` as the runbook's blocks find it: the real SAM CLI, with what the local stack was built and deployed with."""

import os
import sys
from typing import Final

from local.deployment import ARTIFACTS, BUILD, ROOT, SAM

LOCAL: Final = ["--config-env", "local", "--config-file", str(ROOT / "samconfig.toml")]
MORE: Final = {
    "deploy": [*LOCAL, "--template-file", str(BUILD / "template.yaml"), "--no-resolve-s3", "--s3-bucket", ARTIFACTS],
    "delete": LOCAL,
}
"""What an operator's own samconfig.toml and `.aws-sam/build` say instead."""


def main() -> None:
    """Become the command."""
    command, *arguments = sys.argv[1:]
    settings = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.2"}
    os.execve(SAM, [str(SAM), command, *MORE.get(command, []), *arguments], os.environ | settings)


if __name__ == "__main__":
    main()
