"""The relay of the usual tutorial: FastAPI in front of httpx. It checks and counts nothing."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(
        base_url=os.environ["UPSTREAM"], timeout=None, limits=limits
    ) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/v1/models")
@app.post("/v1/chat/completions")
async def relay(request: Request) -> StreamingResponse:
    client: httpx.AsyncClient = request.app.state.client
    outgoing = client.build_request(
        request.method,
        request.url.path,
        content=await request.body(),
        headers={"content-type": "application/json", "authorization": "Bearer sk-upstream"},
    )
    answer = await client.send(outgoing, stream=True)
    return StreamingResponse(
        answer.aiter_raw(),
        status_code=answer.status_code,
        headers={"content-type": answer.headers["content-type"]},
        background=BackgroundTask(answer.aclose),
    )
