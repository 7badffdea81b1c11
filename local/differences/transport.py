"""TLS: the loopback interface stands for it.

AWS's endpoints speak HTTPS, and bucket policies deny everything else (``aws:SecureTransport``). The emulator speaks
HTTP on 127.0.0.1, where nobody listens in, so requests count as secure, and the policies of the template hold as they
stand.
"""

from local.differences.upstream import upstream


def restore() -> None:
    """Treat every request as one over TLS."""
    app = upstream("app")
    theirs = app.pin_request_origin

    def pin_request_origin(source_ip: str, _secure: bool) -> None:
        theirs(source_ip, True)

    app.pin_request_origin = pin_request_origin
