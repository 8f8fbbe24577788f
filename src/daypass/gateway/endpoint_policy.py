"""Decides which endpoints are relayed, from the table in `endpoints` and the settings."""

import re
from typing import Literal
from urllib.parse import unquote

from daypass.gateway.endpoints import TURNED_OFF, EndpointClass, Route, route_of
from daypass.gateway.errors import GatewayError
from daypass.gateway.request import Target

StoredObjects = Literal["off", "per-account", "shared"]


# A mistake at the end of a base URL, followed by the path that the client appends to it.
_ENDPOINT = r"chat/completions|completions|responses|embeddings|models|messages|moderations"
_REPEATED = re.compile(rf"((?:/v1|/(?:{_ENDPOINT}))+)/(?:{_ENDPOINT}|images/|audio/)")


class EndpointPolicy:
    """The operator's choice of endpoints."""

    def __init__(self, stored_objects: StoredObjects, extra_paths: tuple[str, ...]) -> None:
        """Create a policy. `extra_paths`, below `/v1`, are enabled along with their subpaths."""
        self.stored_objects = stored_objects
        self._extra_paths = tuple("/" + path.strip("/") for path in extra_paths)

    def route(self, target: Target) -> Route:
        """Return the endpoint of a request.

        Raises GatewayError: 403 for an endpoint that is off, 404 for a wrong base URL.
        """
        route = route_of(target.method, target.path)
        match route.endpoint.cls:
            case EndpointClass.STORED if self.stored_objects == "off":
                refusal = stored_objects_off(f"{target.method} {target.path.decode()}")
            case EndpointClass.UNKNOWN if not self._is_extra(target.path):
                refusal = _unknown_endpoint(target)
            case _:
                return route
        raise _repeated_base_url(target) or refusal

    def _is_extra(self, path: bytes) -> bool:
        read = unquote(path.decode())
        return any(read == extra or read.startswith(extra + "/") for extra in self._extra_paths)


def stored_objects_off(what: str, param: str | None = None) -> GatewayError:
    """Return the 403 for a request that uses stored objects, which are off on this site."""
    message = (
        f"{what} is turned off on this site, because it uses objects that are stored upstream. "
        "The operator can turn it on with DAYPASS_STORED_OBJECTS."
    )
    return turned_off(message, param)


def turned_off(message: str, param: str | None = None) -> GatewayError:
    """Return the 403 for an endpoint, or part of one, that this site does not relay."""
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


def _repeated_base_url(target: Target) -> GatewayError | None:
    """Return a 404 for `/v1/v1/models` or an endpoint pasted as the base URL; otherwise None."""
    found = _REPEATED.match(unquote(target.path.decode()))
    if found is None:
        return None
    message = (
        f"The base URL of your client goes too far: take {found[1]} off its end. "
        "It must end in /v1, once."
    )
    return GatewayError(404, "unknown_url", message, uncounted=True)
