"""The IAM policies that Daypass needs.

API Gateway's permissions are HTTP methods on the paths of its control plane (Service authorization
reference, "Actions defined by Amazon API Gateway Management").
"""

from typing import Any


def serving_policy(region: str) -> dict[str, Any]:
    """Return what `daypass serve` needs: to read plans, and to create, move and delete keys."""
    root = f"arn:aws:apigateway:{region}::"
    tags = f"{root}/tags/*"
    return _policy(
        ("ReadPlansAndKeys", ["GET"], [f"{root}/usageplans", f"{root}/usageplans/*"]),
        ("ListKeys", ["GET"], [f"{root}/apikeys", f"{root}/apikeys/*"]),
        ("MakeKeys", ["POST"], [f"{root}/apikeys", f"{root}/usageplans/*/keys"]),
        ("TagKeys", ["PUT", "POST"], [tags]),
        ("ChangeKeys", ["PATCH", "DELETE"], [f"{root}/apikeys/*"]),
        ("MoveKeys", ["DELETE"], [f"{root}/usageplans/*/keys/*"]),
        ("CarryUseOver", ["PATCH"], [f"{root}/usageplans/*/keys/*/usage"]),
    )


def deploying_policy(region: str, stack: str) -> dict[str, Any]:
    """Return what `daypass aws deploy`, `sync`, `verify` and `destroy` need in addition."""
    root = f"arn:aws:apigateway:{region}::"
    paths = ("/restapis", "/restapis/*", "/usageplans", "/usageplans/*", "/tags/*")
    policy = _policy(
        (
            "MakeApiAndPlans",
            ["GET", "POST", "PUT", "PATCH", "DELETE"],
            [root + path for path in paths],
        )
    )
    policy["Statement"].append(
        {
            "Sid": "Stack",
            "Effect": "Allow",
            "Action": [
                "cloudformation:CreateStack",
                "cloudformation:UpdateStack",
                "cloudformation:DeleteStack",
                "cloudformation:DescribeStacks",
                "cloudformation:DescribeStackEvents",
            ],
            "Resource": f"arn:aws:cloudformation:{region}:*:stack/{stack}/*",
        }
    )
    return policy


def _policy(*statements: tuple[str, list[str], list[str]]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": name,
                "Effect": "Allow",
                "Action": [f"apigateway:{method}" for method in methods],
                "Resource": resources,
            }
            for name, methods, resources in statements
        ],
    }
