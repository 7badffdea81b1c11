"""Pages of an answer. A token is an offset, bound to the request that it was issued for, and sealed."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence

from botocore.model import StructureShape

from local.cost_explorer.call import Call
from local.cost_explorer.wire import Json, Refusal


def page[T](call: Call, items: Sequence[T], usual: int | None = None) -> tuple[Sequence[T], Json]:
    """The items that the request's token points at, and the members of the answer that lead to the next page.

    A page holds MaxResults items; without them ``usual``, or as many as the service gives at most.
    """
    assert isinstance(call.model.input_shape, StructureShape)
    field = "NextToken" if "NextToken" in call.model.input_shape.members else "NextPageToken"
    same = {name: value for name, value in call.request.items() if name != field}
    asked = json.dumps([call.ledger.account.id, call.model.name, same], sort_keys=True)
    bound_to = hashlib.sha256(asked.encode()).hexdigest()[:32]
    begin = 0
    if call.request.get(field):
        begin, issued_for = _read(call.request[field])
        if issued_for != bound_to:
            raise _changed(call)
    if call.ledger.account.repeats_token:
        return items[: call.page_size], {field: _write(0, bound_to)}
    end = begin + (call.request.get("MaxResults", usual) or call.page_size)
    return items[begin:end], {field: _write(end, bound_to)} if end < len(items) else {}


def _write(offset: int, bound_to: str) -> str:
    text = f"{offset}:{bound_to}"
    return base64.urlsafe_b64encode(f"{text}:{_seal(text)}".encode()).decode()


def _read(token: str) -> tuple[int, str]:
    try:
        text, _, seal = base64.urlsafe_b64decode(token).decode().rpartition(":")
    except (binascii.Error, ValueError):
        raise _unknown() from None
    if not text or seal != _seal(text):
        raise _unknown()
    offset, _, bound_to = text.partition(":")
    return int(offset), bound_to


def _seal(text: str) -> str:
    return hashlib.sha256(f"page|{text}".encode()).hexdigest()[:16]


def _unknown() -> Refusal:
    return Refusal(
        "InvalidNextTokenException", "The pagination token is invalid. Try again without a pagination token."
    )


def _changed(call: Call) -> Refusal:
    if all(shape.name != "RequestChangedException" for shape in call.model.error_shapes):
        return _unknown()
    return Refusal(
        "RequestChangedException",
        "Your request parameters changed between pages. "
        "Try again with the old parameters or without a pagination token.",
    )
