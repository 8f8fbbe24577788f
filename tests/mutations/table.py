"""The mutations. A line is written without its indentation and stands in its file once."""

from tests.mutations import Mutation, endpoints

CONTRACT = "tests/quota/test_contract.py::test_"
PORTAL = "tests/portal/test_portal.py::test_"
INCIDENTS = "tests/portal/test_incidents.py::test_"
AUTHORISATION = "tests/portal/test_authorisation.py::test_"
GATEWAY = "tests/gateway/test_gateway.py::test_"
GUARDS = "tests/gateway/test_guards.py::test_"
SIGN_IN = "tests/portal/test_sign_in.py::test_"
IDENTITY = "tests/portal/test_identity.py::test_"
MAIL = "tests/portal/test_mail.py::test_"
OPERATOR = "tests/portal/test_operator.py::test_"
GIVE_BACKS = "tests/quota/test_give_backs.py::test_"
UPSTREAM_FAULTS = "tests/faults/test_upstream.py::test_"
CALLER_FAULTS = "tests/faults/test_callers.py::test_"
SECRETS = "tests/test_secrets.py::test_"

MUTATIONS = (
    # Counting.
    Mutation(
        "reservation on SQLite: no more than the limit",
        "quota/sqlite_group.py",
        "if not fits(claim.limit, counter):",
        "if False:",
        f"{CONTRACT}500_at_once_on_a_limit_of_30_admit_exactly_30[sqlite]",
    ),
    Mutation(
        "reservation in Redis: no more than the limit",
        "quota/take.lua",
        "units = math.max(0, math.min(room, units))",
        "units = math.max(0, units)",
        f"{CONTRACT}500_at_once_on_a_limit_of_30_admit_exactly_30[redis]",
    ),
    Mutation(
        "write lock before the first read",
        "quota/sqlite.py",
        'connection.execute("BEGIN IMMEDIATE")',
        'connection.execute("BEGIN")',
        f"{CONTRACT}ledgers_on_one_store_share_the_limit[sqlite]",
    ),
    Mutation(
        "refund on SQLite: once",
        "quota/sqlite.py",
        "if not reservation.is_open:",
        "if False:",
        f"{CONTRACT}release_gives_back_once[sqlite]",
    ),
    Mutation(
        "refund in Redis: once",
        "quota/redis.py",
        "if not reservation.is_open:",
        "if False:",
        f"{CONTRACT}release_gives_back_once[redis]",
    ),
    Mutation(
        "counters that Redis lost: what the records say",
        "quota/take.lua",
        "if not stored[i + FIELDS] and (not begun or from < begun) then",
        "if false then",
        "tests/faults/test_stores.py::test_a_redis_that_forgets_allows_nothing_more[flushed]",
    ),
    Mutation(
        "counters that Redis lost: all of it written first",
        "quota/lost_counters.py",
        "await asyncio.sleep(SETTLE_S)",
        "pass",
        "tests/quota/test_lost_counters.py::test_lost_counters_wait_until_all_has_been_written",
    ),
    Mutation(
        "refund goes to its own day",
        "quota/counters.py",
        "if limit.window.is_throttle or now.since != taken.since:",
        "if limit.window.is_throttle:",
        f"{CONTRACT}a_unit_goes_back_to_the_day_it_came_from[sqlite]",
    ),
    Mutation(
        "give-back on SQLite: never a throttle's unit",
        "quota/counters.py",
        "if limit.window.is_throttle or now.since != taken.since:",
        "if now.since != taken.since:",
        f"{CONTRACT}a_throttle_is_never_given_back[sqlite]",
    ),
    Mutation(
        "give-back in Redis: never a throttle's unit",
        "quota/give.lua",
        "if stored[i + FIELDS] and claim.window ~= 'minute' then",
        "if stored[i + FIELDS] then",
        f"{CONTRACT}a_throttle_is_never_given_back[redis]",
    ),
    Mutation(
        "give-back on SQLite: no more than the cap",
        "quota/sqlite_group.py",
        "if not fits(job.give_backs.limit, given):",
        "if False:",
        f"{GIVE_BACKS}64_at_once_over_several_ledgers_give_back_exactly_the_cap[sqlite]",
    ),
    Mutation(
        "give-back in Redis: no more than the cap",
        "quota/give.lua",
        "if used >= give_backs.amount then",
        "if false then",
        f"{GIVE_BACKS}64_at_once_over_several_ledgers_give_back_exactly_the_cap[redis]",
    ),
    Mutation(
        "give-back in Redis: none on the day of a loss",
        "quota/give.lua",
        "used = give_backs.amount",
        "used = 0",
        f"{GIVE_BACKS}after_counters_were_lost_nothing_is_given_back_that_day",
    ),
    Mutation(
        "give-back by the gateway: under the cap",
        "gateway/charge.py",
        "released = await self._ledger.release(self._reservation, self._principal.give_backs)",
        "released = await self._ledger.release(self._reservation)",
        "tests/gateway/test_give_backs.py::test_a_failure_that_counts_says_so",
    ),
    Mutation(
        "give-back: a time-out of a request that was sent counts",
        "gateway/verdict.py",
        "return timed_out and not give_back_timeouts",
        "return False",
        f"{UPSTREAM_FAULTS}a_network_that_stalls_after_the_request_was_sent_counts",
    ),
    Mutation(
        "give-back: what the upstream did not take is given back",
        "gateway/http_connection.py",
        "was_sent = self._transport.get_write_buffer_size() == 0",
        "was_sent = True",
        f"{UPSTREAM_FAULTS}an_upstream_that_does_not_take_the_request_gives_the_unit_back",
    ),
    Mutation(
        "give-back: whoever withholds the end of a body pays",
        "gateway/verdict.py",
        "return is_callers_doing and body.may_suffice",
        "return False",
        f"{CALLER_FAULTS}a_caller_who_withholds_the_end_of_a_body_pays_if_the_upstream_may_do_without"
        "[no last chunk]",
    ),
    Mutation(
        "account's ceiling",
        "quota/policy.py",
        "if account is not None:",
        "if False:",
        f"{GATEWAY}an_account_cannot_multiply_its_limit",
    ),
    Mutation(
        "site's ceiling",
        "quota/policy.py",
        "if site is not None:",
        "if False:",
        f"{GATEWAY}an_account_cannot_multiply_its_limit",
    ),
    Mutation(
        "most keys of an account",
        "enforcement.py",
        "max_keys=self._settings.keys_per_account,",
        "max_keys=1000,",
        f"{PORTAL}an_account_has_only_so_many_keys_even_at_once[embedded]",
    ),
    # Who calls.
    Mutation(
        "key's checksum",
        "api_keys.py",
        "return body.isascii() and body.isalnum() and secret.endswith(checksum(body))",
        "return body.isascii() and body.isalnum()",
        "tests/test_api_keys.py::test_every_typo_is_refused",
    ),
    Mutation(
        "key stored as a digest",
        "api_keys.py",
        "return hashlib.sha256(secret.encode()).hexdigest()",
        "return secret",
        f"{SECRETS}the_files_hold_digests_and_no_secret",
    ),
    Mutation(
        "end of a rotated secret's grace",
        "gateway/authenticate.py",
        "principal.expires_at is not None and principal.expires_at <= self._clock()",
        "False",
        f"{PORTAL}a_graces_end_ends_the_old_secret",
    ),
    Mutation(
        "watch for revoked keys",
        "gateway/authenticate.py",
        "if revision != self._revision:",
        "if False:",
        "tests/test_app.py::test_a_revoked_key_is_refused_by_every_worker_within_a_second",
    ),
    Mutation(
        "disabled account, gateway",
        "gateway/authenticate.py",
        "if holder.account_disabled:",
        "if False:",
        f"{PORTAL}a_disabled_account_is_refused[embedded]",
    ),
    Mutation(
        "disabled account, portal",
        "portal/context.py",
        "if account.disabled_at is not None:",
        "if False:",
        f"{PORTAL}a_disabled_account_is_refused[embedded]",
    ),
    Mutation(
        "password",
        "portal/sessions.py",
        "if not await verify_password(credentials.password, known) or account is None:",
        "if account is None:",
        f"{PORTAL}signing_up_in_and_out[embedded]",
    ),
    Mutation(
        "session's end",
        "records/accounts.py",
        ".where(Session.digest == digest(token), Session.expires_at > now)",
        ".where(Session.digest == digest(token))",
        "tests/portal/test_account.py::test_a_session_ends_with_its_time",
    ),
    Mutation(
        "invitation used once",
        "records/invitations.py",
        "Invitation.used_at.is_(None),",
        "Invitation.digest.is_not(None),",
        f"{OPERATOR}sign_up_by_invitation",
    ),
    Mutation(
        "secret of API Gateway",
        "gateway/api_gateway.py",
        "is_known = len(secrets) == 1 and hmac.compare_digest(secrets[0], self._secret)",
        "is_known = len(secrets) == 1",
        "tests/aws/test_enforcement.py::test_what_did_not_come_through_api_gateway_is_refused",
    ),
    # Signing in.
    Mutation(
        "throttle of wrong passwords",
        "portal/throttles.py",
        'units[f"sign-in account {account} address {address}"] = SIGN_IN_TOGETHER',
        "pass",
        f"{SIGN_IN}wrong_passwords_are_throttled_by_account_and_address",
    ),
    Mutation(
        "same time without an account",
        "portal/passwords.py",
        "await asyncio.to_thread(lambda: _hasher.verify(password, _nobodys_hash()))",
        "pass",
        f"{SIGN_IN}it_takes_as_long_without_an_account",
    ),
    Mutation(
        "easy passwords",
        "portal/passwords.py",
        "return guesses < _EASY_GUESSES",
        "return False",
        "tests/portal/test_passwords.py::test_an_easy_one_is_refused",
    ),
    Mutation(
        "addresses from trusted proxies only",
        "portal/caller.py",
        "if not _is_trusted(near, trusted):",
        "if False:",
        "tests/portal/test_caller.py::test_the_right_most_hop_that_is_not_trusted",
    ),
    Mutation(
        "state of another site's sign-in",
        "portal/identity/routes.py",
        "if kept is None or portal.identity_provider is None or kept[0] != state:",
        "if kept is None or portal.identity_provider is None:",
        f"{IDENTITY}only_the_browser_that_left_comes_back_and_once",
    ),
    Mutation(
        "unconfirmed account not handed over",
        "portal/identity/routes.py",
        "elif not account.email_confirmed and (here is None or here.id != account.id):",
        "elif False:",
        f"{IDENTITY}an_unconfirmed_account_is_not_handed_over",
    ),
    Mutation(
        "way back within this site",
        "portal/identity/routes.py",
        "Path = Annotated[str, Field(max_length=500, "
        r'pattern=r"^/([^/\\\x00-\x20][^\\\x00-\x20]*)?$")]',
        "Path = Annotated[str, Field(max_length=500)]",
        f"{IDENTITY}the_way_back_leads_to_this_site_alone",
    ),
    Mutation(
        "purpose of a signed link",
        "portal/signer.py",
        'salt=f"daypass {purpose}",',
        'salt="daypass",',
        "tests/test_secret_key.py::test_a_token_is_for_one_purpose_and_a_time",
    ),
    Mutation(
        "link to a new password used once",
        "portal/password_resets.py",
        "if account is None or digest(account.password_hash) != before:",
        "if account is None:",
        f"{MAIL}a_forgotten_password_is_chosen_anew_by_a_link_that_works_once",
    ),
    # Who may.
    Mutation(
        "cross-site request forgery",
        "portal/context.py",
        "if not allowed:",
        "if False:",
        f"{AUTHORISATION}another_site_can_change_nothing_whoever_is_signed_in",
    ),
    Mutation(
        "owner of a key",
        "records/api_keys.py",
        "ApiKey.account_id == account_id,",
        "ApiKey.account_id.is_not(None),",
        f"{INCIDENTS}nothing_of_anothers_is_there",
    ),
    Mutation(
        "operators only",
        "portal/context.py",
        "if account.role != accounts.OPERATOR:",
        "if False:",
        f"{AUTHORISATION}everybody_gets_what_the_table_says",
    ),
    Mutation(
        "plans that are not on offer",
        "portal/api_keys.py",
        "if plan is None or not plan.self_service:",
        "if plan is None:",
        f"{INCIDENTS}a_retired_or_private_plan_cannot_be_chosen",
    ),
    Mutation(
        "last operator",
        "records/accounts.py",
        "return account.role == OPERATOR and other is None",
        "return False",
        f"{OPERATOR}the_last_operator_stays_one",
    ),
    Mutation(
        "metrics for this machine alone",
        "portal/health.py",
        "if not caller(request, portal).is_local:",
        "if False:",
        f"{INCIDENTS}an_empty_secret_opens_nothing",
    ),
    # What passes.
    Mutation(
        "paths that leave /v1",
        "gateway/request.py",
        "if not _SEGMENTS.fullmatch(checked) or _SUSPECT.search(checked):",
        "if False:",
        f"{GUARDS}no_way_out_reaches_the_upstream",
    ),
    Mutation(
        "key in a query",
        "gateway/request.py",
        "if query and _KEY_IN_QUERY.search(query):",
        "if False:",
        f"{GUARDS}a_key_in_the_query_is_refused_and_not_logged",
    ),
    Mutation(
        "hosts of this site",
        "hosts.py",
        "return len(hosts) == 1 and (hosts[0] in self._hosts or _name(hosts[0]) in self._hosts)",
        "return True",
        f"{GUARDS}with_a_public_url_only_its_hosts_are_served",
    ),
    Mutation(
        "requests of a key at once",
        "gateway/open_requests.py",
        "if of_key >= self._per_key:",
        "if False:",
        f"{GUARDS}a_key_and_an_account_have_so_many_requests_under_way",
    ),
    Mutation(
        "addresses that no upstream may have",
        "gateway/http_upstream.py",
        "if not all(may_be_upstream(x, private=self._may_be_private) for x in addresses):",
        "if False:",
        f"{GUARDS}the_address_that_a_name_stands_for_is_checked_at_each_connection",
    ),
    Mutation(
        "caller's key kept from the upstream",
        "gateway/relay.py",
        'b"x-api-key",',
        'b"x-nothing",',
        f"{GATEWAY}the_upstream_sees_the_operators_key_and_nothing_of_the_callers",
    ),
    Mutation(
        "upstream's refusal of the operator is not passed on",
        "gateway/verdict.py",
        "if response.status in (401, 403) or 300 <= response.status < 400:",
        "if False:",
        f"{GATEWAY}an_upstream_that_refuses_the_operator_is_not_the_callers_fault",
    ),
    Mutation(
        "operator's key blotted out of errors",
        "gateway/http_upstream.py",
        "if response.status < 400 or not self._secret:",
        "if True:",
        f"{SECRETS}no_answer_holds_what_is_not_for_its_reader",
    ),
    Mutation(
        "a fault's words kept from the log",
        "faults.py",
        "return type(error).__name__ + where",
        "return repr(error) + where",
        f"{SECRETS}no_log_line_and_no_metric_holds_a_secret",
    ),
    Mutation(
        "wildcards in a search are letters",
        "records/accounts.py",
        "wanted = Account.email.icontains(text_in_email, autoescape=True)",
        "wanted = Account.email.icontains(text_in_email)",
        f"{INCIDENTS}a_wildcard_in_a_search_is_a_letter_and_costs_little",
    ),
    Mutation(
        "scripts of a page by their digest",
        "portal/page_security.py",
        "hashes = dict.fromkeys(f\"'sha256-{base64.b64encode(x).decode()}'\" for x in digests)",
        "hashes = {\"'unsafe-inline'\": digests}",
        "tests/portal/test_pages.py::"
        "test_every_page_names_its_own_scripts_and_nothing_else_may_run",
    ),
    Mutation(
        "size of a body",
        "portal/body_limit.py",
        "if size > limit:",
        "if False:",
        f"{INCIDENTS}a_large_body_is_refused_before_it_is_read",
    ),
    *endpoints.MUTATIONS,
)
