"""A check that `DAYPASS_DENIED_PATHS` does what it says."""

from daypass.config.settings import Settings, SettingsError
from daypass.gateway.endpoints import ENDPOINTS, TURNED_OFF


def check_path_settings(settings: Settings) -> None:
    """Raise SettingsError for a denied path that matches no endpoint.

    A misspelt path would leave on what the operator wants off.
    """
    for path in settings.denied_paths:
        is_off = any(_is_below(path, off.strip("/")) for off in TURNED_OFF)
        is_extra = any(
            _is_below(path, extra) or _is_below(extra, path) for extra in settings.extra_paths
        )
        if not (is_off or is_extra or _begins_endpoint(path)):
            raise SettingsError(
                f"DAYPASS_DENIED_PATHS: {path!r} is no endpoint that Daypass relays; "
                "docs/endpoints.md lists them"
            )


def _begins_endpoint(path: str) -> bool:
    segments = path.lower().split("/")
    return any(_fits(x.pattern.strip("/").split("/"), segments) for x in ENDPOINTS)


def _fits(pattern: list[str], segments: list[str]) -> bool:
    if len(segments) > len(pattern) and not pattern[-1].endswith("+}"):
        return False
    pairs = zip(pattern, segments, strict=False)
    return all(part == segment or part.startswith("{") for part, segment in pairs)


def _is_below(path: str, other: str) -> bool:
    return f"{path.lower()}/".startswith(f"{other.lower()}/")
