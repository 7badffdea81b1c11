"""Builds the two Lambda layers, and checks them: by `make build`, by `sam build` in a container, and for the emulator.

Only the standard library: in AWS's build image nothing else is installed.
"""
