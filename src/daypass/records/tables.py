"""The tables. Times are whole seconds of Unix time, UTC."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The metadata that Alembic compares with."""


class Account(Base):
    """A person who signs in."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[int] = mapped_column(BigInteger)
    disabled_at: Mapped[int | None] = mapped_column(BigInteger)
    # None: an older account of the same mailbox has it.
    email_canonical: Mapped[str | None] = mapped_column(String(320))
    email_confirmed_at: Mapped[int | None] = mapped_column(BigInteger)
    # The version of the site's terms that the person has accepted last, and when.
    accepted_terms: Mapped[str | None] = mapped_column(String(40))
    terms_accepted_at: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_account_email_canonical", "email_canonical", unique=True),)

    @property
    def email_confirmed(self) -> bool:
        """Return whether the person has proved that they own the address."""
        return self.email_confirmed_at is not None

    @property
    def has_password(self) -> bool:
        """Return False for a person who signs in only through an OpenID provider."""
        return self.password_hash != ""


class Session(Base):
    """A signed-in browser. The cookie's token is stored as its SHA-256 digest."""

    __tablename__ = "session"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_session_account_id", "account_id"),)


class Identity(Base):
    """The identity of an account's owner at an OpenID provider, with which they can sign in."""

    __tablename__ = "identity"

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    created_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_identity_account_id", "account_id"),)


class SignUp(Base):
    """A sign-up whose address is not confirmed yet. The link in its mail creates the account."""

    __tablename__ = "sign_up"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    email: Mapped[str] = mapped_column(String(320))
    invitation: Mapped[str | None] = mapped_column(String(80))
    expires_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_sign_up_email", "email"),)


class Mail(Base):
    """A mail that is waiting to be sent, or that the mail server rejected for good.

    The text is not stored. It is written when the mail is sent, so that the token in its link is
    never at rest. `about` is the id of the account that the mail is about.
    """

    __tablename__ = "mail"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    recipient: Mapped[str] = mapped_column(String(320))
    about: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(Integer)
    # When it is tried next, or, while it is being sent, when its lease ends. None: it has failed.
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    # Why the last attempt failed, in plain words. None: it is new or being sent.
    error: Mapped[str | None] = mapped_column(String(300))

    __table_args__ = (Index("ix_mail_due_at", "due_at"), Index("ix_mail_recipient", "recipient"))


class Attempts(Base):
    """The state of a throttle; see `throttles`. `whole_at` is in milliseconds."""

    __tablename__ = "attempts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    whole_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_attempts_whole_at", "whole_at"),)


class ApiKey(Base):
    """An API key. A deleted one keeps its name for the usage table but has no slot."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    slot: Mapped[int | None] = mapped_column(Integer)
    usage_plan_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(8))
    last4: Mapped[str] = mapped_column(String(4))
    created_at: Mapped[int] = mapped_column(BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    expires_at: Mapped[int | None] = mapped_column(BigInteger)
    paused_at: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(500), server_default="")
    allowed_models: Mapped[list[str]] = mapped_column(JSON, server_default="[]")
    """Names or globs. Empty: every model of the plan."""
    # Only for keys that API Gateway enforces:
    aws_key_id: Mapped[str | None] = mapped_column(String(64))
    next_usage_plan_id: Mapped[str | None] = mapped_column(String(64))
    next_plan_at: Mapped[int | None] = mapped_column(BigInteger)
    activating_until: Mapped[int | None] = mapped_column(BigInteger)

    @property
    def paused(self) -> bool:
        """Return whether its owner has paused it."""
        return self.paused_at is not None

    __table_args__ = (
        UniqueConstraint("account_id", "slot", name="uq_api_key_slot"),
        Index("ix_api_key_aws_key_id", "aws_key_id", unique=True),
    )


class ApiKeySecret(Base):
    """The digest by which a key is found. A key has two during a rotation's grace period."""

    __tablename__ = "api_key_secret"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    api_key_id: Mapped[str] = mapped_column(ForeignKey("api_key.id", ondelete="CASCADE"))
    expires_at: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_api_key_secret_api_key_id", "api_key_id"),)


class KeyRevision(Base):
    """One row, whose number rises whenever a key's rights change.

    Database triggers raise it (migration 0003), so that no writer can forget to.
    """

    __tablename__ = "key_revision"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)


