"""The accounts half of the simulator, spoken to over HTTP as a client and a browser would."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from zoho_magic.simulator import Options, Simulator

TOKEN = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")


class Client:
    """A client of a simulator that does what it is told and keeps a connection open."""

    def __init__(self, zoho: Simulator) -> None:
        self.zoho = zoho
        self.http = requests.Session()

    def post(self, path: str, place: str | None = None, **form: object) -> requests.Response:
        return self.http.post(self.zoho.origin(place) + path, data=form, timeout=5)

    def get(self, path: str, place: str | None = None, token: str = "", **query: object) -> requests.Response:
        headers = {"Authorization": f"Zoho-oauthtoken {token}"} if token else {}
        url = self.zoho.origin(place) + path
        return self.http.get(url, params=query, headers=headers, timeout=5, allow_redirects=False)

    def token(self, grant_type: str, place: str | None = None, **form: object) -> requests.Response:
        form = {"client_id": self.zoho.client_id, "client_secret": self.zoho.secret(place), **form}
        return self.post("/oauth/v2/token", place, grant_type=grant_type, **form)

    def exchange(self, code: str, place: str | None = None, **form: object) -> requests.Response:
        return self.token("authorization_code", place, code=code, **form)

    def refresh(self, refresh_token: str, place: str | None = None, **form: object) -> requests.Response:
        return self.token("refresh_token", place, refresh_token=refresh_token, **form)

    def works(self, token: str, place: str | None = None) -> bool:
        return self.get("/oauth/user/info", place, token).status_code == 200

    def authorize(self, place: str | None = None, **query: object) -> requests.Response:
        query = {
            "client_id": self.zoho.client_id,
            "response_type": "code",
            "redirect_uri": self.zoho.redirect_uri,
            "scope": "ZohoCRM.modules.ALL,AaaServer.profile.READ",
            **query,
        }
        return self.get("/oauth/v2/auth", place, **{name: value for name, value in query.items() if value is not None})

    def press(self, page: requests.Response, decision: str, place: str | None = None) -> str:
        """What the browser's address bar says after a button of the consent page was pressed."""
        fields = dict(re.findall(r'name="(ticket|data_centre)" value="([^"]*)"', page.text))
        fields |= re.findall(r'<select name="(data_centre)">.*?<option value="([^"]*)" selected>', page.text, re.DOTALL)
        fields |= {"decision": decision} | ({"data_centre": place} if place else {})
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action, page.text
        answer = self.http.post(origin + action[1], data=fields, timeout=5, allow_redirects=False)
        return answer.headers.get("Location", html.unescape(answer.text))

    def consented(self, **query: object) -> dict[str, str]:
        return self.landed(self.press(self.authorize(**query), "accept"))

    @staticmethod
    def landed(url: str) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def zoho() -> Iterator[Simulator]:
    with Simulator(rows=1) as simulator:
        yield simulator


@pytest.fixture
def two() -> Iterator[Simulator]:
    """A client registered in us, with multi-DC and one secret per data centre, and users in eu as well."""
    with Simulator(rows=1, data_centres=("us", "eu"), own_secrets=True) as simulator:
        yield simulator


@pytest.fixture
def client(zoho: Simulator) -> Iterator[Client]:
    client = Client(zoho)
    with client.http:
        yield client


@pytest.fixture
def travelled(two: Simulator) -> Iterator[Client]:
    client = Client(two)
    with client.http:
        yield client


# --- self-client codes and the token endpoint ---


