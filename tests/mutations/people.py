"""The mutations of what operators do for one person, and of the built-in plans."""

from tests.mutations import Mutation

PERSON = "tests/portal/test_person.py::test_"
BUILT_IN = "tests/app/test_built_in_plans.py::test_"

MUTATIONS = (
    Mutation(
        "person: another operator's password",
        "portal/operator/person.py",
        "if operators.is_other_operator(account, operator.id):",
        "if False:",
        f"{PERSON}operators_do_not_take_over_each_others_accounts[sqlite]",
    ),
    Mutation(
        "person: a reset link from before its person became an operator",
        "portal/password_resets.py",
        "if operators.is_other_operator(account, issuer.id):",
        "if False:",
        f"{PERSON}operators_do_not_take_over_each_others_accounts[sqlite]",
    ),
    Mutation(
        "person: a reset link by an operator who is disabled",
        "portal/password_resets.py",
        "if issuer is None or not operators.is_active(issuer):",
        "if issuer is None:",
        f"{PERSON}operators_do_not_take_over_each_others_accounts[sqlite]",
    ),
    Mutation(
        "person: a reset link that is handed over proves no mailbox",
        "portal/password_resets.py",
        "if link.was_mailed:",
        "if True:",
        f"{PERSON}a_reset_link_by_an_operator_works_once[sqlite]",
    ),
    Mutation(
        "person: a reset link lasts a day",
        "portal/password_resets.py",
        "LINK_LIFETIME_S = DAY_S",
        "LINK_LIFETIME_S = 2 * DAY_S",
        f"{PERSON}a_reset_link_by_an_operator_expires_after_a_day",
    ),
    Mutation(
        "person: signed out by an operator",
        "portal/operator/person.py",
        "await accounts.close_sessions(session, account.id)",
        "pass",
        f"{PERSON}a_person_is_signed_out[sqlite]",
    ),
    Mutation(
        "built-in plans: a site's edited copy is kept",
        "records/usage_plans.py",
        'insert = insert_into(session, StoredPlan).on_conflict_do_nothing(index_elements=["id"])',
        "insert = insert_into(session, StoredPlan)",
        f"{BUILT_IN}an_edited_built_in_plan_is_not_overwritten[sqlite]",
    ),
    Mutation(
        "built-in plans: a site with plans of its own needs none",
        "app/startup.py",
        'if settings.enforcer == "embedded" and not settings.plans:',
        "if True:",
        f"{BUILT_IN}a_site_with_configured_plans_gets_no_built_in_plans[sqlite]",
    ),
    Mutation(
        "built-in plans: not offered beside configured ones",
        "enforcement/current_policy.py",
        "is_hidden = bool(settings.plans) and plan in DEFAULT_PLANS",
        "is_hidden = False",
        f"{BUILT_IN}beside_configured_plans_only_edited_ones_are_offered[sqlite]",
    ),
    Mutation(
        "built-in plans: the account's ceiling where none is on offer",
        "domain/plans.py",
        "return largest",
        "return largest or None",
        "tests/domain/test_plans.py::test_the_largest_daily_limit_ignores_plans_without_self_service",
    ),
)
