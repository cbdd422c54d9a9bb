"""The client certificate (mTLS) that AFAS asks for where it is switched on, from Profit 8 on."""

from __future__ import annotations

import pathlib
import re
import ssl
from typing import TYPE_CHECKING

from tap_afas.known_secrets import SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----([^-]*)-----END", re.ASCII)
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_LARGEST_FILE = 1_000_000


def certificate_problems(certificate: str | None, key: str | None) -> Iterable[str]:
    """What is wrong with the PEM files of the settings: sentences that hold nothing of them. The key is kept secret.

    Args:
        certificate: `client_certificate`.
        key: `client_certificate_key`; None: the certificate's file holds the key too.
    """
    if not certificate:
        if key:
            yield "`client_certificate_key` is set, but not `client_certificate`: the key alone is of no use."
        return
    named = {"client_certificate": certificate, "client_certificate_key": key or certificate}
    texts: dict[str, str] = {}
    for setting, path in named.items():
        try:
            with pathlib.Path(path).open("rb") as file:
                texts[setting] = file.read(_LARGEST_FILE).decode("ascii", "replace")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name of a file"
            yield f"The file of `{setting}` can't be read: {why}."
            return
    for text in texts.values():
        SECRETS.add(*("".join(body.split()) for _, body in _KEY.findall(text)))
    where = "client_certificate_key" if key else "client_certificate"
    if _CERTIFICATE not in texts["client_certificate"]:
        yield "The file of `client_certificate` holds no certificate in PEM (-----BEGIN CERTIFICATE-----)."
    elif (found := _KEY.search(texts["client_certificate_key"])) is None:
        advice = "" if key else ", and `client_certificate_key` isn't set"
        yield f"The file of `{where}` holds no private key in PEM (-----BEGIN PRIVATE KEY-----){advice}."
    elif "ENCRYPTED" in found[1] or "ENCRYPTED" in found[2]:
        yield f"The private key of `{where}` has a password, which nobody could enter at night: give it without one."
    else:
        yield from _loading_problems(certificate, key)


def _loading_problems(certificate: str, key: str | None) -> Iterable[str]:
    try:
        ssl.create_default_context().load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        if "MISMATCH" in (error.reason or ""):
            yield "The private key isn't that of the certificate in `client_certificate`."
        else:
            yield "The files of the client certificate can't be used: what stands in them isn't whole."
    except (OSError, ValueError):
        yield "The files of the client certificate can't be used."