def test_a_self_client_code_becomes_tokens(client: Client) -> None:
    answer = client.exchange(client.zoho.grant_code("ZohoCRM.modules.ALL,ZohoCRM.org.READ"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Server"] == "ZGS"
    body = answer.json()
    assert TOKEN.fullmatch(body.pop("access_token"))
    assert TOKEN.fullmatch(body.pop("refresh_token"))
    assert body == {
        "scope": "ZohoCRM.modules.ALL ZohoCRM.org.READ",
        "api_domain": client.zoho.url,
        "token_type": "Bearer",
        "expires_in": 3600,
    }


def test_ids_have_zohos_shape(client: Client) -> None:
    assert re.fullmatch(r"1000\.[0-9A-Z]{30}", client.zoho.client_id)
    assert TOKEN.fullmatch(client.zoho.grant_code())


def test_a_code_works_once(client: Client) -> None:
    code = client.zoho.grant_code()
    assert "access_token" in client.exchange(code).json()
    again = client.exchange(code)
    assert (again.status_code, again.json()) == (200, {"error": "invalid_code"})


def test_a_self_client_code_lives_three_minutes(client: Client) -> None:
    early, late = client.zoho.grant_code(), client.zoho.grant_code()
    client.zoho.clock.advance(175)
    assert "access_token" in client.exchange(early).json()
    client.zoho.clock.advance(10)
    assert client.exchange(late).json() == {"error": "invalid_code"}


def test_a_refresh_gives_no_new_refresh_token(client: Client) -> None:
    body = client.refresh(client.zoho.refresh_token()).json()
    assert "refresh_token" not in body
    assert client.works(body["access_token"])
    assert body["expires_in"] == 3600


@pytest.mark.parametrize("transport", ["query", "form", "multipart", "basic", "chunked"])
def test_token_parameters_in_query_form_or_basic_auth(client: Client, transport: str) -> None:
    zoho, url = client.zoho, client.zoho.url + "/oauth/v2/token"
    ids = {"client_id": zoho.client_id, "client_secret": zoho.client_secret}
    rest = {"grant_type": "refresh_token", "refresh_token": zoho.refresh_token()}
    encoded = requests.models.RequestEncodingMixin._encode_params({**ids, **rest}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = {
        "query": lambda: client.http.post(url, params={**ids, **rest}),
        "form": lambda: client.http.post(url, data={**ids, **rest}),
        "multipart": lambda: client.http.post(
            url, files={name: (None, value) for name, value in {**ids, **rest}.items()}
        ),
        "basic": lambda: client.http.post(url, data=rest, auth=(zoho.client_id, zoho.client_secret)),
        "chunked": lambda: client.http.post(url, data=iter([encoded[:9], encoded[9:]]), headers=form),
    }[transport]()
    assert "access_token" in answer.json()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"client_id": "1000.NOBODY"}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client_secret"),
        ({"client_secret": ""}, "invalid_client_secret"),
        ({"grant_type": "password"}, "invalid_client"),
        ({"code": ""}, "invalid_code"),
        ({"code": "1000.made.up"}, "invalid_code"),
        ({"code": "1000.made.up", "redirect_uri": "http://localhost:1/"}, "invalid_redirect_uri"),
    ],
)
def test_token_errors_have_status_200(client: Client, wrong: dict[str, str], error: str) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": client.zoho.client_id,
        "client_secret": client.zoho.client_secret,
        "code": client.zoho.grant_code(),
    }
    answer = client.post("/oauth/v2/token", **(form | wrong))
    assert (answer.status_code, answer.json()) == (200, {"error": error})


def test_token_request_checks_client_secret_redirect_uri_code_in_that_order(client: Client) -> None:
    wrong = {"client_id": "x", "client_secret": "x", "redirect_uri": "x", "code": "x"}
    seen = []
    for name in ("client_id", "client_secret", "redirect_uri", "code"):
        seen.append(client.token("authorization_code", **wrong).json()["error"])
        wrong.pop(name)
    assert seen == ["invalid_client", "invalid_client_secret", "invalid_redirect_uri", "invalid_code"]


def test_a_missing_grant_type_or_another_method_is_http_400(client: Client) -> None:
    assert client.post("/oauth/v2/token", client_id=client.zoho.client_id).status_code == 400
    assert client.get("/oauth/v2/token", grant_type="refresh_token").status_code == 400
    assert client.get("/oauth/v2/token/revoke", token="x").status_code == 400


def test_a_code_and_a_refresh_token_belong_to_one_client(client: Client) -> None:
    other = client.zoho.register()
    ids = {"client_id": other.id, "client_secret": other.secrets["us"]}
    assert client.exchange(client.zoho.grant_code(), **ids).json() == {"error": "invalid_code"}
    assert client.refresh(client.zoho.refresh_token(), **ids).json() == {"error": "invalid_code"}


def test_legacy_expiry_is_in_milliseconds(client: Client) -> None:
    client.zoho.options.legacy_expiry = True
    body = client.refresh(client.zoho.refresh_token()).json()
    assert (body["expires_in_sec"], body["expires_in"]) == (3600, 3600000)


