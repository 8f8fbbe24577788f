"""/api/operator/*: for operators only. Every change is recorded in the audit log."""

from daypass.portal.operator import (
    audit_log,
    keys,
    live,
    mails,
    people,
    plans,
    sign_up,
    site_usage,
    tokens,
    upstream,
)

OPERATOR_NOUNS = (
    people,
    keys,
    plans,
    site_usage,
    sign_up,
    mails,
    audit_log,
    upstream,
    tokens,
    live,
)
