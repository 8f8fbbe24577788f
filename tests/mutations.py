"""Negative controls: each guard is broken on purpose, and a named test must fail for it.

`make mutations`, or for some of them `python -m tests.mutations reservation csrf`. Each mutation
is one line of a temporary copy of `src`; this checkout is not touched.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "daypass"


class Mutation(NamedTuple):
    """One line of one file, broken."""

    guard: str
    file: str
    line: str
    """Without its indentation; it stands in the file once."""
    broken: str
    test: str
    """What fails for it, as pytest names it."""


CONTRACT = "tests/quota/test_contract.py::test_"
PORTAL = "tests/portal/test_portal.py::test_"
INCIDENTS = "tests/portal/test_incidents.py::test_"
AUTHORISATION = "tests/portal/test_authorisation.py::test_"
GATEWAY = "tests/gateway/test_gateway.py::test_"
OPERATOR = "tests/portal/test_operator.py::test_"
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
        "refund goes to its own day",
        "quota/counters.py",
        "back = 1 if now.since == taken.since else 0",
        "back = 1",
        f"{CONTRACT}a_unit_goes_back_to_the_day_it_came_from[sqlite]",
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
        "_check_is_local(request)",
        "pass",
        f"{INCIDENTS}an_empty_secret_opens_nothing",
    ),
    # What passes.
    Mutation(
        "paths that leave /v1",
        "gateway/request.py",
        'if len(raw) <= len(PREFIX) + 1 or not raw.startswith(PREFIX + b"/")'
        " or _SUSPECT.search(raw):",
        "if False:",
        f"{GATEWAY}paths_that_leave_the_api_are_refused",
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
        "gateway/app.py",
        "_refuse_misconfigured(response)",
        "pass",
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
        "size of a body",
        "portal/body_limit.py",
        "if size > limit:",
        "if False:",
        f"{INCIDENTS}a_large_body_is_refused_before_it_is_read",
    ),
)


def main(wanted: list[str]) -> int:
    """Try the mutations whose guard has one of these words, or all. Returns the exit code."""
    chosen = [x for x in MUTATIONS if not wanted or any(word in x.guard for word in wanted)]
    with tempfile.TemporaryDirectory(prefix="daypass-mutations-") as directory:
        copy = Path(directory) / "daypass"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("_site", "__pycache__"))
        if (PACKAGE / "_site").is_dir():
            (copy / "_site").symlink_to(PACKAGE / "_site")
        if not _passes(copy, sorted({x.test for x in chosen})):
            print("The tests do not pass as it is: what fails for a mutation would mean nothing.")
            return 1
        print("| guard | broken line | test that fails | |\n|---|---|---|---|")
        survivors = 0
        for mutation in chosen:
            file = copy / mutation.file
            whole = file.read_text()
            file.write_text(mutate(whole, mutation))
            survived = _passes(copy, [mutation.test])
            file.write_text(whole)
            survivors += survived
            name = mutation.test.rpartition("/")[2].replace("::", " ")
            verdict = "SURVIVED" if survived else "failed"
            print(f"| {mutation.guard} | `{mutation.file}` | `{name}` | {verdict} |", flush=True)
    print(f"{len(chosen)} mutations, {survivors} survived")
    return survivors > 0


def mutate(whole: str, mutation: Mutation) -> str:
    """The text of a file with its line broken. Raises ValueError unless it has it once."""
    lines = whole.splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if line.strip() == mutation.line]
    if len(places) != 1:
        raise ValueError(f"{mutation.file} has {len(places)} lines `{mutation.line}`")
    (place,) = places
    lines[place] = lines[place].replace(mutation.line, mutation.broken)
    return "".join(lines)


def _passes(copy: Path, tests: list[str]) -> bool:
    """Whether these tests pass on the copy. Raises RuntimeError when they cannot be run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stdout + ended.stderr)
    return ended.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
