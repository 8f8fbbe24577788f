"""A multipart form that is streamed upstream while its small fields are checked."""

from collections.abc import AsyncIterator, Awaitable, Callable

from daypass.gateway.errors import GatewayError
from daypass.gateway.forms import Field, FormError, FormReader
from daypass.gateway.request import BodyIncompleteError, StreamedBody
from daypass.http.types import Headers, Receive


class FormBody(StreamedBody):
    """Streams a form. Each piece is passed on only after its fields have been checked."""

    def __init__(
        self,
        receive: Receive,
        max_bytes: int,
        headers: Headers,
        *,
        length: int | None,
        wants: Callable[[str, bool], bool],
        examine: Callable[[Field], Awaitable[None]],
        strict: bool,
    ) -> None:
        """Create a form body. Raises GatewayError 400 for an unreadable form if `strict`.

        If not `strict`, an unreadable form is passed on unchecked. `examine` is called for each
        field that `wants` selects, and may raise GatewayError.
        """
        super().__init__(receive, max_bytes, length=length, headers=headers)
        self._examine = examine
        self._strict = strict
        self._held: list[bytes] = []
        self._reader: FormReader | None = None
        try:
            self._reader = FormReader(dict(headers)[b"content-type"], wants)
        except FormError as error:
            if strict:
                raise _unreadable(error) from None
        self._rest = self._read()

    async def hold(self, enough: Callable[[], bool]) -> None:
        """Buffer pieces until `enough()` or the end. Raises GatewayError, ClientDisconnected."""
        try:
            async for piece in self._rest:
                self._held.append(piece)
                if enough():
                    return
        except BodyIncompleteError:
            raise self.failure() from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held, self._held = self._held, []
        for piece in held:
            yield piece
        async for piece in self._rest:
            yield piece

    async def _read(self) -> AsyncIterator[bytes]:
        async for piece in super().__aiter__():
            await self._examine_piece(piece)
            yield piece
        if self._reader is not None and self._strict:
            try:
                self._reader.finish()
            except FormError as error:
                self._failure = _unreadable(error)
                raise BodyIncompleteError from None

    async def _examine_piece(self, piece: bytes) -> None:
        if self._reader is None:
            return
        try:
            for field in self._reader.feed(piece):
                await self._examine(field)
        except FormError as error:
            self._reader = None
            if self._strict:
                self._failure = _unreadable(error)
                raise BodyIncompleteError from None
        except GatewayError as error:
            self._failure = error
            raise BodyIncompleteError from None


def _unreadable(error: FormError) -> GatewayError:
    message = f"The form in the request body cannot be read: {error}."
    return GatewayError(400, "invalid_form", message, uncounted=True)
