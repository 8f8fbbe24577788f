"""Sign-in and sign-up under attack: throttles, sessions, cookies, files."""

import sqlite3
import stat
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from daypass.portal import throttles
from daypass.records.identifiers import digest
from daypass.records.throttles import Throttle
from tests.conftest import PASSWORD, Person, Server, StartServer, start_server
from tests.support import crowd
from tests.support.portal import problem

WRONG = "not the password"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server behind a local proxy, so that tests can choose the client address."""
    server = start_server(
        tmp_path_factory.mktemp("proxied"), "--workers", "2", DAYPASS_TRUSTED_PROXIES="127.0.0.1"
    )
    server.sign_up()
    yield server
    server.stop()


@pytest.fixture
def victim(proxied: Server) -> Person:
    return proxied.sign_up()


def call_from(server: Server, address: str, **headers: str) -> httpx.Client:
    return server.client(headers={"x-forwarded-for": address} | headers)


def try_password(http: httpx.Client, email: str, password: str = WRONG) -> httpx.Response:
    return http.post("/api/session", json={"email": email, "password": password})


def test_wrong_passwords_are_throttled_by_account_and_address(
    proxied: Server, victim: Person
) -> None:
    here = call_from(proxied, "198.51.100.1")
    assert [try_password(here, victim.email).status_code for _ in range(6)] == [401] * 5 + [429]
    refused = try_password(here, victim.email.upper(), PASSWORD)
    assert problem(refused) == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["retry-after"] in refused.json()["detail"]
    elsewhere = call_from(proxied, "198.51.100.2")
    assert try_password(elsewhere, victim.email, PASSWORD).status_code == 200


def test_unknown_addresses_are_throttled_with_the_same_message(proxied: Server) -> None:
    here = call_from(proxied, "198.51.100.3")
    nobody = [try_password(here, "nobody@example.org") for _ in range(6)]
    assert [x.status_code for x in nobody] == [401] * 5 + [429]
    somebody = proxied.sign_up().email
    theirs = [try_password(here, somebody) for _ in range(6)]
    assert [x.status_code for x in theirs] == [401] * 5 + [429]
    assert nobody[0].json() == theirs[0].json()
    answered = [dict(x[5].json()) for x in (nobody, theirs)]
    assert [x["detail"][:32] for x in answered] == ["Too many attempts. Try again in "] * 2


@pytest.mark.serial
def test_sign_in_takes_as_long_without_an_account(proxied: Server, victim: Person) -> None:
    def times(email: str, host: int) -> float:
        taken = []
        for number in range(3):
            with call_from(proxied, f"192.0.2.{host + number}") as http:
                try_password(http, email)
                began = time.perf_counter()
                try_password(http, email)
                taken.append(time.perf_counter() - began)
        return min(taken)

    known, unknown = times(victim.email, 10), times("nobody-else@example.org", 20)
    # Without checking a hash, the unknown address would be ten times as fast.
    assert 0.4 < known / unknown < 2.5


def test_concurrent_guesses_do_not_bypass_the_throttle(proxied: Server, victim: Person) -> None:
    def guess(_number: int) -> int:
        with call_from(proxied, "198.51.100.4") as http:
            return try_password(http, victim.email).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(guess, range(16)))
    assert statuses.count(401) == 5
    assert statuses.count(429) == 11


def test_spraying_is_throttled_by_address_and_ipv6_by_its_64(proxied: Server) -> None:
    def spray(number: int) -> int:
        # All within one /64.
        with call_from(proxied, f"2001:db8:5:5::{number:x}") as http:
            return try_password(http, f"pupil{number}@example.org").status_code

    assert spray(0) == 401
    use_up(proxied, "sign-in address 2001:db8:5:5::/64", throttles.SIGN_IN_ADDRESS, left=4)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(spray, range(1, 11)))
    assert (statuses.count(401), statuses.count(429)) == (4, 6)
    with call_from(proxied, "2001:db8:5:6::1") as http:
        assert try_password(http, "pupil1@example.org").status_code == 401


def test_a_distributed_attack_does_not_lock_out_the_owners_browser(
    proxied: Server, victim: Person
) -> None:
    browser = call_from(proxied, "203.0.113.50")
    assert try_password(browser, victim.email, PASSWORD).status_code == 200
    use_up_the_account(proxied, victim.email)
    stranger = call_from(proxied, "203.0.113.200")
    refused = try_password(stranger, victim.email, PASSWORD)
    assert problem(refused) == 429
    # Another device waits for a unit of the account, never longer than 36 seconds.
    assert int(refused.headers["retry-after"]) <= 36
    assert try_password(browser, victim.email, PASSWORD).status_code == 200
    # A cookie is valid only for its account, a forged one for none.
    other = proxied.sign_up()
    use_up_the_account(proxied, other.email)
    assert try_password(browser, other.email, PASSWORD).status_code == 429
    forged = call_from(proxied, "203.0.113.201", cookie="daypass_device=eyJ4Ijoi.forged")
    assert try_password(forged, victim.email, PASSWORD).status_code == 429


def test_a_shared_browser_is_recognised_for_each_of_its_accounts(
    proxied: Server, victim: Person
) -> None:
    browser = call_from(proxied, "203.0.113.60")
    assert try_password(browser, victim.email, PASSWORD).status_code == 200
    for _ in range(2):
        browser.delete("/api/session")
        assert try_password(browser, proxied.sign_up().email, PASSWORD).status_code == 200
    use_up_the_account(proxied, victim.email)
    assert try_password(browser, victim.email, PASSWORD).status_code == 200


def use_up_the_account(server: Server, email: str) -> None:
    """Use up the account's units like an attack from a hundred addresses, without the hashes."""
    use_up(server, f"sign-in account {digest(email)}", throttles.SIGN_IN_ACCOUNT)


