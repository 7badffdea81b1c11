"""What MiniStack does otherwise than AWS, each put right in one place.

One module per difference. Its docstring says which behaviour of AWS it restores; its ``restore`` patches the emulator
that runs in this process, and ``tests/contract/test_emulator.py`` says so when upstream no longer needs it. Everything
here runs in the emulator's own environment: standard library, ministack and botocore, nothing of the product.

Not restored, because nothing here depends on it: the files of a ResultWriter, MaxDelaySeconds and jitter of a Retry,
the refusal of a dangling ``Next``, the size limit of payloads, SES's sending rates.
Some are marked as missing in the same test.
"""
