import asyncio

from daypass.gateway.revocation import Revocations
from tests.redis import Redis


async def test_every_process_hears_of_a_change_also_after_redis_restarted() -> None:
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