def use_up(server: Server, name: str, throttle: Throttle, left: int = 0) -> None:
    """Take all but this many units of a throttle."""
    whole_at = int((time.time() + (throttle.burst - left) * throttle.every_s) * 1000)
    with sqlite3.connect(server.data_dir / "daypass.db") as connection:
        row = (digest(name), whole_at)
        connection.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?)", row)


def kept_throttles(server: Server) -> set[str]:
    """Return the name digests of throttles with units taken."""
    with sqlite3.connect(server.data_dir / "daypass.db") as connection:
        return {row[0] for row in connection.execute("SELECT name FROM attempts")}


@pytest.fixture
def pupils(proxied: Server, victim: Person) -> list[str]:
    """The e-mail addresses of 60 accounts with the same password."""
    prefix = victim.email.partition("@")[0]
    emails = [f"{prefix}-pupil{number}@example.org" for number in range(60)]
    with sqlite3.connect(proxied.data_dir / "daypass.db") as connection:
        connection.executemany(
            "INSERT INTO account (id, email, password_hash, role, created_at) "
            "SELECT ?, ?, password_hash, role, created_at FROM account WHERE email = ?",
            [(f"acc_{email}"[:32], email, victim.email) for email in emails],
        )
    return emails


def sign_in_from(server: Server, address: str, emails: list[str], password: str) -> Counter[int]:
    """Count the statuses of new browsers that all sign in at once."""
    bodies = [{"email": email, "password": password} for email in emails]
    return crowd.post_at_once(server.url, "/api/session", bodies, address).statuses


def test_a_class_that_mistypes_behind_one_address_can_sign_in(
    proxied: Server, pupils: list[str]
) -> None:
    school = "198.51.100.60"
    browser = call_from(proxied, "192.0.2.77")
    assert try_password(browser, pupils[0], PASSWORD).status_code == 200
    assert sign_in_from(proxied, school, pupils, WRONG) == {401: 60}
    assert sign_in_from(proxied, school, pupils, PASSWORD) == {200: 60}
    # Others cannot use up the limit of a known browser.
    use_up(proxied, f"sign-in address {school}", throttles.SIGN_IN_ADDRESS, left=-500)
    use_up_the_account(proxied, pupils[0])
    here = {"x-forwarded-for": school, "origin": proxied.url}
    body = {"email": pupils[0], "password": PASSWORD}
    assert browser.post("/api/session", json=body, headers=here).status_code == 200
    assert sign_in_from(proxied, school, pupils[:1], PASSWORD) == {429: 1}


