"""The key goes into one header to one host, and nowhere else whatever goes wrong."""

import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.simulators.fake_clock import FakeClock, FakeWaits
from tests.simulators.http_script import Behaviour, Cut, Drips, Hangs, Resets, Says, ScriptedServer

from mag7cli.core.errors import ConfigError, Mag7Error, MarketDataError, VendorUnavailableError
from mag7cli.vendors.polygon import ApiKey, PolygonSource, Timeouts
from mag7cli.vendors.polygon.transport import Transport, proxy_for
from mag7cli.vendors.rate_limit import Rate, RateLimiter

KEY = "sEcReTkEy0123456789abcdefXYZ"
DAY = date(2024, 12, 13)


def source_at(address: str, **options: Any) -> PolygonSource:
    clock = FakeClock()
    limiter = RateLimiter(Rate.parse("unlimited"), clock, cancel=FakeWaits(clock))
    quick = Timeouts(connect_s=2.0, read_s=0.1, total_s=0.2)
    return PolygonSource(
        ApiKey(KEY), limiter=limiter, clock=clock, base_url=address, timeouts=quick, max_attempts=2, **options
    )


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def everything_said(error: BaseException, log: pytest.LogCaptureFixture) -> str:
    """All that a log file, a terminal and a crash report with local variables would show."""
    ours = error.__traceback__.tb_next if error.__traceback__ else None  # without the test and its own variables
    report = traceback.TracebackException(type(error), error, ours, capture_locals=True)
    records = [f"{record.getMessage()} {record.__dict__}" for record in log.records]
    return "\n".join([str(error), repr(error), str(getattr(error, "hint", "")), *report.format(), *records])


@pytest.mark.parametrize(
    "fault",
    [
        Says({"status": "ERROR", "error": f"Unknown API Key {KEY}"}, 401),
        Says({"status": "NOT_AUTHORIZED", "message": f"{KEY} is not entitled"}, 403),
        Says({"status": "NOT_FOUND", "message": f"no ticker for {KEY}"}, 404),
        Says({"status": "ERROR", "error": f"{KEY} asked too often"}, 429),
        Says(f"<html>Bearer {KEY}</html>".encode(), 502),
        Says(f"<html>Bearer {KEY}</html>".encode()),
        Says({"status": KEY}),
        Says({"status": "OK", "results": {"ticker": KEY}}),
        Says({"status": "OK", "results": {"ticker": "AAPL", "market_cap": KEY}}),
        Says(f'["Bearer {KEY}'.encode()),
        Says(f"{'x' * 30}{KEY}".encode()),  # the excerpt in the message ends inside the key
        Says(f"{'x' * 190}{KEY}".encode(), 502),
        Says(status=302, headers={"Location": f"http://127.0.0.1:9/?apiKey={KEY}"}),
        Cut(f'{{"Authorization": "Bearer {KEY}'.encode()),
        Resets(),
        Hangs(),
        Drips(0.05),
    ],
    ids=lambda fault: repr(fault).replace(KEY, "KEY"),
)
def test_no_fault_shows_the_key(server: ScriptedServer, caplog: pytest.LogCaptureFixture, fault: Behaviour) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("*", fault)
    source = source_at(server.url)

    with pytest.raises(MarketDataError) as raised:
        source.details("AAPL", DAY)
    source.close()

    assert KEY[:8] not in everything_said(raised.value, caplog)
    assert KEY not in "".join(seen.line for seen in server.requests)
    assert all(seen.headers["Authorization"] == f"Bearer {KEY}" for seen in server.requests)
    assert all(KEY not in f"{name}{value}" for name, value in other_headers(server))


def other_headers(server: ScriptedServer) -> Iterator[tuple[str, str]]:
    for seen in server.requests:
        yield from ((name, value) for name, value in seen.headers.items() if name != "Authorization")


def test_a_key_in_the_next_pages_address_is_not_sent_back_in_it(server: ScriptedServer) -> None:
    following = f"https://evil.example/v3/reference/splits?apiKey={KEY}&cursor=2"
    server.on(
        "/v3/reference/splits",
        Says({"status": "OK", "results": [], "next_url": following}),
        Says({"status": "OK", "results": []}),
    )
    source = source_at(server.url)

    source.splits(date(2024, 1, 1), DAY)
    source.close()

    assert server.requests[1].query == {"cursor": "2"}


def test_the_key_is_sent_to_no_other_host(server: ScriptedServer) -> None:
    transport = Transport(ApiKey(KEY), "https://api.polygon.io", timeouts=Timeouts(), connections=1, environ={})

    for address in (server.url + "/v3/x", "https://api.polygon.io.evil.example/v3/x", "https://api.polygon.io@evil/x"):
        with pytest.raises(Mag7Error, match="anywhere but"):
            transport.request("GET", address)

    assert server.requests == []


