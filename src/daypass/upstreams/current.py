"""The upstreams of this process, which change while it runs."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from daypass.config.settings import Settings
from daypass.config.upstreams import UpstreamTerms
from daypass.observability.upstream_metrics import UpstreamNumbers
from daypass.upstreams.base import Timeouts, Upstream
from daypass.upstreams.demo import DemoUpstream
from daypass.upstreams.http import HttpUpstream
from daypass.upstreams.member import Health, Member, UpstreamConfig
from daypass.upstreams.routing import Candidate, candidates

DEMO_NAME = "demo"


class Described(NamedTuple):
    """An upstream and its key, on the way into its connection pool."""

    config: UpstreamConfig
    api_key: str | None


class CurrentUpstreams:
    """The upstreams in use. The demo model takes their place while there are none at all.

    Needs a running event loop. Example::

        upstreams = CurrentUpstreams(settings)
        upstreams.replace([Described(config, "sk-...")])
        found = upstreams.only or upstreams.candidates("gpt-4o", takes_alias=True)
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._draining: list[Upstream] = []
        self.configs: tuple[UpstreamConfig, ...] = ()
        """All upstreams, also those that are off."""
        self.members: tuple[Member, ...] = ()
        """Those in use, the first one first."""
        self.only: tuple[Candidate, ...] = ()
        """The single upstream, if there is one for every request; else empty."""
        self.replace(())

    @property
    def is_demo(self) -> bool:
        """Return whether the demo model answers."""
        return self._settings.demo or not self.configs

    @property
    def call_timeout_s(self) -> float:
        """Return the timeout of a whole call, in seconds."""
        return self._settings.call_timeout_s

    def candidates(self, model: str, *, takes_alias: bool) -> tuple[Candidate, ...]:
        """Return the upstreams to try for a request: see `routing.candidates`."""
        return candidates(self.members, model, takes_alias=takes_alias)

    def replace(self, described: Iterable[Described]) -> None:
        """Use these upstreams from now on. Requests in flight finish with those they had."""
        described = list(described)
        health = {x.name: x.health for x in self.members}
        self.configs = tuple(x.config for x in described)
        members = [
            self._unchanged(x.config) or self._member(x, health)
            for x in described
            if x.config.problem is None
        ]
        if self.is_demo:
            members = [x for x in self.members if x.config is None] or [
                Member(DEMO_NAME, DemoUpstream(), None)
            ]
        gone = [x.upstream for x in self.members if x not in members]
        self.members = tuple(members)
        is_plain = len(members) == 1 and not (members[0].models or members[0].aliases)
        self.only = (Candidate(members[0]),) if is_plain else ()
        self._draining = [x for x in self._draining if not x.is_idle] + gone
        for upstream in gone:
            upstream.drain()

    def numbers(self) -> Mapping[str, UpstreamNumbers]:
        """Return what this process has seen of each upstream, by name, for the metrics."""
        return {x.name: x.numbers() for x in self.members if x.config is not None}

    async def close(self) -> None:
        """Close every connection."""
        for upstream in (*(x.upstream for x in self.members), *self._draining):
            await upstream.close()

    def _unchanged(self, config: UpstreamConfig) -> Member | None:
        return next((x for x in self.members if x.config == config), None)

    def _member(self, described: Described, health: Mapping[str, Health]) -> Member:
        config, terms = described.config, described.config.terms
        measures = terms.measure_streams
        return Member(
            terms.name,
            open_upstream(self._settings, terms, described.api_key),
            config,
            base_url=terms.base_url,
            measures_streams=self._settings.measure_streams if measures is None else measures,
            models=terms.models,
            aliases=terms.aliases,
            weight=terms.weight,
            priority=terms.priority,
            health=health.get(terms.name) or Health(),
        )


def open_upstream(settings: Settings, terms: UpstreamTerms, api_key: str | None) -> HttpUpstream:
    """Return the connection pool of an upstream. Needs a running event loop."""
    return HttpUpstream(
        terms.base_url,
        api_key,
        Timeouts(
            connect_s=settings.connect_timeout_s,
            first_byte_s=settings.first_byte_timeout_s or settings.read_timeout_s,
            gap_s=settings.read_timeout_s,
            call_s=settings.call_timeout_s,
        ),
        auth=terms.auth,
        may_be_private=settings.upstream_private_addresses == "allow",
    )
