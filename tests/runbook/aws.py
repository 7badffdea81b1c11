"""`aws` as the runbook's blocks find it: the real AWS CLI, told to ask the local stack.

What no emulator answers goes to a listener that answers nothing: the CLI has then checked the command's arguments
against botocore's model and sent it, which is all that can be shown here. Each call is noted in CALLS.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.runbook.unanswered import UNANSWERED


def main() -> int:
    """Run the command, and note how it was tried."""
    arguments = sys.argv[1:]
    words = [word for word in arguments if not word.startswith("-")][:2]
    operation = " ".join(words)
    by_model = operation in UNANSWERED
    command = [os.environ["REAL_AWS"], *arguments]
    if words[:1] == ["sqs"]:  # the CLI's SQS asks AWS whatever AWS_ENDPOINT_URL says
        command += ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"]]
    if by_model:
        done = subprocess.run(
            [*command, "--endpoint-url", os.environ["NOBODY"]], capture_output=True, text=True, check=False
        )
        sent = "NobodyAnswers" in done.stderr
        code, errors = (0, "") if sent else (done.returncode or 1, done.stderr)
        sys.stderr.write(errors)
    else:
        code = subprocess.run(command, check=False).returncode
    with Path(os.environ["CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"operation": operation, "by_model": by_model, "code": code}) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
