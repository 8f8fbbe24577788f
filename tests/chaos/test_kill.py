from tests.chaos.kill import run


def test_kill_9_under_load_admits_no_more_and_forgets_nothing() -> None:
    figures = run(3)
    assert figures.kills == 6
    assert figures.over_limit == 0
    assert figures.uncounted == 0
    assert figures.served <= figures.admitted <= figures.counted
