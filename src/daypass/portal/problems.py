"""Errors as RFC 9457 problem details (`application/problem+json`)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from daypass.enforcement.base import EnforcerError, KeyGoneError
from daypass.quota.ledger import LedgerUnavailableError
from daypass.records.database import (
    CommitUnknownError,
    DatabaseUnavailableError,
    UnstorableError,
)

log = structlog.get_logger()

NO_SUCH_KEY = "You have no such API key."

_DETAILS = {
    404: "This path does not exist. See /api/docs for a description of this API.",
    405: "This path does not support this method. See /api/docs for a description of this API.",
    413: "The request body is too large for this path.",
}

INVALID_JSON = "The request body is not valid JSON."


class FieldProblem(BaseModel):
    """An error in one member of the request body."""

    pointer: str = Field(description="JSON pointer to the member, such as `#/email`")
    detail: str


class Problem(BaseModel):
    """A problem details document."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


class ProblemError(Exception):
    """An error response that says what happened and what to do."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        field: str | None = None,
        type_: str = "about:blank",
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["retry-after"] = str(retry_after_s)
        errors = [FieldProblem(pointer=f"#/{field}", detail=detail)] if field else []
        self.problem = Problem(
            type=type_,
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            errors=errors,
        )


def too_many_attempts(wait_ms: int) -> ProblemError:
    """Return the 429 of a throttle that admits the next attempt in `wait_ms` milliseconds."""
    seconds = -(-wait_ms // 1000)
    unit = "second" if seconds == 1 else "seconds"
    message = f"Too many attempts. Try again in {seconds} {unit}."
    return ProblemError(429, message, retry_after_s=seconds)


ANSWERS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "A problem with the request"},
    "5XX": {"model": Problem, "description": "A problem with Daypass or its upstream"},
}
"""Error responses that every portal route may return, for the OpenAPI document."""


def to_response(problem: Problem) -> Response:
    """Return the HTTP response for a problem."""
    return JSONResponse(
        problem.model_dump(),
        problem.status,
        media_type="application/problem+json",
    )


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `app`, with the media type of problems (RFC 9457)."""
    document = FastAPI.openapi(app)
    for path in document["paths"].values():
        for operation in path.values():
            for status in ANSWERS:
                content = operation["responses"].get(status, {}).get("content", {})
                if "application/json" in content:
                    content["application/problem+json"] = content.pop("application/json")
    return document


def install(app: FastAPI) -> None:
    """Turn every error of `app` into problem details."""

    async def on_problem(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101
        response = to_response(error.problem)
        response.headers.update(error.headers)
        return response

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        detail = _DETAILS.get(error.status_code, str(error.detail))
        response = to_response(ProblemError(error.status_code, detail).problem)
        response.headers.update(error.headers or {})
        if error.status_code == 405:
            response.headers["allow"] = ", ".join(_methods_of(app, request.scope["path"]))
        return response

    async def on_invalid(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return to_response(_invalid(error.errors()))

    async def on_store(_request: Request, error: Exception) -> Response:
        log.error("store_unavailable", reason=str(error))
        detail = "Daypass cannot reach its database right now. Please try again in a moment."
        response = to_response(ProblemError(503, detail).problem)
        response.headers["retry-after"] = "2"
        return response

    async def on_unknown_commit(_request: Request, error: Exception) -> Response:
        log.error("commit_unknown", reason=str(error))
        detail = (
            "The database stopped responding while saving this, so it may or may not have been "
            "saved. Check before you try again."
        )
        return to_response(ProblemError(500, detail).problem)

    async def on_unstorable(_request: Request, _error: Exception) -> Response:
        detail = "A value in this request contains a character that cannot be stored, such as NUL."
        return to_response(ProblemError(422, detail).problem)

    async def on_enforcer(_request: Request, error: Exception) -> Response:
        assert isinstance(error, EnforcerError)  # noqa: S101
        log.warning("enforcer_failed", reason=error.reason)
        return to_response(ProblemError(error.status, str(error), field=error.about).problem)

    async def on_gone(_request: Request, _error: Exception) -> Response:
        return to_response(ProblemError(404, NO_SUCH_KEY).problem)

    async def on_fault(_request: Request, _error: Exception) -> Response:
        detail = "Something went wrong in Daypass. The operator can find the details in the log."
        return to_response(ProblemError(500, detail).problem)

    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(DatabaseUnavailableError, on_store)
    app.add_exception_handler(CommitUnknownError, on_unknown_commit)
    app.add_exception_handler(LedgerUnavailableError, on_store)
    app.add_exception_handler(UnstorableError, on_unstorable)
    app.add_exception_handler(EnforcerError, on_enforcer)
    app.add_exception_handler(KeyGoneError, on_gone)
    app.add_exception_handler(Exception, on_fault)


def _methods_of(app: FastAPI, path: str) -> list[str]:
    """Return every method of a path, across all its routes (RFC 9110, section 10.2.1).

    A path that is written out, such as `/people/batch`, is not one of `/people/{account_id}`.
    """
    routes = [x for x in iter_route_contexts(app.routes) if x.path_regex.match(path)]
    fewest = min(map(_parameters_of, routes), default=0)
    own = [x for x in routes if _parameters_of(x) == fewest]
    return sorted({method for route in own for method in route.methods or ()})


def _parameters_of(route: Any) -> int:
    """Return the number of parameters in a route's path."""
    return int(route.path.count("{"))


def _invalid(errors: Sequence[Any]) -> Problem:
    if any(error["type"] == "json_invalid" for error in errors):
        return ProblemError(400, INVALID_JSON).problem
    fields = [
        FieldProblem(
            pointer="#/" + "/".join(str(part) for part in error["loc"][1:]),
            detail=_sentence(error),
        )
        for error in errors
    ]
    members = ", ".join(sorted({x.pointer.removeprefix("#/") or "the body" for x in fields}))
    return Problem(
        title=HTTPStatus(422).phrase,
        status=422,
        detail=f"Some fields are not valid: {members}.",
        errors=fields,
    )


def _sentence(error: Any) -> str:
    message: str = error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "missing":
            message = "this field is required"
        case "string_too_short":
            message = f"use at least {error['ctx']['min_length']} characters"
        case "string_too_long":
            message = f"use at most {error['ctx']['max_length']} characters"
    return message[:1].upper() + message[1:]
