"""What can't be answered, as a status and one sentence: ``{"error": "..."}``."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from digitnet.errors import DigitnetError, StorageError
from digitnet.serving.guard import LARGEST, TooLargeError
from digitnet.serving.inference_api.queues import OverloadedError
from digitnet.serving.page_api.adaptation import BusyError
from digitnet.serving.shelf import UnknownModelError

_STATUS_OF: dict[type[Exception], int] = {StorageError: 507, BusyError: 409, UnknownModelError: 404}
"""Of errors whose message is a sentence; all others are the sender's, 400."""


def refuse(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    """Make the reply of a refusal."""
    return JSONResponse({"error": sentence}, status, headers)


async def _say_what_is_wrong(request: Request, error: Exception) -> Response:
    return refuse(_STATUS_OF.get(type(error), 400), str(error))


async def _say_what_is_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    return refuse(422, f"{where or 'The request'}: {first['msg']}.")


async def _say_it_is_too_large(request: Request, error: Exception) -> Response:
    return refuse(413, f"The body: expected at most {LARGEST >> 20} MB. Send a smaller picture.")


async def _say_what_http_says(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, TooLargeError):  # as FastAPI reports it while it reads JSON
        return await _say_it_is_too_large(request, error)
    if isinstance(error.__cause__, OverloadedError):
        return await _say_it_is_overloaded(request, error)
    return refuse(error.status_code, f"{error.detail}.")


async def _say_it_is_overloaded(request: Request, error: Exception) -> Response:
    return refuse(503, "Too much waits already. Ask again in a second.", {"Retry-After": "1"})


async def _say_that_it_is_gone(request: Request, error: Exception) -> Response:
    return refuse(400, "The request ended before it was whole.")  # which is counted; nobody is there to read it


STATUSES = {
    400: "It can't be answered: what was expected, what was found",
    404: "There is no such model",
    413: f"The body has more than {LARGEST >> 20} MB",
    422: "A parameter is not what it should be",
    503: "Too much waits already, or the answer took too long; Retry-After says when to ask again",
}
"""What a refusal of the routes for programs means."""

Handler = Callable[[Request, Exception], Awaitable[Response]]

HANDLERS: dict[type[Exception], Handler] = {
    ClientDisconnect: _say_that_it_is_gone,
    HTTPException: _say_what_http_says,
    DigitnetError: _say_what_is_wrong,
    RequestValidationError: _say_what_is_invalid,
    TooLargeError: _say_it_is_too_large,
    OverloadedError: _say_it_is_overloaded,
}
"""How each exception is answered."""


def find_handler(error: Exception) -> Handler | None:
    """Find how an exception is answered; None if it is a fault of the service."""
    return next((HANDLERS[kind] for kind in type(error).__mro__ if kind in HANDLERS), None)