def test_api_domain_can_be_something_else(client: Client) -> None:
    client.zoho.options.api_domain = "https://api.example.test"
    assert client.exchange(client.zoho.grant_code()).json()["api_domain"] == "https://api.example.test"


# --- limits ---


def test_ten_refreshes_in_ten_rolling_minutes(client: Client) -> None:
    refresh_token = client.zoho.refresh_token()
    for _ in range(5):
        assert "access_token" in client.refresh(refresh_token).json()
    client.zoho.clock.advance(300)
    for _ in range(5):
        assert "access_token" in client.refresh(refresh_token).json()
    refused = client.refresh(refresh_token)
    assert refused.status_code == 400
    assert refused.json() == {
        "error_description": "You have made too many requests continuously. Please try again after some time.",
        "error": "Access Denied",
        "status": "failure",
    }
    assert "access_token" in client.refresh(client.zoho.refresh_token()).json(), "another refresh token is free"
    client.zoho.clock.advance(301)
    assert ["access_token" in client.refresh(refresh_token).json() for _ in range(6)] == [True] * 5 + [False]


def test_the_throttle_comes_before_the_secret_and_may_be_localised(client: Client) -> None:
    client.zoho.options.access_tokens_per_window = 0
    client.zoho.options.localised_throttle = True
    refused = client.refresh(client.zoho.refresh_token(), client_secret="wrong")
    assert refused.status_code == 400
    assert refused.json()["status"] == "failure"
    assert refused.json()["error"] == "拒绝访问"


def test_refresh_limit_holds_under_concurrency(client: Client) -> None:
    refresh_token, url = client.zoho.refresh_token(), client.zoho.url + "/oauth/v2/token"
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client.zoho.client_id}
    form["client_secret"] = client.zoho.client_secret
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.post(url, data=form, timeout=5).status_code, range(24)))
    assert sorted(answers) == [200] * 10 + [400] * 14


def test_sixteenth_access_token_evicts_the_oldest(client: Client) -> None:
    refresh_token = client.zoho.refresh_token()
    client.zoho.options.access_tokens_per_window = 100
    tokens = [client.refresh(refresh_token).json()["access_token"] for _ in range(15)]
    assert all(client.works(token) for token in tokens)
    tokens.append(client.refresh(refresh_token).json()["access_token"])
    assert [client.works(token) for token in tokens] == [False] + [True] * 15


def test_expired_tokens_do_not_count_as_active(client: Client) -> None:
    client.zoho.options.active_tokens = 2
    refresh_token = client.zoho.refresh_token()
    client.refresh(refresh_token)
    client.zoho.clock.advance(3601)
    tokens = [client.refresh(refresh_token).json()["access_token"] for _ in range(2)]
    assert all(client.works(token) for token in tokens)


def test_twenty_first_refresh_token_evicts_the_oldest(client: Client) -> None:
    first = client.exchange(client.zoho.grant_code()).json()
    for _ in range(19):
        client.zoho.refresh_token()
    assert client.works(first["access_token"])
    client.zoho.refresh_token()
    assert not client.works(first["access_token"])
    assert client.refresh(first["refresh_token"]).json() == {"error": "invalid_code"}


def test_ten_new_refresh_tokens_in_ten_minutes(client: Client) -> None:
    for _ in range(10):
        assert "refresh_token" in client.exchange(client.zoho.grant_code()).json()
    code = client.zoho.grant_code(lifetime=3600)
    assert client.exchange(code).status_code == 400
    client.zoho.clock.advance(601)
    assert "refresh_token" in client.exchange(code).json(), "the refused call did not use the code up"


def test_an_access_token_lives_an_hour(client: Client) -> None:
    token = client.refresh(client.zoho.refresh_token()).json()["access_token"]
    client.zoho.clock.advance(3590)
    assert client.works(token)
    client.zoho.clock.advance(15)
    assert not client.works(token)


# --- revocation ---


def test_revoking_a_refresh_token_ends_its_access_tokens(client: Client) -> None:
    tokens = client.exchange(client.zoho.grant_code()).json()
    answer = client.post("/oauth/v2/token/revoke", token=tokens["refresh_token"])
    assert (answer.status_code, answer.json()) == (200, {"status": "success"})
    assert not client.works(tokens["access_token"])
    assert client.refresh(tokens["refresh_token"]).json() == {"error": "invalid_code"}
    assert client.post("/oauth/v2/token/revoke", token=tokens["refresh_token"]).status_code == 400


