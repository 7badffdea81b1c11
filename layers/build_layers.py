"""Builds the Lambda layers: see layer_build/command.py."""

import sys

from layer_build.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
