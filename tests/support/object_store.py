"""An upstream that stores objects as OpenAI does, shared by all holders of its key."""

import itertools
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.support.upstream import Seen

KINDS = {
    "files": "file", "batches": "batch", "vector_stores": "vs", "assistants": "asst",
    "containers": "cntr", "evals": "eval", "videos": "video", "uploads": "upload",
    "threads": "thread", "conversations": "conv", "fine_tuning/jobs": "ftjob",
    "chat/completions": "chatcmpl", "responses": "resp",
}  # fmt: skip

_numbers = itertools.count(1)


class ObjectStore:
    """Responds like the real one as far as ids, lists and streams are concerned."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}

    def add(self, kind: str, **members: Any) -> dict[str, Any]:
        """Create an object, as the operator might outside Daypass."""
        made = {"id": f"{KINDS[kind]}-{next(_numbers):04d}", "object": kind} | members
        self.objects[kind].append(made)
        return made

    def __call__(self, seen: Seen) -> Response:
        """Answer a request."""
        address = urlsplit(seen.target.removeprefix("/v1/"))
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        is_json = seen.headers.get("content-type") == "application/json"
        asked = orjson.loads(seen.body) if seen.body and is_json else {}
        kind = next((x for x in KINDS if re.match(rf"{x}(/|$)", address.path)), "")
        if not kind:
            return JSONResponse({"object": "list", "data": [{"id": "m"}, {"id": "ft:mine"}]})
        below = address.path.removeprefix(kind).strip("/").split("/")
        if below in ([""], ["runs"]):
            return self._list(kind, query) if seen.method == "GET" else self._make(kind, asked)
        return self._below(seen.method, kind, below)

    def _make(self, kind: str, asked: dict[str, Any]) -> Response:
        made = self.add(kind, metadata=asked.get("metadata"))
        if kind == "batches":
            made["output_file_id"] = self.add("files", purpose="batch_output")["id"]
        if kind == "responses":
            made["conversation"] = {"id": self.add("conversations")["id"]}
            container = self.add("containers")["id"]
            made["output"] = [
                {"id": f"msg_{made['id']}", "type": "message", "content": []},
                {
                    "id": f"ci_{made['id']}",
                    "type": "code_interpreter_call",
                    "container_id": container,
                },
            ]
        if asked.get("stream"):
            return StreamingResponse(self._events(made), media_type="text/event-stream")
        return JSONResponse(made)

    def _events(self, made: dict[str, Any]) -> Iterator[bytes]:
        first = {k: v for k, v in made.items() if k != "output"}
        yield b"event: response.created\ndata: " + orjson.dumps({"response": first})[:30]
        yield orjson.dumps({"response": first})[30:] + b"\n\n"
        for item in made.get("output", []):
            yield b"data: " + orjson.dumps({"item": item}) + b"\n\n"
        yield b'data: {"delta": "x"}\r\n\r\ndata: [DONE]\n\n'

    def _list(self, kind: str, query: dict[str, str]) -> Response:
        found = self.objects[kind]
        limit = int(query.get("limit", "20"))
        ids = [one["id"] for one in found]
        if "before" in query:
            end = ids.index(query["before"])
            page, has_more = found[max(0, end - limit) : end], end > limit
        else:
            start = ids.index(query["after"]) + 1 if "after" in query else 0
            page, has_more = found[start : start + limit], len(found) > start + limit
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return JSONResponse({"object": "list", "data": page, "has_more": has_more} | ends)

    def _below(self, method: str, kind: str, below: list[str]) -> Response:
        found = next((one for one in self.objects[kind] if one["id"] == below[0]), None)
        if found is None:
            return JSONResponse({"error": {"message": "none", "code": "gone"}}, 404)
        if below[1:] == ["content"]:
            return Response(b'{"id": "no object"}\n', media_type="application/jsonl")
        if len(below) > 1:  # Lenient: everything below an object exists.
            return JSONResponse({"id": f"part-{next(_numbers)}", "object": "part"})
        if method == "DELETE":
            self.objects[kind].remove(found)
            return JSONResponse({"id": found["id"], "deleted": True})
        return JSONResponse(found)