def test_the_newer_revocation_wants_the_client(client: Client) -> None:
    zoho, url = client.zoho, client.zoho.url + "/oauth/v2/revoke/token"
    tokens = client.exchange(zoho.grant_code()).json()
    mine = (zoho.client_id, zoho.client_secret)
    other = zoho.register()
    access = {"token": tokens["access_token"], "token_type": "access_token"}
    refresh = {"token": tokens["refresh_token"]}

    def status(form: dict[str, str], auth: tuple[str, str] | None) -> int:
        return client.http.post(url, data=form, auth=auth, timeout=5).status_code

    assert status(refresh, None) == 400
    assert status(refresh, (other.id, other.secrets["us"])) == 400, "not this client's"
    assert status(refresh | {"token_type": "access_token"}, mine) == 400, "type mismatch"
    assert status(access, mine) == 200
    assert not client.works(tokens["access_token"])
    assert "access_token" in client.refresh(tokens["refresh_token"]).json()
    assert status(refresh, mine) == 200
    assert client.refresh(tokens["refresh_token"]).json() == {"error": "invalid_code"}


# --- the authorization page ---


def test_accepting_redirects_with_code_place_and_state(client: Client) -> None:
    page = client.authorize(state="a b&c/ü", access_type="offline")
    assert page.status_code == 200
    assert "ZohoCRM.modules.ALL" in page.text
    url = client.press(page, "accept")
    assert url.startswith(client.zoho.redirect_uri + "?")
    assert url.endswith(f"&accounts-server={client.zoho.url.replace(':', '%3A').replace('/', '%2F')}&")
    landed = client.landed(url)
    assert landed["state"] == "a b&c/ü"
    assert landed["location"] == "us"
    tokens = client.exchange(landed["code"], redirect_uri=client.zoho.redirect_uri).json()
    assert tokens["scope"] == "ZohoCRM.modules.ALL AaaServer.profile.READ"
    assert client.works(tokens["access_token"])


def test_rejecting_redirects_with_access_denied(client: Client) -> None:
    url = client.press(client.authorize(), "reject")
    assert url == client.zoho.redirect_uri + "?error=access_denied"
    assert client.landed(client.press(client.authorize(state="s"), "reject")) == {
        "state": "s",
        "error": "access_denied",
    }


def test_a_page_can_be_answered_once(client: Client) -> None:
    page = client.authorize()
    client.press(page, "accept")
    assert "expired" in client.press(page, "accept")


@pytest.mark.parametrize(
    ("wrong", "title", "status"),
    [
        ({"client_id": "1000.NOBODY"}, "Invalid Client", 200),
        ({"client_id": None}, "Invalid response type", 200),
        ({"response_type": None}, "Invalid response type", 200),
        ({"response_type": "magic"}, "An error occurred", 500),
        ({"scope": None}, "Invalid OAuth scope", 200),
        ({"scope": "ZohoCRM.modules.SMILE"}, "Invalid OAuth scope", 200),
        ({"scope": "ZohoCRM.module.ALL"}, "Invalid OAuth scope", 200),
        ({"redirect_uri": None}, "Invalid Redirect Uri", 200),
        ({"redirect_uri": "http://127.0.0.1:8976/callback"}, "Invalid Redirect Uri", 200),
        ({"redirect_uri": "http://localhost:8976/callback/"}, "Invalid Redirect Uri", 200),
        ({"code_challenge": "x", "code_challenge_method": "S512"}, "An error occurred", 500),
    ],
)
def test_invalid_authorization_requests_show_an_error_page(
    client: Client, wrong: dict[str, str | None], title: str, status: int
) -> None:
    answer = client.authorize(**wrong)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html;charset=UTF-8")
    assert f"<h1>{title}</h1>" in answer.text
    assert "Location" not in answer.headers


def test_only_get_is_answered(client: Client) -> None:
    assert client.post("/oauth/v2/auth", client_id="x").status_code == 400


def test_pages_escape_what_they_show(client: Client) -> None:
    client.zoho.options.first_name = "<script>alert(1)</script>"
    page = client.authorize().text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_code_by_redirect_needs_the_redirect_uri_and_lives_two_minutes(client: Client) -> None:
    code = client.consented()["code"]
    assert client.exchange(code).json() == {"error": "invalid_redirect_uri"}
    assert client.exchange(code, redirect_uri="http://localhost/").json() == {"error": "invalid_redirect_uri"}
    client.zoho.clock.advance(121)
    assert client.exchange(code, redirect_uri=client.zoho.redirect_uri).json() == {"error": "invalid_code"}


