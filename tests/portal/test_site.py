"""What the portal serves beside its API: pages, health, metrics, the OpenAPI document."""

import json
from pathlib import Path

from daypass.app.factory import Daypass
from daypass.config.settings import Settings
from tests.conftest import Server, StartServer
from tests.support.portal import problem
from tests.support.waiting import until


def test_unknown_api_paths_are_json_errors(site: Server) -> None:
    client = site.client()
    assert problem(client.get("/api/nothing")) == 404
    assert problem(client.get("/api")) == 404
    assert problem(client.put("/api/api-keys", json={})) == 405


def test_metrics_report_request_outcomes(start: StartServer) -> None:
    server = start("--workers", "2", DAYPASS_METRICS_TOKEN="a-token-of-the-operator")
    person = server.sign_up()
    secret = person.create_key()["key"]
    for _ in range(11):
        with server.gateway(secret) as api:  # one connection each, so that both workers serve
            api.post("/v1/embeddings", json={"input": "x"})
    # Each worker publishes its metrics every second.
    metrics = server.client()
    ended = ('200"} 10.0', '429"} 1.0', "daypass_open_requests 0.0")
    until(lambda: all(x in metrics.get("/metrics").text for x in ended))
    text = metrics.get("/metrics").text
    assert 'daypass_requests_total{outcome="counted",status="200"} 10.0' in text
    assert 'daypass_requests_total{outcome="refused",status="429"} 1.0' in text
    assert "daypass_decision_seconds_count 11.0" in text
    assert "daypass_open_requests 0.0" in text
    assert secret not in text
    outside = server.client(headers={"x-forwarded-for": "203.0.113.7"})
    assert outside.get("/metrics").status_code == 403
    token = {"authorization": "Bearer a-token-of-the-operator"}
    assert outside.get("/metrics", headers=token).status_code == 200
    assert outside.get("/metrics", headers={"authorization": "Bearer x"}).status_code == 403


def test_health_endpoints_answer(site: Server) -> None:
    client = site.client()
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_the_site_is_served_on_the_same_address(site: Server) -> None:
    client = site.client()
    for path in ("/", "/sign-up/", "/sign-in/", "/keys/", "/chat/", "/usage/"):
        page = client.get(path)
        assert page.status_code == 200, path
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-cache"
        assert client.head(path).status_code == 200
    missing = client.get("/nothing/here")
    assert missing.status_code == 404
    assert missing.headers["content-type"].startswith("text/html")


def test_the_openapi_document_matches_the_sites_copy(site: Server) -> None:
    served = site.client().get("/api/openapi.json").json()
    kept = json.loads((Path(__file__).parents[2] / "web" / "openapi.json").read_text())
    assert served == kept == Daypass(Settings()).openapi(), "run 'make openapi'"