def test_one_guesser_does_not_lock_out_others_at_the_address(
    proxied: Server, victim: Person, pupils: list[str]
) -> None:
    school = "198.51.100.61"
    guesses = sign_in_from(proxied, school, [victim.email] * 40, WRONG)
    assert guesses == {401: 5, 429: 35}
    assert sign_in_from(proxied, school, pupils[:20], PASSWORD) == {200: 20}


def test_password_spraying_is_throttled_by_address(proxied: Server, pupils: list[str]) -> None:
    strangers = [f"spray{number}@example.org" for number in range(140)]
    spread = Counter[int]()
    for emails in (strangers[:70] + pupils, strangers[70:]):
        spread += sign_in_from(proxied, "198.51.100.62", emails, WRONG)
    # A unit comes back every 20 seconds.
    assert 100 <= spread[401] <= 103
    assert spread[401] + spread[429] == 200


def test_the_limit_of_an_address_grows_with_successful_sign_ins(
    proxied: Server, pupils: list[str]
) -> None:
    school = "198.51.100.63"
    for _ in range(2):  # Each counts once a day.
        assert sign_in_from(proxied, school, pupils[:3], PASSWORD) == {200: 3}
    use_up(proxied, f"sign-in address {school}", throttles.SIGN_IN_ADDRESS)
    grown = 3 * throttles.SIGN_IN_PER_ACCOUNT
    spread = sign_in_from(proxied, school, pupils[:20], WRONG)
    assert grown <= spread[401] <= grown + 1
    assert spread[401] + spread[429] == 20


def test_an_outdated_hash_is_replaced_at_sign_in(proxied: Server, victim: Person) -> None:
    outdated = PasswordHash((Argon2Hasher(parallelism=4),)).hash(PASSWORD)

    def stored() -> str:
        rows = connection.execute(
            "SELECT password_hash FROM account WHERE email = ?", (victim.email,)
        )
        password_hash: str = rows.fetchone()[0]
        return password_hash

    with sqlite3.connect(proxied.data_dir / "daypass.db") as connection:
        connection.execute(
            "UPDATE account SET password_hash = ? WHERE email = ?", (outdated, victim.email)
        )
        connection.commit()
        with call_from(proxied, "198.51.100.65") as http:
            assert try_password(http, victim.email).status_code == 401
            assert stored() == outdated
            assert try_password(http, victim.email, PASSWORD).status_code == 200
            assert "p=1$" in stored()
            assert try_password(http, victim.email, PASSWORD).status_code == 200


def test_correct_passwords_are_not_throttled(proxied: Server, victim: Person) -> None:
    for _ in range(8):
        with call_from(proxied, "198.51.100.5") as http:
            assert try_password(http, victim.email, PASSWORD).status_code == 200


def test_sign_ups_are_throttled_by_address(start: StartServer) -> None:
    server = start(DAYPASS_TRUSTED_PROXIES="127.0.0.1")
    for _ in range(3):
        server.sign_up()  # Local requests are not throttled.
    assert kept_throttles(server) == set()
    use_up(server, "sign-up address 198.51.100.9", throttles.SIGN_UP_ADDRESS, left=1)
    http = call_from(server, "198.51.100.9")
    bodies = [{"email": f"b{number}@example.org", "password": PASSWORD} for number in range(3)]
    assert http.post("/api/accounts", json=bodies[0]).status_code == 201
    refused = http.post("/api/accounts", json=bodies[1])
    assert problem(refused) == 429
    assert 1 <= int(refused.headers["retry-after"]) <= throttles.SIGN_UP_ADDRESS.every_s
    # A request through an unconfigured proxy does not count as local.
    unnamed = start("--join")
    behind = call_from(unnamed, "1.2.3.4")
    assert behind.post("/api/accounts", json=bodies[2]).status_code == 201
    assert digest("sign-up address 127.0.0.1") in kept_throttles(unnamed)