def test_a_refresh_token_needs_offline_access_and_a_first_consent(client: Client) -> None:
    def gives(**query: str) -> bool:
        code = client.consented(**query)["code"]
        return "refresh_token" in client.exchange(code, redirect_uri=client.zoho.redirect_uri).json()

    assert not gives(), "online is the default"
    assert gives(access_type="offline")
    assert not gives(access_type="offline"), "only the first time"
    assert gives(access_type="offline", prompt="consent")


def test_consent_after_revocation_gives_a_refresh_token_again(client: Client) -> None:
    uri = {"redirect_uri": client.zoho.redirect_uri}
    tokens = client.exchange(client.consented(access_type="offline")["code"], **uri).json()
    client.post("/oauth/v2/token/revoke", token=tokens["refresh_token"])
    assert "refresh_token" in client.exchange(client.consented(access_type="offline")["code"], **uri).json()


def test_a_remembered_consent_may_skip_the_page(client: Client) -> None:
    client.zoho.options.remember_consent = True
    assert client.authorize().status_code == 200
    client.consented()
    assert client.authorize().status_code == 302
    assert client.authorize(prompt="consent").status_code == 200


@pytest.mark.parametrize("decision", ["accept", "reject"])
def test_auto_consent_answers_without_a_page(client: Client, decision: str) -> None:
    client.zoho.options.auto_consent = decision
    answer = client.authorize()
    assert answer.status_code == 302
    assert ("code" if decision == "accept" else "error") in client.landed(answer.headers["Location"])


VERIFIER = "v" * 43
S256 = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("query", "verifier", "ok"),
    [
        ({"code_challenge": S256, "code_challenge_method": "S256"}, VERIFIER, True),
        ({"code_challenge": S256, "code_challenge_method": "S256"}, "w" * 43, False),
        ({"code_challenge": S256, "code_challenge_method": "S256"}, None, False),
        ({"code_challenge": VERIFIER}, VERIFIER, True),
        ({"code_challenge": VERIFIER, "code_challenge_method": "plain"}, "w" * 43, False),
        ({"code_challenge": "short"}, "short", False),
        ({}, None, True),
    ],
)
def test_pkce(client: Client, query: dict[str, str], verifier: str | None, ok: bool) -> None:
    form = {"redirect_uri": client.zoho.redirect_uri} | ({"code_verifier": verifier} if verifier else {})
    answer = client.exchange(client.consented(**query)["code"], **form).json()
    assert answer == {"error": "invalid_code"} if not ok else "access_token" in answer


def test_pkce_may_be_required(client: Client) -> None:
    client.zoho.options.require_pkce = True
    assert client.authorize().status_code == 500
    assert client.authorize(code_challenge=S256, code_challenge_method="S256").status_code == 200


def test_ten_codes_in_ten_minutes(client: Client) -> None:
    landed = [client.consented() for _ in range(11)]
    assert ["code" in query for query in landed] == [True] * 10 + [False]
    assert landed[-1] == {"error": "access_denied"}


def test_implicit_tokens_come_in_the_fragment(client: Client) -> None:
    url = client.press(client.authorize(response_type="token", state="s"), "accept")
    assert url.startswith(client.zoho.redirect_uri + "#&")
    fragment = parse_qs(urlsplit(url).fragment)
    assert client.works(fragment["access_token"][0])
    assert fragment["expires_in"] == ["3600"]
    assert fragment["state"] == ["s"]
    assert "refresh_token" not in fragment


def test_implicit_refresh_needs_an_earlier_consent(client: Client) -> None:
    query = {
        "client_id": client.zoho.client_id,
        "response_type": "token",
        "redirect_uri": client.zoho.redirect_uri,
        "scope": "ZohoCRM.modules.ALL",
    }
    assert client.get("/oauth/v2/auth/refresh", **query).headers["Location"].endswith("#&error=client_not_granted")
    client.press(client.authorize(response_type="token"), "accept")
    assert "#&access_token=1000." in client.get("/oauth/v2/auth/refresh", **query).headers["Location"]
    asked = client.get("/oauth/v2/auth/refresh", prompt="consent", **query)
    assert asked.headers["Location"].endswith("#&error=prompt_required")


