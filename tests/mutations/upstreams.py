"""Mutations of what guards several upstreams and their keys."""

from tests.mutations import Mutation

GATEWAY = "tests/gateway/test_upstreams.py::test_"
SOURCE = "tests/app/test_upstream_source.py::test_"
PORTAL = "tests/portal/test_upstreams.py::test_"
ROUTING = "tests/upstreams/test_routing.py::test_"
FAILOVER = "tests/upstreams/test_failover.py::test_"
SEALED = "tests/records/test_sealed_keys.py::test_"

MUTATIONS = (
    Mutation(
        "upstreams: a model goes to those that name it",
        "upstreams/routing.py",
        "return _in_order(named or [Candidate(x) for x in members if not x.models])[:MOST_TRIES]",
        "return _in_order([*named, *(Candidate(x) for x in members if not x.models)])[:MOST_TRIES]",
        f"{ROUTING}a_model_is_routed_to_the_upstreams_that_list_it",
    ),
    Mutation(
        "upstreams: an open circuit is tried last",
        "upstreams/routing.py",
        "return member.breaker.is_last_resort, member.priority, lot",
        "return False, member.priority, lot",
        f"{ROUTING}an_upstream_with_an_open_circuit_is_tried_last",
    ),
    Mutation(
        "upstreams: one probe at a time",
        "upstreams/circuit_breaker.py",
        "self._is_probing = True",
        "return",
        f"{ROUTING}the_circuit_breaker_probes_after_a_pause",
    ),
    Mutation(
        "upstreams: nothing moves on after a timeout in which the work may have been done",
        "upstreams/failover.py",
        "return isinstance(error, UpstreamTimeoutError) and error.was_sent",
        "return False",
        f"{GATEWAY}a_request_that_may_have_been_served_does_not_fail_over",
    ),
    Mutation(
        "upstreams: a streamed body is sent once",
        "upstreams/failover.py",
        "is_spent = watched is not None and watched.is_begun",
        "is_spent = False",
        f"{GATEWAY}a_streamed_body_is_sent_once",
    ),
    Mutation(
        "upstreams: all tries are within one call",
        "upstreams/failover.py",
        "return not is_spent and loop.time() - began_at < call_s",
        "return not is_spent",
        f"{FAILOVER}no_further_upstream_is_tried_after_the_deadline",
    ),
    Mutation(
        "upstreams: the time of earlier tries counts",
        "upstreams/connection.py",
        "self._began_at = request.began_at",
        "pass",
        f"{FAILOVER}the_call_timeout_includes_earlier_attempts",
    ),
    Mutation(
        "upstreams: stored objects are at the first upstream",
        "gateway/upstream_choice.py",
        "is_for_first = call.is_model_list or (keeps_objects and _uses_objects(call, document))",
        "is_for_first = call.is_model_list",
        "tests/gateway/test_stored_at_first.py::test_what_may_be_stored_goes_to_the_first",
    ),
    Mutation(
        "upstreams: the demo model does not stand in for upstreams that are off",
        "upstreams/current.py",
        "return self._settings.demo or not self.configs",
        "return self._settings.demo or not self.members",
        "tests/gateway/test_stored_at_first.py::"
        "test_upstreams_that_are_all_off_are_not_the_demo_model",
    ),
    Mutation(
        "upstreams: the bound covers the dearest upstream",
        "gateway/request_meter.py",
        "return HighestPrice(tuple(prices[x] or FREE for x in call.candidates))",
        "return prices[call.candidates[0]] or FREE",
        f"{GATEWAY}the_bound_covers_the_most_expensive_upstream",
    ),
    Mutation(
        "upstreams: the cost is that of the upstream that served",
        "gateway/call.py",
        "self.price = self.prices[candidate]",
        "pass",
        f"{GATEWAY}plans_and_prices_apply_to_the_upstreams_model",
    ),
    Mutation(
        "upstreams: a drained pool is left by its last request",
        "upstreams/http.py",
        "is_over = self._is_draining and not self._connections",
        "is_over = False",
        f"{FAILOVER}a_drained_pool_finishes_open_requests_and_closes_idle_connections",
    ),
    Mutation(
        "upstreams: a change of the address needs the key",
        "portal/operator/upstreams.py",
        'if is_elsewhere and row.sealed_key and "api_key" not in changed:',
        "if False:",
        f"{PORTAL}a_stored_upstream_key_is_not_sent_to_another_address",
    ),
    Mutation(
        "upstreams: a test of another address needs the key",
        "portal/operator/upstream_test.py",
        "if terms_now.origin != before.origin and stored_key is not None:",
        "if False:",
        f"{PORTAL}a_stored_upstream_key_is_not_sent_to_another_address",
    ),
    Mutation(
        "upstreams: a sealed key is bound to its address",
        "records/upstreams.py",
        'return f"{row.id} {terms_of(row).origin}"',
        "return row.id",
        f"{PORTAL}an_address_changed_in_the_database_does_not_get_the_key",
    ),
    Mutation(
        "upstreams: a key is encrypted anew with the newest secret key",
        "records/sealed_keys.py",
        "return self.seal(text, context) if number else None",
        "return None",
        f"{SEALED}the_newest_secret_seals_and_every_secret_unseals",
    ),
    Mutation(
        "upstreams: a metadata service is no upstream",
        "portal/operator/upstream_checks.py",
        "check_upstream_address(terms.base_url, private=private)",
        "pass",
        f"{PORTAL}invalid_upstream_fields_are_named",
    ),
    Mutation(
        "upstreams: settings are not changed on the site",
        "portal/operator/upstreams.py",
        'if config.id == upstream_id and config.source == "settings":',
        "if False:",
        f"{PORTAL}upstream_names_are_unique_and_configured_ones_are_read_only",
    ),
    Mutation(
        "upstreams: other processes follow a change",
        "app/upstream_source.py",
        "if revision != self._revision:",
        "if False:",
        f"{PORTAL}a_changed_upstream_takes_effect_everywhere_within_a_second",
    ),
    Mutation(
        "upstreams: a row that cannot be read stops no start",
        "records/upstreams.py",
        "except (SealBrokenError, UpstreamUnreadableError):",
        "except SealBrokenError:",
        f"{SOURCE}an_unreadable_row_turns_only_its_upstream_off",
    ),
    Mutation(
        "upstreams: a row that cannot be read is answered with 409",
        "portal/operator/upstream_checks.py",
        "except stored.UpstreamUnreadableError:",
        "except ZeroDivisionError:",
        f"{PORTAL}an_unreadable_upstream_can_only_be_deleted",
    ),
)
