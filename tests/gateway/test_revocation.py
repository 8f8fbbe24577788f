import asyncio

from daypass.gateway.revocation import Revocations
from tests.support.redis import Redis
from tests.support.sentinels import Sentinels


async def test_revocations_are_received_after_redis_restarts() -> None:
    server = Redis()
    server.start()
    heard = [asyncio.Event(), asyncio.Event()]
    both = [Revocations(server.url, event.set) for event in heard]
    try:
        for one, event in zip(both, heard, strict=True):
            one.start()
            await asyncio.wait_for(event.wait(), 5)  # subscribed
        for _ in range(2):
            for event in heard:
                event.clear()
            both[0].announce()
            await asyncio.wait_for(heard[1].wait(), 5)
            server.kill()
            server.start()
            for event in heard:
                event.clear()
            for event in heard:
                await asyncio.wait_for(event.wait(), 10)  # subscribed again
    finally:
        for one in both:
            await one.close()
        server.remove()


async def test_revocations_are_received_after_a_fail_over() -> None:
    """Even while the replaced server still answers."""
    sentinels = Sentinels()
    heard = [asyncio.Event(), asyncio.Event()]
    both: list[Revocations] = []
    try:
        sentinels.start()
        both += [Revocations(sentinels.url, event.set) for event in heard]
        for one, event in zip(both, heard, strict=True):
            one.start()
            await asyncio.wait_for(event.wait(), 5)  # subscribed
            event.clear()
        await asyncio.to_thread(sentinels.fail_over)
        for event in heard:
            await asyncio.wait_for(event.wait(), 10)  # subscribed again
        with sentinels.master.client() as client:
            async with asyncio.timeout(10):
                while client.pubsub_numsub("daypass:keys-changed")[0][1] < 2:
                    await asyncio.sleep(0.05)
        heard[1].clear()
        both[0].announce()
        await asyncio.wait_for(heard[1].wait(), 5)
    finally:
        for one in both:
            await one.close()
        sentinels.remove()
