"""Which endpoints this site relays: the table of `endpoints`, and what the operator has set."""

from typing import Literal
from urllib.parse import unquote

from daypass.gateway.endpoints import TURNED_OFF, EndpointClass, Route, route_of
from daypass.gateway.errors import GatewayError
from daypass.gateway.request import Target

StoredObjects = Literal["off", "per-account", "shared"]


class EndpointPolicy:
    """The operator's choice of endpoints."""

    def __init__(self, stored_objects: StoredObjects, extra_paths: tuple[str, ...]) -> None:
        """`extra_paths` are below `/v1`; each turns on what is at it and below it."""
        self.stored_objects = stored_objects
        self._extra_paths = tuple("/" + path.strip("/") for path in extra_paths)

    def route(self, target: Target) -> Route:
        """Return the endpoint of a request. Raises GatewayError 403 when it is turned off."""
        route = route_of(target.method, target.path)
        match route.endpoint.cls:
            case EndpointClass.STORED if self.stored_objects == "off":
                raise stored_objects_off(f"{target.method} {target.path.decode()}")
            case EndpointClass.UNKNOWN if not self._is_extra(target.path):
                raise _unknown_endpoint(target)
        return route

    def _is_extra(self, path: bytes) -> bool:
        read = unquote(path.decode())
        return any(read == extra or read.startswith(extra + "/") for extra in self._extra_paths)


def stored_objects_off(what: str, param: str | None = None) -> GatewayError:
    """403: the request would read or write what the upstream stores, which this site does not."""
    message = (
        f"{what} is turned off on this site, because it uses objects that are stored upstream. "
        "The operator can turn it on with DAYPASS_STORED_OBJECTS."
    )
    return turned_off(message, param)


def turned_off(message: str, param: str | None = None) -> GatewayError:
    """403: an endpoint, or a part of one, that this site does not relay."""
    return GatewayError(
        403,
        "endpoint_turned_off",
        message,
        param=param,
        headers=[(b"x-should-retry", b"false")],
        uncounted=True,
    )


def _unknown_endpoint(target: Target) -> GatewayError:
    asked = f"{target.method} {target.path.decode()}"
    read = unquote(target.path.decode())
    reasons = [why for path, why in TURNED_OFF.items() if (read + "/").startswith(path + "/")]
    why = f", because {reasons[0]}" if reasons else ": it is not an endpoint that Daypass knows"
    message = (
        f"{asked} is turned off on this site{why}. "
        "The operator can turn it on with DAYPASS_EXTRA_PATHS."
    )
    return turned_off(message)
