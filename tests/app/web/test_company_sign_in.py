"""The company sign-in against a provider that runs: the whole way, and every way in which its answer may be forged."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from .conftest import audit_of

CLIENT, SECRET = "custvalue-page", "a client's secret"


class Provider:
    """A minimal OpenID Connect provider: discovery, authorization code with PKCE, signed ID tokens, keys. `forge` changes its tokens."""

    def __init__(self) -> None:
        from joserfc.jwk import RSAKey

        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.user = "ann"
        self.codes: dict[str, dict[str, str]] = {}
        self.forge = lambda claims, header: (claims, header, self.key)
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def authorize(self, address: str) -> str:
        """Do what a person's browser and the provider's own form would: give the address back to which it redirects."""
        given = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (given["response_type"], given["client_id"], given["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in given["scope"].split()
        code = secrets.token_urlsafe()
        self.codes[code] = given
        callback = urlsplit(given["redirect_uri"])
        from urllib.parse import urlencode

        return f"{callback.path}?{urlencode({'code': code, 'state': given['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, object]]:
        from joserfc import jwt

        name, _, word = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        given = self.codes.pop(form["code"], None)  # once
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        from urllib.parse import unquote_plus

        if given is None or (unquote_plus(name), unquote_plus(word)) != (CLIENT, SECRET) or verifier != given["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 300, "nonce": given["nonce"]}
        claims |= {"preferred_username": self.user, "email": f"{self.user}@example.org"}
        claims, header, key = self.forge(claims, {"alg": "RS256", "kid": "one"})
        return 200, {
            "access_token": "x",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": jwt.encode(header, claims, key, algorithms=["RS256", "HS256"]),
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                base = provider.issuer
                if self.path == "/.well-known/openid-configuration":
                    self.answer(
                        200,
                        {
                            "issuer": base,
                            "authorization_endpoint": f"{base}/authorize",
                            "token_endpoint": f"{base}/token",
                            "jwks_uri": f"{base}/keys",
                            "id_token_signing_alg_values_supported": ["RS256"],
                        },
                    )
                else:
                    self.answer(200, {"keys": [provider.key.as_dict(private=False)]})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self.answer(*provider.token(form, self.headers.get("Authorization", "")))

            def answer(self, status: int, content: dict[str, object]) -> None:
                text = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def provider(require_part):
    require_part("Authlib (custvalue[oidc])", find_spec("authlib") is not None)
    running = Provider()
    yield running
    running.server.shutdown()


@pytest.fixture
def site(make_site, provider):
    return make_site(url="http://127.0.0.1:8321", oidc={"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET})


@pytest.fixture
def browser(browse, site):
    return browse(of=site)


def come_back(browser, provider, path: str = "/oidc"):
    return browser.get(provider.authorize(browser.get(path).headers["location"]))


def test_a_person_signs_in_with_the_company_account(browser, provider, site):
    assert "/oidc?next=/orders/x" in browser.get("/login?next=/orders/x").text
    answer = come_back(browser, provider, "/oidc?next=/orders/20260105-C-K1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders/20260105-C-K1")
    assert browser.get("/orders/20260105-C-K1").status_code == 200
    assert audit_of(site)[:1] == [("ann", "login", "")]


@pytest.fixture
def other_provider(require_part):
    """Somebody else's provider, in a process of its own: its issuer."""
    require_part("Authlib (custvalue[oidc])", find_spec("authlib") is not None)
    require_part("Flask (comes with MLflow)", find_spec("flask") is not None)
    program = str(Path(__file__).with_name("oidc_provider.py"))
    command = [sys.executable, program, CLIENT, SECRET, "http://127.0.0.1:8321/oidc/callback", "ann"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield f"http://127.0.0.1:{int(running.stdout.readline())}"
    running.kill()
    running.wait()


def test_the_way_works_with_a_provider_of_another_make(other_provider, make_site, browse):
    import httpx2

    def sign_in_with(secret: str):
        oidc = {"issuer": other_provider, "client_id": CLIENT, "client_secret": secret}
        client = browse(of=make_site(url="http://127.0.0.1:8321", oidc=oidc))
        agreed = httpx2.get(client.get("/oidc?next=/orders/20260105-C-K1").headers["location"])
        assert agreed.status_code == 302, agreed.text
        back = urlsplit(agreed.headers["location"])
        return client, [client.get(f"{back.path}?{back.query}") for _ in range(2)]

    client, (first, again) = sign_in_with(SECRET)
    assert (first.status_code, first.headers["location"]) == (303, "/orders/20260105-C-K1")
    assert client.get("/orders/20260105-C-K1").status_code == 200
    assert again.status_code == 403  # a code counts once
    client, (refused, _) = sign_in_with("another secret")
    assert refused.status_code == 403
    assert client.get("/today").status_code == 303


def test_nobody_is_led_elsewhere_afterwards(browser, provider):
    assert come_back(browser, provider, "/oidc?next=//evil.example").headers["location"] == "/"


def test_whom_the_page_does_not_know_stays_out(browser, provider, site):
    provider.user = "stranger"
    answer = come_back(browser, provider)
    assert (answer.status_code, "not known here" in answer.text) == (403, True)
    assert browser.get("/today").status_code == 303
    assert audit_of(site)[-1] == ("unknown user", "login_failed", "company account")


def test_a_disabled_user_stays_out(browser, provider, site, clock):
    from custvalue.app.web.accounts import disable_user

    with site.state.site.writing() as connection:
        disable_user(connection, "ann", actor="test", at=clock())
    assert come_back(browser, provider).status_code == 403


def other_key(claims, header):
    from joserfc.jwk import RSAKey

    return claims, header, RSAKey.generate_key(2048, {"kid": "one"})


def shared_secret(claims, header):
    from joserfc.jwk import OctKey

    return claims, header | {"alg": "HS256"}, OctKey.import_key(SECRET * 3)


FORGERIES = {
    "another issuer": {"iss": "https://evil.example"},
    "another client": {"aud": "another"},
    "several clients and not for us": {"aud": [CLIENT, "another"], "azp": "another"},
    "over": {"exp": 1_000_000_000, "iat": 999_999_000},
    "another sign-in": {"nonce": "another"},
    "no name": {"preferred_username": None},
    "a name that is no text": {"preferred_username": ["ann"]},
}


@pytest.mark.parametrize("forgery", [*FORGERIES, "another key", "a shared secret", "no expiry", "no nonce"])
def test_a_forged_token_signs_nobody_in(forgery, browser, provider):
    def forge(claims, header):
        if forgery == "another key":
            return other_key(claims, header)
        if forgery == "a shared secret":
            return shared_secret(claims, header)
        left = {"no expiry": "exp", "no nonce": "nonce"}.get(forgery)
        return {name: value for name, value in (claims | FORGERIES.get(forgery, {})).items() if name != left}, header, provider.key

    provider.forge = forge
    assert come_back(browser, provider).status_code == 403
    assert browser.get("/today").status_code == 303


def test_an_answer_belongs_to_the_browser_that_asked_and_counts_once(browser, browse, site, provider):
    answer = provider.authorize(browser.get("/oidc").headers["location"])
    other = browse(of=site)
    other.get("/oidc")
    assert other.get(answer).status_code == 403
    changed = answer.replace("state=", "state=0")
    assert browser.get(changed).status_code == 403
    assert browser.get(answer).status_code == 303
    assert browse(of=site).get(answer).status_code == 403


def test_new_keys_of_the_provider_are_fetched(browser, provider):
    from joserfc.jwk import RSAKey

    assert come_back(browser, provider).status_code == 303
    assert come_back(browser, provider).status_code == 303
    assert provider.asked.count("/keys") == 1
    provider.key = RSAKey.generate_key(2048, {"kid": "two"})
    provider.forge = lambda claims, header: (claims, header | {"kid": "two"}, provider.key)
    assert come_back(browser, provider).status_code == 303


def test_an_address_counts_only_when_it_is_verified(make_site, browse, provider):
    site = make_site(
        url="http://127.0.0.1:8321",
        oidc={"issuer": provider.issuer, "client_id": CLIENT, "client_secret": SECRET, "claim": "email", "scope": "openid email"},
    )
    provider.forge = lambda claims, header: (claims | {"email": "ann"}, header, provider.key)
    assert come_back(browse(of=site), provider).status_code == 403
    provider.forge = lambda claims, header: (claims | {"email": "ann", "email_verified": True}, header, provider.key)
    assert come_back(browse(of=site), provider).status_code == 303


def test_an_away_provider_is_told_and_passwords_still_work(browser, provider):
    from .conftest import sign_in

    provider.server.shutdown()
    provider.server.server_close()
    answer = browser.get("/oidc")
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
    assert sign_in(browser, "ann").status_code == 303


def test_without_a_provider_there_is_no_such_way(browse):
    assert [browse().get(path).status_code for path in ("/oidc", "/oidc/callback?code=x&state=y")] == [404, 404]
