"""/api/operator/*: for operators only. Every change is recorded in the audit log."""

from daypass.portal.operator import (
    audit_log,
    batch,
    checklist,
    keys,
    live,
    mails,
    people,
    person,
    plans,
    settings,
    sign_up,
    site_usage,
    tokens,
    upstream,
    upstream_test,
    upstreams,
)

OPERATOR_NOUNS = (
    people,
    person,
    keys,
    plans,
    site_usage,
    settings,
    sign_up,
    mails,
    audit_log,
    upstream,
    upstreams,
    upstream_test,
    tokens,
    live,
    batch,
    checklist,
)
