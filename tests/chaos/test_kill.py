import pytest

from tests.chaos.kill import run
from tests.support.redis import Redis


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_kill_9_under_load_neither_exceeds_limits_nor_loses_counts(
    store: str, redis_server: Redis
) -> None:
    settings = {"DAYPASS_REDIS_URL": redis_server.url} if store == "redis" else {}
    figures = run(2, **settings)
    assert figures.kills == 4
    assert figures.over_limit == 0
    assert figures.uncounted == 0
    assert figures.served <= figures.admitted <= figures.counted
