"""Ending background tasks, even if they swallow a cancellation."""

import asyncio
import contextlib

import pytest

from daypass.background import end, wait_at_most


@pytest.mark.parametrize("turns", range(6))
async def test_a_task_ends_at_whatever_point_it_is_cancelled(turns: int) -> None:
    arrived, forever = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await asyncio.wait_for(arrived.wait(), 60)
        await forever.wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    arrived.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    await asyncio.wait_for(end([task]), 10)
    assert task.cancelled()


async def test_a_swallowed_cancellation_is_repeated() -> None:
    forever = asyncio.Event()

    async def work() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await forever.wait()
        await forever.wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await asyncio.wait_for(end([task]), 10)
    assert task.cancelled()


@pytest.mark.parametrize("turns", range(6))
async def test_a_wait_can_be_cancelled_at_any_point(turns: int) -> None:
    event = asyncio.Event()

    async def work() -> None:
        await wait_at_most(60, event)
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()


async def test_errors_of_ending_tasks_are_not_raised() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await end([task])
    assert isinstance(task.exception(), ValueError)
    await end([])
