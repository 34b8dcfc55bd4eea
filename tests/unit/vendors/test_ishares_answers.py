"""What the issuer's site may answer, and what a network may do, that a server on loopback does not: by `responses`."""

import gzip
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import responses
from tests.contract.vendors.test_ishares import FRIDAY, file_of
from tests.simulators.fake_clock import FakeClock

from mag7cli.core.errors import HoldingsFormatError, VendorUnavailableError
from mag7cli.vendors.ishares import HoldingsSite

URL = "https://issuer.test/get-fund-document"
PROXY = "http://user:tell-nobody@proxy.test:3128"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[responses.RequestsMock]:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with responses.RequestsMock() as mock:
        yield mock


def download(day: date = FRIDAY) -> bytes:
    return HoldingsSite(f"{URL}?component=holdings", clock=FakeClock()).download(day).data


def test_a_compressed_file_is_unpacked(issuer: responses.RequestsMock) -> None:
    issuer.get(URL, gzip.compress(file_of(FRIDAY)), headers={"Content-Encoding": "gzip"})

    assert download() == file_of(FRIDAY)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_a_refusal_is_final(issuer: responses.RequestsMock, status: int) -> None:
    issuer.get(URL, status=status)

    with pytest.raises(HoldingsFormatError, match=rf"^issuer\.test: answered {status} instead of a holdings file$"):
        download()
    assert len(issuer.calls) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_for_four_times(issuer: responses.RequestsMock, status: int) -> None:
    issuer.get(URL, status=status)

    with pytest.raises(VendorUnavailableError, match=rf"^issuer\.test: answered {status} \(asked 4 times\)$") as failed:
        download()
    assert failed.value.status == status
    assert failed.value.hint == "try again later, or save the file with a browser, then: mag7 tickers FILE"
    assert len(issuer.calls) == 4


def test_a_site_that_moved_is_followed(issuer: responses.RequestsMock) -> None:
    issuer.get(URL, status=302, headers={"Location": "https://elsewhere.test/file"})
    issuer.get("https://elsewhere.test/file", file_of(FRIDAY))

    assert download() == file_of(FRIDAY)


def test_a_site_that_sends_from_place_to_place_is_not_followed_for_ever(issuer: responses.RequestsMock) -> None:
    issuer.get(URL, status=302, headers={"Location": URL})

    with pytest.raises(VendorUnavailableError, match=r"the connection broke \(asked 4 times\)"):
        download()
    assert len(issuer.calls) == 4 * (1 + 3)


def test_what_netrc_has_for_the_host_is_not_sent(
    issuer: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine issuer.test login me password tell-nobody\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    issuer.get(URL, file_of(FRIDAY))

    download()

    assert "Authorization" not in issuer.calls[0].request.headers


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_proxy_and_certificates_are_those_of_the_environment(
    issuer: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv(variable, "/certificates.pem")
    issuer.get(URL, file_of(FRIDAY))

    download()

    used = issuer.calls[0].request.req_kwargs
    assert (used["proxies"]["https"], used["verify"]) == (PROXY, "/certificates.pem")


def test_a_host_without_proxy_is_asked_directly(
    issuer: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "issuer.test")
    issuer.get(URL, file_of(FRIDAY))

    download()

    assert not issuer.calls[0].request.req_kwargs["proxies"]
