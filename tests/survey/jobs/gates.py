"""A Temporal server as it is, and behind a gate for each tenant that asks for its certificate."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from partywall.survey.jobs.settings import JobsLogin, JobsSettings, TemporalLogin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENANTS = ("acme", "globex")


def open_to_all(address: str) -> JobsSettings:
    tenants = {name: JobsLogin(name, address) for name in TENANTS}
    return JobsSettings("temporal", address, tenants, attacker="sql")


@contextmanager
def gated(address: str, folder: Path) -> Iterator[JobsSettings]:
    """A gate for each tenant, through which only its own certificate leads to the server."""
    with ExitStack() as open_gates:
        tenants = {}
        for name in TENANTS:
            login = certified(folder, name)
            port = open_gates.enter_context(gate(address, login))
            tenants[name] = (login, port)
        logins = {
            name: JobsLogin(
                name, f"127.0.0.1:{port}", temporal=TemporalLogin(
                    certificate=login.certificate, key=login.key, authority=folder / "all.pem"
                ),
            )
            for name, (login, port) in tenants.items()
        }  # fmt: skip
        every = b"".join((folder / f"{name}.pem").read_bytes() for name in TENANTS)
        (folder / "all.pem").write_bytes(every)
        yield JobsSettings("temporal", address, logins)


def certified(folder: Path, name: str) -> TemporalLogin:
    """A certificate for a server on loopback and for a client, by an authority of its own."""
    above, below = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = signed(f"{name}'s authority", above, above, f"{name}'s authority", ca=True)
    made = signed(name, below, above, f"{name}'s authority", ca=False)
    (folder / f"{name}.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    certificate, private = folder / f"{name}-own.pem", folder / f"{name}-own.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        below.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return TemporalLogin("", certificate, private, folder / f"{name}.pem")


def signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    issuer: str,
    *,
    ca: bool,
) -> x509.Certificate:
    now = datetime.now(tz=UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(loopback, critical=False)
        .sign(by, hashes.SHA256())
    )


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


@contextmanager
def gate(address: str, login: TemporalLogin) -> Iterator[int]:
    """Pass on what comes from whoever shows that certificate."""
    assert login.certificate
    assert login.authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(login.certificate, login.key)
    context.load_verify_locations(login.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = address.partition(":")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                except OSError:
                    return
                Thread(target=passed, args=(plain,), daemon=True).start()

        def passed(plain: socket.socket) -> None:
            with suppress(OSError), context.wrap_socket(plain, server_side=True) as client:
                client.do_handshake()
                with socket.create_connection((host, int(port))) as server:
                    Thread(target=pumped, args=(server, client), daemon=True).start()
                    pumped(client, server)

        Thread(target=serve, daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)


def pumped(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