def test_password_confirmation_is_throttled(victim: Person) -> None:
    change = {"current_password": WRONG, "new_password": "another horse, another battery"}
    asked = [victim.http.put("/api/account/password", json=change) for _ in range(6)]
    assert [x.status_code for x in asked] == [403] * 5 + [429]
    body = {"password": PASSWORD}
    assert problem(victim.http.post("/api/account/deletion", json=body)) == 429


@pytest.mark.parametrize(
    "variant",
    ["a.da@gmail.com", "ada+1@gmail.com", "A.D.A+x+y@googlemail.com"],
)
def test_a_mailbox_has_one_account(proxied: Server, variant: str) -> None:
    http = proxied.client()
    http.post("/api/accounts", json={"email": "ada@gmail.com", "password": PASSWORD})
    body = {"email": variant, "password": PASSWORD}
    assert problem(http.post("/api/accounts", json=body), "email") == 409


def test_similar_addresses_of_other_mailboxes_are_distinct(proxied: Server) -> None:
    for email in ("ann@example.org", "a.nn@example.org", "+ann@example.org", "ann@gmail.com"):
        body = {"email": email, "password": PASSWORD}
        assert proxied.client().post("/api/accounts", json=body).status_code == 201, email
    body = {"email": "ann+2@example.org", "password": PASSWORD}
    assert problem(proxied.client().post("/api/accounts", json=body), "email") == 409


def test_an_alias_of_a_deleted_mailbox_restores_the_account_id(proxied: Server) -> None:
    http = proxied.client()
    body = {"email": "bob@example.org", "password": PASSWORD}
    first = http.post("/api/accounts", json=body).json()["id"]
    assert http.post("/api/account/deletion", json={"password": PASSWORD}).status_code == 204
    again = http.post("/api/accounts", json=body | {"email": "bob+new@example.org"})
    assert again.json()["id"] == first


def test_cookies_have_the_host_prefix_on_https(start: StartServer) -> None:
    server = start(DAYPASS_TRUSTED_PROXIES="127.0.0.1")
    http = server.client(headers={"x-forwarded-proto": "https"})
    body = {"email": "a@example.org", "password": PASSWORD}
    response = http.post("/api/accounts", json=body)
    cookies = dict(cookie.split("=", 1) for cookie in response.headers.get_list("set-cookie"))
    assert set(cookies) == {"__Host-daypass_session", "__Host-daypass_device"}
    for cookie in cookies.values():
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"path=/", "secure", "httponly", "samesite=lax"} <= parts
        assert not any(part.startswith("domain") for part in parts)
    token = cookies["__Host-daypass_session"].partition(";")[0]
    host = {"cookie": f"__Host-daypass_session={token}"}
    plain = {"cookie": f"daypass_session={token}"}
    with server.client() as bare:
        secure = {"x-forwarded-proto": "https"}
        assert bare.get("/api/session", headers=host | secure).status_code == 200
        # A page of a subdomain can set the cookie without the prefix.
        assert bare.get("/api/session", headers=plain | secure).status_code == 401
        assert bare.get("/api/session", headers=plain).status_code == 200


def test_signing_in_rotates_the_session(proxied: Server, victim: Person) -> None:
    before = dict(victim.http.cookies)
    assert try_password(victim.http, victim.email, PASSWORD).status_code == 200
    after = dict(victim.http.cookies)
    assert before["daypass_session"] != after["daypass_session"]
    assert proxied.client(cookies=before).get("/api/session").status_code == 401
    planted = proxied.client(cookies={"daypass_session": "chosen-by-somebody-else"})
    signed_in = try_password(planted, victim.email, PASSWORD)
    assert signed_in.cookies["daypass_session"] != "chosen-by-somebody-else"


def test_database_files_are_private_to_their_owner(tmp_path: Path, start: StartServer) -> None:
    data = tmp_path / "kept"
    server = start(DAYPASS_DATA_DIR=str(data))
    server.sign_up().create_key()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    files = [path for path in data.rglob("*") if path.is_file()]
    assert {"daypass.db", "secret-key"} <= {path.name for path in files}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    folders = [path for path in data.rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} <= {0o700}