# --- client credentials ---


def test_client_credentials_give_an_access_token_only(client: Client) -> None:
    scopes = "ZohoCRM.modules.ALL,AaaServer.profile.READ"
    body = client.token("client_credentials", scope=scopes, soid=client.zoho.soid).json()
    assert "refresh_token" not in body
    assert body["scope"] == "ZohoCRM.modules.ALL AaaServer.profile.READ"
    assert client.works(body["access_token"])


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "ZohoCRM.modules.ALL"}, "missing_org_info"),
        ({"scope": "ZohoCRM.modules.ALL", "soid": "ZohoCRM.1"}, "missing_org_info"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "ZohoCRM.modules.ALL ZohoCRM.org.READ"}, "invalid_scope"),
        ({"scope": "Nothing.at.ALL"}, "invalid_scope"),
        ({"scope": "x", "client_secret": "wrong"}, "invalid_client_secret"),
    ],
)
def test_client_credentials_refusals(client: Client, form: dict[str, str], error: str) -> None:
    assert client.token("client_credentials", **form).json() == {"error": error}


# --- data centres ---


def test_serverinfo_lists_every_data_centre(travelled: Client) -> None:
    two = travelled.zoho
    locations = {"us": two.origin("us"), "eu": two.origin("eu")}
    assert travelled.get("/oauth/serverinfo").json() == {"result": "success", "locations": locations}


def test_login_at_us_redirects_eu_user_to_the_eu_accounts_server(travelled: Client) -> None:
    two = travelled.zoho
    landed = travelled.landed(travelled.press(travelled.authorize(access_type="offline"), "accept", place="eu"))
    assert (landed["location"], landed["accounts-server"]) == ("eu", two.origin("eu"))
    uri = {"redirect_uri": two.redirect_uri}
    assert travelled.exchange(landed["code"], "us", **uri).json() == {"error": "invalid_client"}
    tokens = travelled.exchange(landed["code"], "eu", **uri).json()
    assert tokens["api_domain"] == two.origin("eu")
    assert travelled.works(tokens["access_token"], "eu")
    assert not travelled.works(tokens["access_token"], "us")
    assert travelled.refresh(tokens["refresh_token"], "us").json() == {"error": "invalid_client"}
    assert "access_token" in travelled.refresh(tokens["refresh_token"], "eu").json()
    assert travelled.post("/oauth/v2/token/revoke", "us", token=tokens["refresh_token"]).status_code == 400
    assert travelled.post("/oauth/v2/token/revoke", "eu", token=tokens["refresh_token"]).status_code == 200


def test_user_data_centre_option_sets_location(travelled: Client) -> None:
    travelled.zoho.options.user_data_centre = "eu"
    assert travelled.consented()["location"] == "eu"


def test_the_secret_of_another_data_centre_is_a_wrong_client(travelled: Client) -> None:
    two = travelled.zoho
    assert two.secret("us") != two.secret("eu")
    code = two.grant_code(data_centre="eu")
    assert travelled.exchange(code, "eu", client_secret=two.secret("us")).json() == {"error": "invalid_client"}
    assert travelled.exchange(code, "eu", client_secret="typo").json() == {"error": "invalid_client_secret"}
    assert "access_token" in travelled.exchange(code, "eu").json()


def test_without_multi_dc_only_the_home_data_centre_knows_the_client(travelled: Client) -> None:
    two = travelled.zoho
    client = two.register([two.redirect_uri], multi_dc=False)
    ids = {"client_id": client.id, "client_secret": client.secrets["us"]}
    assert "Invalid Client" in travelled.authorize("eu", client_id=client.id).text
    landed = travelled.landed(travelled.press(travelled.authorize(client_id=client.id), "accept", place="eu"))
    for place in ("us", "eu"):
        answer = travelled.exchange(landed["code"], place, redirect_uri=two.redirect_uri, **ids)
        assert answer.json() == {"error": "invalid_client"}


def test_the_error_for_the_wrong_data_centre_is_an_option(travelled: Client) -> None:
    travelled.zoho.options.wrong_data_centre_error = "invalid_code"
    code = travelled.zoho.grant_code(data_centre="eu")
    assert travelled.exchange(code, "us").json() == {"error": "invalid_code"}


