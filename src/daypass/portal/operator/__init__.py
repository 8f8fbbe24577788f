"""/api/operator/*: what only operators may see and do. Whatever they change is in the audit log."""
