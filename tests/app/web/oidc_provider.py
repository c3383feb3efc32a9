"""An OpenID Connect provider made of Authlib's server side, in a process of its own: it prints its port, and knows one person."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # on this machine alone

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, UserInfo
from authlib.oidc.core import grants as openid
from flask import Flask, jsonify
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET, CALLBACK, PERSON = sys.argv[1:5]
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Client(ClientMixin):
    """The page, as it is registered."""

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return CALLBACK

    def get_allowed_scope(self, scope: str) -> str:
        return " ".join(name for name in scope.split() if name in ("openid", "profile"))

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == CALLBACK

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code(AuthorizationCodeMixin):
    """What was agreed when a code was given out."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


CODES: dict[str, Code] = {}


class CodeGrant(grants.AuthorizationCodeGrant):
    """Authorization code, kept in memory, good for once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code, request):
        asked = request.payload.data
        CODES[code] = Code(
            code,
            request.payload.redirect_uri,
            request.payload.scope,
            asked.get("nonce"),
            asked.get("code_challenge"),
            asked.get("code_challenge_method"),
        )

    def query_authorization_code(self, code, client):  # noqa: ARG002
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code):
        del CODES[authorization_code.code]

    def authenticate_user(self, authorization_code):  # noqa: ARG002
        return PERSON


class IdToken(openid.OpenIDCode):
    """The ID token beside the access token."""

    def exists_nonce(self, nonce, request):  # noqa: ARG002
        return any(code.nonce == nonce for code in CODES.values())

    def resolve_client_private_key(self, client):  # noqa: ARG002
        return KEY

    def get_client_algorithm(self, client):  # noqa: ARG002
        return "RS256"

    def get_encode_header(self, client):  # noqa: ARG002
        return {"alg": "RS256", "kid": "one"}

    def get_client_claims(self, client):
        return {"iss": issuer(), "aud": [client.get_client_id()]}

    def generate_user_info(self, user, scope):  # noqa: ARG002
        return UserInfo(sub="4711", preferred_username=user)


app = Flask("provider")
server = AuthorizationServer(app, query_client=lambda name: Client() if name == CLIENT else None, save_token=lambda token, request: None)  # noqa: ARG005
server.register_grant(CodeGrant, [IdToken(require_nonce=True), CodeChallenge(required=True)])


@app.get("/authorize")
def authorize():
    grant = server.get_consent_grant(end_user=PERSON)
    return server.create_authorization_response(grant_user=PERSON, grant=grant)


@app.post("/token")
def token():
    return server.create_token_response()


@app.get("/keys")
def keys():
    return jsonify({"keys": [KEY.as_dict(private=False)]})


@app.get("/.well-known/openid-configuration")
def configuration():
    ways = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
    return jsonify(
        {
            "issuer": issuer(),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        | {name: issuer() + path for name, path in ways.items()}
    )


def issuer() -> str:
    return f"http://127.0.0.1:{listening.server_port}"


listening = make_server("127.0.0.1", 0, app, threaded=True)
print(listening.server_port, flush=True)
listening.serve_forever()
