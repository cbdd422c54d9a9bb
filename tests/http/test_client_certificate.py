"""mTLS: the client certificate is checked before anything is asked, sent where it is asked for, and never shown."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.command import run_tap
from tap_afas.config_validation import config_problems
from tap_afas.profit.auth import ClassicToken
from tap_afas.profit.client import ProfitClient, RequestLimits
from tap_afas.profit.errors import ProfitError, UnreachableError
from tap_afas.settings import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "5A" * 32
_SOON = datetime.datetime.now(tz=datetime.UTC) + datetime.timedelta(days=1)
_BEFORE = datetime.datetime.now(tz=datetime.UTC) - datetime.timedelta(days=2)


def _key_pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


class Authority:
    """Signs certificates, and its own."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])
        self.certificate = self.signed("An authority", self.key, ends=_SOON, authority=True)

    def signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, ends: datetime.datetime, *, authority: bool = False
    ) -> bytes:
        builder = (
            x509
            .CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_BEFORE)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
        )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    authority, other = Authority(), Authority()
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("server", "client", "stranger", "ended")}
    (tmp_path / "authority.pem").write_bytes(authority.certificate)
    for name, key in keys.items():
        ends = _BEFORE + datetime.timedelta(days=1) if name == "ended" else _SOON
        certificate = (other if name == "stranger" else authority).signed(name, key, ends)
        (tmp_path / f"{name}.pem").write_bytes(certificate)
        (tmp_path / f"{name}.key").write_bytes(_key_pem(key))
        (tmp_path / f"{name}-both.pem").write_bytes(certificate + _key_pem(key))
    (tmp_path / "locked.key").write_bytes(_key_pem(keys["client"], b"a password"))
    (tmp_path / "half.key").write_bytes(_key_pem(keys["client"])[:60] + b"\n-----END PRIVATE KEY-----\n")
    (tmp_path / "bytes.pem").write_bytes(bytes(range(256)) * 10)
    return tmp_path


@pytest.fixture
def answering(files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[int]]]:
    """A server that asks for a client certificate: its root, and a list with an entry for each connection."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "server.pem", files / "server.key")
    context.load_verify_locations(files / "authority.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    tried: list[int] = []
    body = json.dumps({"getConnectors": [], "info": {}}).encode()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer(secure: ssl.SSLSocket) -> None:
            try:
                secure.do_handshake()
            except ssl.SSLError:
                # With the question unread, closing would take back what was said of the certificate.
                socket.socket.recv(secure, 65536)
                return
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    tried.append(1)
                    with (
                        contextlib.suppress(OSError),
                        context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secure,
                    ):
                        answer(secure)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/ProfitRestServices", tried
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _client(url: str, certificate: tuple[str, str] | None) -> ProfitClient:
    return ProfitClient(url, ClassicToken(TOKEN), RequestLimits(request_timeout=10, certificate=certificate))


@pytest.mark.parametrize(("certificate", "key"), [("client.pem", "client.key"), ("client-both.pem", "client-both.pem")])
def test_it_is_sent(answering: tuple[str, list[int]], files: Path, certificate: str, key: str) -> None:
    url, _ = answering
    environment, _ = _client(url, (str(files / certificate), str(files / key))).environment()
    assert environment.connectors == {}


def test_without_one_there_is_one_try_and_a_sentence(answering: tuple[str, list[int]]) -> None:
    url, tried = answering
    with pytest.raises(UnreachableError, match="asks for a client certificate") as caught:
        _client(url, None).environment()
    assert (len(tried), caught.value.may_pass) == (1, False)
    assert "Set `client_certificate`" in str(caught.value)


@pytest.mark.parametrize("name", ["stranger", "ended"])
def test_one_that_is_not_accepted(answering: tuple[str, list[int]], files: Path, name: str) -> None:
    url, tried = answering
    with pytest.raises(ProfitError, match="doesn't accept the client certificate"):
        _client(url, (str(files / f"{name}.pem"), str(files / f"{name}.key"))).environment()
    assert len(tried) == 1


PROBLEMS = {
    ("client.pem", "client.key"): "",
    ("client-both.pem", None): "",
    (None, "client.key"): "is set, but not `client_certificate`",
    ("nowhere.pem", None): "can't be read: No such file",
    ("client.pem", "nowhere.key"): "The file of `client_certificate_key` can't be read",
    (".", None): "can't be read: Is a directory",
    ("a\0b", None): "can't be read",
    ("client.pem", None): "`client_certificate_key` isn't set",
    ("client.key", None): "holds no certificate",
    ("client.pem", "client.pem"): "`client_certificate_key` holds no private key",
    ("client.pem", "server.key"): "isn't that of the certificate",
    ("client.pem", "locked.key"): "has a password",
    ("client.pem", "half.key"): "isn't whole",
    ("bytes.pem", None): "holds no certificate",
}


@pytest.mark.parametrize("given", PROBLEMS)
def test_the_files_are_checked_first(files: Path, given: tuple[str | None, str | None]) -> None:
    names = ("client_certificate", "client_certificate_key")
    settings = {name: str(files / value) for name, value in zip(names, given, strict=True) if value}
    problems = config_problems({"environment_id": "12345", "token": TOKEN, **settings}, SCHEMA)
    assert [PROBLEMS[given] in problem for problem in problems] == ([True] if PROBLEMS[given] else [])


def test_the_key_is_not_shown(files: Path) -> None:
    key = (files / "client.key").read_text()
    body = "".join(key.split("-----")[2].split())
    paths = {"client_certificate": str(files / "client.pem"), "client_certificate_key": str(files / "client.key")}
    settings = {"environment_id": "12345", "token": TOKEN, **paths}
    for echoed in (body, key):
        for wrong in ({"timezone": echoed}, {"connectors": [echoed], "timezone": "x"}, {echoed: 1}):
            ran = run_tap({**settings, **wrong})
            assert ran.exit_code == 78
            assert body[:20] not in ran.said
