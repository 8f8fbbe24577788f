"""The mutations of what decides which endpoints and models are relayed."""

from tests.mutations import Mutation

ENDPOINTS = "tests/gateway/test_endpoints.py::test_"
PER_ACCOUNT = "tests/gateway/test_per_account.py::test_"
MODELS = "tests/gateway/test_models.py::test_"

MUTATIONS = (
    Mutation(
        "endpoints: stored objects are off",
        "gateway/endpoint_policy.py",
        'case EndpointClass.STORED if self.stored_objects == "off":',
        "case EndpointClass.STORED if False:",
        f"{ENDPOINTS}stored_objects_are_off",
    ),
    Mutation(
        "endpoints: unknown paths are off",
        "gateway/endpoint_policy.py",
        "case EndpointClass.UNKNOWN if not self._is_extra(target.path):",
        "case EndpointClass.UNKNOWN if False:",
        f"{ENDPOINTS}unknown_endpoints_are_off",
    ),
    Mutation(
        "endpoints: a metered request names no stored object",
        "gateway/call_reader.py",
        "if may_name_stored_objects(document):",
        "if False:",
        f"{ENDPOINTS}a_request_cannot_name_what_is_stored",
    ),
    Mutation(
        "endpoints: a metered body is JSON whatever its type says",
        "gateway/call_reader.py",
        "return is_metered or self._is_strict(call)",
        "return False",
        f"{ENDPOINTS}a_request_cannot_name_what_is_stored",
    ),
    Mutation(
        "models: members in any case",
        "gateway/named_models.py",
        "folded = name.casefold()",
        "folded = name",
        f"{MODELS}no_place_hides_a_model",
    ),
    Mutation(
        "models: the query",
        "gateway/call_reader.py",
        "models = [*models_in_document(document), *models_in_query(call.target.query), *in_form]",
        "models = [*models_in_document(document), *in_form]",
        f"{MODELS}no_place_hides_a_model",
    ),
    Mutation(
        "models: a call that must choose one",
        "gateway/named_models.py",
        "if choice is ModelChoice.REQUIRED and not named:",
        "if False:",
        f"{MODELS}no_place_hides_a_model",
    ),
    Mutation(
        "models: a form is held back",
        "gateway/call_reader.py",
        "await body.hold(lambda: bool(models) or not has_models)",
        "await body.hold(lambda: True)",
        f"{MODELS}a_form_that_names_a_model_of_the_plan_passes",
    ),
    Mutation(
        "models: a form names one model",
        "gateway/call_reader.py",
        "if has_models and len(models) > 1:",
        "if False:",
        f"{MODELS}a_form_hides_no_model",
    ),
    Mutation(
        "models: a boundary inside a part",
        "gateway/forms.py",
        "if self._ended or self._buffer[max(0, at - 2) : at] != CRLF:",
        "if False:",
        f"{MODELS}a_form_hides_no_model",
    ),
    Mutation(
        "models: the list shows the plan's",
        "gateway/model_list.py",
        "return {name for name in names if not plan.allows(name)}",
        "return set()",
        f"{MODELS}the_list_of_models_shows_what_the_plan_includes",
    ),
    Mutation(
        "owners: an object that a request names is the account's",
        "gateway/ownership.py",
        "if owners.get(name.id) != account_id:",
        "if False:",
        f"{PER_ACCOUNT}what_a_request_names_is_checked",
    ),
    Mutation(
        "owners: below an object nothing is another's",
        "gateway/ownership.py",
        "if owners.get(name.id, account_id) != account_id:",
        "if False:",
        f"{PER_ACCOUNT}below_an_object_nothing_is_anothers",
    ),
    Mutation(
        "owners: what has an owner keeps it",
        "gateway/ownership.py",
        "if learned.own is not None and owners.get(learned.own) != account_id:",
        "if False:",
        f"{PER_ACCOUNT}an_upstream_that_gives_an_id_twice_gives_it_to_the_first",
    ),
    Mutation(
        "owners: lists are filtered",
        "gateway/owned_list.py",
        "mine = [item for item in items if _id_of(item) in own]",
        "mine = list(items)",
        f"{PER_ACCOUNT}a_list_shows_an_accounts_own",
    ),
    Mutation(
        "owners: an id of a stream is noted before it is passed on",
        "gateway/owned_events.py",
        "await self._ownership.claim(self._account_id, learned)",
        "pass",
        f"{PER_ACCOUNT}an_id_of_a_stream_is_known_before_it_is_read",
    ),
    Mutation(
        "owners: an eval reads nobody's store",
        "gateway/owned_objects.py",
        'if name == "type" and value in WHOLE_STORE:',
        "if False:",
        f"{PER_ACCOUNT}an_eval_reads_nobodys_store",
    ),
    Mutation(
        "owners: fields of a form are checked",
        "gateway/call_reader.py",
        "if self._owned is not None and names_stored_object(field.name):",
        "if False:",
        f"{PER_ACCOUNT}what_a_form_names_is_checked",
    ),
)