class UsageDay(Base):
    """The use of one model by one key on one UTC day, through the API or the site's chat.

    No foreign key: the rows are written after the fact, and one whose key has since been deleted
    must not block the others.
    """

    __tablename__ = "usage_day"

    day: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    api_key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model: Mapped[str] = mapped_column(String(100), primary_key=True)
    via: Mapped[str] = mapped_column(String(8), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    audio_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Micro-dollars, at the prices of the time."""
    reserved_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Reserved and not settled: the request has not ended, or reported no usage."""
    reserved_cost: Mapped[int] = mapped_column(BigInteger, server_default="0")
    price: Mapped[str | None] = mapped_column(String(100))
    """The last price used, as `Price.label` writes it."""

    __table_args__ = (Index("ix_usage_day_api_key_id", "api_key_id", "day"),)


class UsageSiteDay(Base):
    """The use of one model by all keys on one UTC day: sums of `usage_day`."""

    __tablename__ = "usage_site_day"

    day: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    model: Mapped[str] = mapped_column(String(100), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    audio_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reserved_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reserved_cost: Mapped[int] = mapped_column(BigInteger, server_default="0")
    price: Mapped[str | None] = mapped_column(String(100))


class UsageKeyWeek(Base):
    """The use of one key in one week, from Monday in UTC: sums of `usage_day`."""

    __tablename__ = "usage_key_week"

    week: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    api_key_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    refused: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    output_tokens: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cost: Mapped[int] = mapped_column(BigInteger, server_default="0")


class UsageWriter(Base):
    """How far a process has written its usage. Times are in milliseconds of the database's clock.

    `batch` is the number of the last written batch. It identifies a batch that is sent again
    because the reply to its commit was lost. `behind_since` is when the oldest unwritten usage was
    gathered; NULL: nothing is overdue.
    """

    __tablename__ = "usage_writer"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    batch: Mapped[int] = mapped_column(BigInteger)
    behind_since: Mapped[int | None] = mapped_column(BigInteger)
    seen_at: Mapped[int] = mapped_column(BigInteger)


class BegunCounters(Base):
    """Which counters have begun in Redis.

    `subject` is an account's id, or `site`. Counters that are listed but missing were lost.
    """

    __tablename__ = "begun_counters"

    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)


class ReceiptBatch(Base):
    """Receipts of an account's recent requests that were written together.

    `receipts` is a JSON list of them; `at` is Unix time of the newest, in milliseconds.
    `written_at` is the same by the database's clock when the row was written. NULL: before 0020.
    """

    __tablename__ = "receipt_batch"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32))
    at: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(Integer)
    receipts: Mapped[str] = mapped_column(Text)
    written_at: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        Index("ix_receipt_batch_account_id", "account_id", "at"),
        Index("ix_receipt_batch_at", "at"),
        Index("ix_receipt_batch_written_at", "written_at"),
    )


class StoredPlan(Base):
    """A usage plan made on the site, or the site's copy of a built-in one.

    Plans in `daypass.toml` are not stored.

    A retired plan is not offered but still applies to the keys that have it.
    """

    __tablename__ = "usage_plan"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(500))
    terms: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")
    """The other fields of `PlanTerms` that are not defaults."""
    created_at: Mapped[int] = mapped_column(BigInteger)
    retired_at: Mapped[int | None] = mapped_column(BigInteger)


class SiteLogo(Base):
    """The site's logo, in one row."""

    __tablename__ = "site_logo"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(String(16))
    media_type: Mapped[str] = mapped_column(String(20))
    width: Mapped[float] = mapped_column(Float)
    height: Mapped[float] = mapped_column(Float)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class SiteSetting(Base):
    """A setting that an operator has set on the site. Triggers raise the key revision."""

    __tablename__ = "site_setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    changed_at: Mapped[int] = mapped_column(BigInteger)


class AuditEntry(Base):
    """An operator's action. The actor's address is kept too, because accounts can be deleted.

    `token` names the admin token that the actor's program used; NULL: they were signed in.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[str] = mapped_column(String(32))
    actor_email: Mapped[str] = mapped_column(String(320))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(320))
    detail: Mapped[str] = mapped_column(String(500))
    token: Mapped[str | None] = mapped_column(String(300))


class AdminToken(Base):
    """A program's access to the operators' API, stored as the SHA-256 digest of the token.

    `scopes` is a list separated by spaces. `created_by` is the operator on whose behalf it acts.
    """

    __tablename__ = "admin_token"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    scopes: Mapped[str] = mapped_column(String(100))
    created_by: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    last_used_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_admin_token_created_by", "created_by"),)


class IdempotentAnswer(Base):
    """The answer to a request that carried an `Idempotency-Key`; see `idempotency`.

    `id` is the digest of the caller and the key, `request` a fingerprint of what was asked. While
    the request runs, `answer` is NULL and `claim` names it, until `claimed_until`.
    """

    __tablename__ = "idempotent_answer"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    claim: Mapped[str] = mapped_column(String(32))
    claimed_until: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[int | None] = mapped_column(Integer)
    # Encrypted: it can contain a secret that is shown only once.
    answer: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_idempotent_answer_created_at", "created_at"),)


class Invitation(Base):
    """A link with which one person may sign up, stored as the SHA-256 digest of its token."""

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    note: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    used_by: Mapped[str | None] = mapped_column(String(320))
    used_at: Mapped[int | None] = mapped_column(BigInteger)


class SetupToken(Base):
    """A link that creates the first operator, stored as the SHA-256 digest of its token.

    There are none while the site has an operator.
    """

    __tablename__ = "setup_token"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[int] = mapped_column(BigInteger)


class DepartedAccount(Base):
    """The id of a deleted account, found by a fingerprint of its mailbox.

    A new account of the same mailbox gets the id back for a month: see `departures`.
    """

    __tablename__ = "departed_account"

    email_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(32))
    at: Mapped[int] = mapped_column(BigInteger)


class StoredObject(Base):
    """The owner of an object stored upstream, such as a file or a conversation.

    `id` is the upstream's. Objects that were not created through Daypass have no row.
    """

    __tablename__ = "stored_object"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    created_at: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (Index("ix_stored_object_account_id", "account_id"),)


class StoredUpstream(Base):
    """An upstream made on the site. `terms` is everything but its name and key.

    The key is encrypted: see `sealed_keys`.
    """

    __tablename__ = "upstream"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed_key: Mapped[str | None] = mapped_column(Text)
    key_last4: Mapped[str | None] = mapped_column(String(4))
    created_at: Mapped[int] = mapped_column(BigInteger)