def test_a_data_centre_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="data_centres"):
        Simulator(rows=1, data_centres=("mars",))


def test_the_api_may_have_an_origin_of_its_own() -> None:
    with Simulator(rows=1, separate_api=True) as zoho:
        client = Client(zoho)
        with client.http:
            assert client.exchange(zoho.grant_code()).json()["api_domain"] == zoho.api() != zoho.url
            assert requests.get(zoho.api() + "/oauth/serverinfo", timeout=5).status_code == 404
            assert client.get("/crm/v8/org").json()["code"] == "INVALID_URL_PATTERN"


# --- devices ---


def device(client: Client, **form: object) -> dict[str, object]:
    asked = {"client_id": client.zoho.client_id, "grant_type": "device_request", "scope": "ZohoCRM.modules.ALL", **form}
    body: dict[str, object] = client.post("/oauth/v3/device/code", **asked).json()
    return body


def poll(client: Client, code: object, place: str | None = None, later: float = 31, **other: str) -> dict[str, object]:
    client.zoho.clock.advance(later)
    ids = {"client_id": client.zoho.client_id, "client_secret": client.zoho.secret(place), **other}
    answer = client.post("/oauth/v3/device/token", place, grant_type="device_token", code=code, **ids)
    assert answer.status_code == 200
    body: dict[str, object] = answer.json()
    return body


def test_a_device_gets_tokens_once_its_person_agrees(client: Client) -> None:
    codes = device(client, access_type="offline", scope="AaaServer.profile.READ")
    assert (codes["interval"], codes["expires_in"]) == (5000, 300000)
    assert str(codes["device_code"]).startswith("1004.")
    assert codes["verification_url"] == client.zoho.url + "/oauth/v3/device"
    assert poll(client, codes["device_code"]) == {"error": "authorization_pending"}
    page = client.get("/oauth/v3/device", user_code=codes["user_code"])
    assert "Connected" in client.press(page, "accept")
    tokens = poll(client, codes["device_code"])
    assert tokens["expires_in"] == 3600
    assert str(tokens["access_token"]).startswith("1004.")
    assert client.works(str(tokens["access_token"]))
    refreshed = client.refresh(str(tokens["refresh_token"])).json()["access_token"]
    assert client.works(refreshed)
    assert poll(client, codes["device_code"]) == {"error": "invalid_code"}


def test_a_device_without_offline_access_gets_no_refresh_token(client: Client) -> None:
    codes = device(client)
    client.press(client.get("/oauth/v3/device", user_code=codes["user_code"]), "accept")
    assert "refresh_token" not in poll(client, codes["device_code"])


def test_a_device_that_polls_too_fast_is_told_to_slow_down(client: Client) -> None:
    code = device(client)["device_code"]
    assert poll(client, code) == {"error": "authorization_pending"}
    assert poll(client, code, later=20) == {"error": "slow_down"}
    assert poll(client, code, later=11) == {"error": "authorization_pending"}, (
        "a hasty poll does not start the waiting anew"
    )


def test_a_device_may_be_refused_or_forgotten(client: Client) -> None:
    refused = device(client)
    client.press(client.get("/oauth/v3/device", user_code=refused["user_code"]), "reject")
    assert poll(client, refused["device_code"]) == {"error": "access_denied"}
    forgotten = device(client)
    client.zoho.clock.advance(300)
    assert poll(client, forgotten["device_code"]) == {"error": "expired"}
    assert "not valid" in client.get("/oauth/v3/device", user_code=forgotten["user_code"]).text


def test_device_polls_the_users_data_centre_after_other_dc(travelled: Client) -> None:
    codes = device(travelled)
    page = travelled.get("/oauth/v3/device", user_code=codes["user_code"])
    travelled.press(page, "accept", place="eu")
    assert poll(travelled, codes["device_code"], "us") == {"user_location": "eu", "error": "other_dc"}
    assert poll(travelled, codes["device_code"], "eu", later=0)["api_domain"] == travelled.zoho.origin("eu")


def test_device_requests_are_checked(client: Client) -> None:
    assert device(client, client_id="x") == {"error": "invalid_client"}
    assert device(client, scope="x") == {"error": "invalid_scope"}
    assert device(client, client_id=client.zoho.register(kinds=["server"]).id) == {"error": "invalid_client"}
    assert poll(client, "1004.made.up") == {"error": "invalid_code"}
    other = client.zoho.register()
    ids = {"client_id": other.id, "client_secret": other.secrets["us"]}
    assert poll(client, device(client)["device_code"], **ids) == {"error": "invalid_code"}