def test_a_redirect_is_not_followed(server: ScriptedServer) -> None:
    with ScriptedServer() as elsewhere:
        server.on("*", Says(status=307, headers={"Location": elsewhere.url + "/v3/reference/tickers/AAPL"}))
        source = source_at(server.url)

        with pytest.raises(MarketDataError, match="307"):
            source.details("AAPL", DAY)
        source.close()

        assert elsewhere.requests == []


def test_nothing_that_can_be_printed_has_the_key(server: ScriptedServer) -> None:
    key = ApiKey(KEY)
    source = source_at(server.url)

    shown = f"{key!s:>5} {key} {key!r} {[key]} {source} {vars(source)} {key.authorization()!r} %s" % key

    assert KEY not in shown
    assert key.masked() == "…fXYZ"


def test_the_clients_own_objects_never_get_the_key(server: ScriptedServer) -> None:
    """Its traces and headers are its own business: it is built without the key."""
    server.on("*", Says({"serverTime": "2024-12-13T18:00:00-05:00"}))
    source = source_at(server.url)
    source.status()

    client = source._connection().client._client

    assert KEY not in f"{client.API_KEY} {client.headers} {client.vx.headers}"
    source.close()


def test_a_proxy_is_asked_for_a_tunnel_and_never_sees_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            connection, _ = listening.accept()
            with connection:
                heard.append(connection.recv(65536).decode())
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        proxy = f"http://me:PaSsWoRd@127.0.0.1:{listening.getsockname()[1]}"
        source = source_at("https://api.polygon.io", environ={"HTTPS_PROXY": proxy})
        source._max_attempts = 1
        with pytest.raises(VendorUnavailableError) as raised:
            source.details("AAPL", DAY)
        thread.join()
        source.close()

    assert heard[0].startswith("CONNECT api.polygon.io:443 ")
    assert "proxy-authorization: basic" in heard[0].lower()
    assert KEY not in heard[0]
    assert "PaSsWoRd" not in f"{raised.value} {caplog.text}"


def certificate_for_loopback(folder: Path) -> Path:
    """A certificate that nobody vouches for, with its private key in the same file."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "loopback.pem"
    path.write_bytes(made.public_bytes(pem) + secret)
    return path


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[ScriptedServer, Path]]:
    certificate = certificate_for_loopback(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ScriptedServer(tls=context) as running:
        running.on("*", Says({"serverTime": "2024-12-13T18:00:00-05:00"}))
        yield running, certificate


def test_the_key_is_not_sent_to_a_server_that_nobody_vouches_for(tls_server: tuple[ScriptedServer, Path]) -> None:
    server, _ = tls_server
    source = source_at(server.url)

    with pytest.raises(MarketDataError, match="certificate") as raised:
        source.status()
    source.close()

    assert "SSL_CERT_FILE" in str(raised.value.hint)
    assert source.calls() == {"status": 1}  # asking again would change nothing
    assert server.requests == []


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_certificates_of_ones_own_are_trusted(tls_server: tuple[ScriptedServer, Path], variable: str) -> None:
    server, certificate = tls_server
    source = source_at(server.url, environ={variable: str(certificate)})

    assert source.status().server_time == "2024-12-13T18:00:00-05:00"
    source.close()


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"https_proxy": "http://small:1", "HTTPS_PROXY": "http://capital:1"}, "http://small:1"),
        ({"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.org,.polygon.io"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "example.org"}, "http://p:1"),
        ({}, None),
    ],
)
def test_the_environment_names_the_proxy_as_for_every_tool(environ: dict[str, str], proxy: str | None) -> None:
    assert proxy_for("https://api.polygon.io", environ) == proxy


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "https://localhost:8000", "https://[::1]:8000"])
def test_this_machine_is_never_asked_through_a_proxy(address: str) -> None:
    assert proxy_for(address, {"HTTPS_PROXY": "http://p:1", "ALL_PROXY": "http://p:1"}) is None


@pytest.mark.parametrize("proxy", ["socks9://me:PaSsWoRd@p:1", "http://me:PaSsWoRd@p:notaport", "http://"])
def test_a_proxy_that_cannot_be_one_is_refused_without_its_password(proxy: str) -> None:
    source = source_at("https://api.polygon.io", environ={"HTTPS_PROXY": proxy})

    with pytest.raises(Mag7Error) as refused:
        source.status()

    assert "HTTPS_PROXY" in str(refused.value)
    assert "PaSsWoRd" not in f"{refused.value} {refused.value.hint} {refused.value.__cause__}"


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    source = source_at("https://api.polygon.io", environ={"SSL_CERT_FILE": str(tmp_path / "none.pem")})

    with pytest.raises(ConfigError, match=r"SSL_CERT_FILE: .*none\.pem"):
        source.status()
