"""AWS API Gateway as the enforcer: its plans, its keys, and the stack that it runs from."""