# --- more scopes ---


def test_a_refresh_token_can_gain_scopes(client: Client) -> None:
    zoho = client.zoho
    refresh_token = zoho.refresh_token("ZohoCRM.modules.ALL")
    before = client.refresh(refresh_token).json()
    ids = {"client_id": zoho.client_id, "client_secret": zoho.client_secret, "refresh_token": refresh_token}
    enhance = client.post("/oauth/v2/token/scopeenhance", grant_type="update_scopes_token", **ids).json()
    assert enhance["expires_in"] == 600
    query = {
        "client_id": zoho.client_id,
        "response_type": "update_scopes",
        "redirect_uri": zoho.redirect_uri,
        "scope": "AaaServer.profile.READ",
        "enhance_token": enhance["access_token"],
    }
    page = client.get("/oauth/v2/token/addextrascope", **query)
    assert client.landed(client.press(page, "reject")) == {"error": "access_denied"}
    url = client.press(client.get("/oauth/v2/token/addextrascope", **query), "accept")
    assert client.landed(url) == {"status": "success", "scope_enhanced": "true"}
    after = client.refresh(refresh_token).json()
    assert after["scope"] == "ZohoCRM.modules.ALL AaaServer.profile.READ"
    assert client.works(after["access_token"])
    assert not client.works(before["access_token"])
    zoho.clock.advance(601)
    assert "An error occurred" in client.get("/oauth/v2/token/addextrascope", **query).text


def test_only_the_refresh_tokens_own_client_can_add_scopes(client: Client) -> None:
    zoho = client.zoho
    other = zoho.register([zoho.redirect_uri])
    form = {"grant_type": "update_scopes_token", "refresh_token": zoho.refresh_token()}
    mine = form | {"client_id": zoho.client_id, "client_secret": zoho.client_secret}
    theirs = form | {"client_id": other.id, "client_secret": other.secrets["us"]}
    assert client.post("/oauth/v2/token/scopeenhance", **theirs).json() == {"error": "invalid_code"}
    query = {
        "client_id": other.id,
        "response_type": "update_scopes",
        "redirect_uri": zoho.redirect_uri,
        "scope": "AaaServer.profile.READ",
        "enhance_token": client.post("/oauth/v2/token/scopeenhance", **mine).json()["access_token"],
    }
    assert "An error occurred" in client.get("/oauth/v2/token/addextrascope", **query).text


# --- who am I, and the API's own refusals ---


@pytest.mark.parametrize("scheme", ["Zoho-oauthtoken", "Bearer"])
def test_the_profile_under_either_prefix(client: Client, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {client.zoho.access_token()}"}
    body = client.http.get(client.zoho.url + "/oauth/user/info", headers=headers, timeout=5).json()
    assert body == {
        "First_Name": "Patricia",
        "Last_Name": "Boyle",
        "Display_Name": "Patricia Boyle",
        "Email": "patricia.boyle@example.com",
        "ZUID": client.zoho.options.zuid,
    }


def test_the_profile_has_accounts_names_for_refusals(client: Client) -> None:
    assert client.get("/oauth/user/info", token="x").json()["code"] == "INVALID_OAUTHTOKEN"
    poor = client.zoho.access_token("ZohoCRM.modules.ALL")
    assert client.get("/oauth/user/info", token=poor).json()["code"] == "INVALID_OAUTHSCOPE"


def test_other_oauth_addresses_are_404_pages(client: Client) -> None:
    for path in ("/oauth/v2/token/info", "/.well-known/oauth-authorization-server"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html;charset=UTF-8")


def test_unknown_api_addresses(client: Client) -> None:
    answer = client.get("/crm/v99/nowhere")
    assert answer.status_code == 404
    assert answer.json() == {
        "code": "INVALID_URL_PATTERN",
        "details": {},
        "message": "Please check if the URL trying to access is a correct one",
        "status": "error",
    }


def test_options_can_be_given_at_the_start() -> None:
    with Simulator(rows=1, options=Options(org_id="42", code_lifetime=60)) as zoho:
        assert zoho.soid == "ZohoCRM.42"
        assert zoho.options.code_lifetime == 60
