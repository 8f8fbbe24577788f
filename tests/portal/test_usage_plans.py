"""Which usage plans people can choose."""

from tests.conftest import Server


def test_usage_plans_need_no_session(site: Server) -> None:
    response = site.client().get("/api/usage-plans")
    assert response.status_code == 200
    assert [plan["id"] for plan in response.json()] == [
        "10RequestPerDay",
        "20RequestPerDay",
        "30RequestPerDay",
    ]
    first = response.json()[0]
    assert first["limits"] == [{"measure": "requests", "amount": 10, "window": "day"}]
    assert first["models"] == []
