"""The mutations of what decides which endpoints and models are relayed."""

from tests.mutations import Mutation

ENDPOINTS = "tests/gateway/test_endpoints.py::test_"
MODELS = "tests/gateway/test_models.py::test_"

MUTATIONS = (
    Mutation(
        "endpoints: stored objects are off",
        "gateway/endpoint_policy.py",
        'case EndpointClass.STORED if self.stored_objects != "shared":',
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
        "gateway/call.py",
        "if isinstance(call.body, bytes) and may_name_stored_objects(call.body):",
        "if False:",
        f"{ENDPOINTS}a_request_cannot_name_what_is_stored",
    ),
    Mutation(
        "endpoints: the id of a stored object in any case",
        "gateway/stored_names.py",
        "if key.casefold() == name]",
        "if key == name]",
        f"{ENDPOINTS}a_request_cannot_name_what_is_stored",
    ),
    Mutation(
        "endpoints: a whole request is no call of a tool",
        "gateway/stored_names.py",
        'if name == "input" and path:',
        'if name == "input":',
        f"{ENDPOINTS}a_request_cannot_name_what_is_stored",
    ),
    Mutation(
        "endpoints: the background of an image is its color",
        "gateway/call.py",
        "if not makes_images and any(",
        "if any(",
        f"{ENDPOINTS}what_names_nothing_that_is_stored_passes",
    ),
    Mutation(
        "models: the parameters of a data source are no schema",
        "gateway/named_models.py",
        'return "name" in document and not is_request and not is_typed',
        'return "name" in document',
        f"{MODELS}no_place_hides_a_model",
    ),
    Mutation(
        "models: a part of a list is filtered, too",
        "gateway/app.py",
        "elif call.lists_models and 200 <= response.status < 300:",
        "elif call.lists_models and response.status == 200:",
        f"{MODELS}a_list_that_cannot_be_filtered_is_not_shown",
    ),
    Mutation(
        "endpoints: a metered body is JSON whatever its type says",
        "gateway/call.py",
        "return is_metered or bool(call.principal.usage_plan.models)",
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
        "gateway/call.py",
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
        "gateway/call.py",
        "await body.hold(lambda: bool(models) or not strict)",
        "await body.hold(lambda: True)",
        f"{MODELS}a_form_hides_no_model",
    ),
    Mutation(
        "models: a form names one model",
        "gateway/call.py",
        "if len(models) > 1:",
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
        "return [model for model in models if _is_included(plan, model)]",
        "return models",
        f"{MODELS}the_list_of_models_shows_what_the_plan_includes",
    ),
)
