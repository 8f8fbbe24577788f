"""Creates, updates and deletes the CloudFormation stack, and reports each step as it happens."""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from daypass.enforcement.aws.errors import AWS_ERRORS, translate

POLL_S = 2.0
NOT_THE_CAUSE = "cancelled"
"""What CloudFormation reports for resources it cancelled because another one failed."""


class StackError(Exception):
    """A stack operation failed. The message names the resource and the reason."""


class Step(NamedTuple):
    """One event of a stack operation."""

    status: str
    resource: str
    type: str
    reason: str

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason and "FAILED" in self.status else ""
        return f"{self.status:<20} {self.resource} ({self.type}){reason}"


class Stack:
    """One stack by its name. Every method raises AwsError; those that change it also StackError."""

    def __init__(self, client: Any, name: str) -> None:
        """`client` is a boto3 client for `cloudformation`."""
        self._client = client
        self.name = name

    def describe(self) -> dict[str, Any] | None:
        """Return the stack as CloudFormation describes it, or None if there is none."""
        try:
            found: dict[str, Any] = self._call("describe_stacks", StackName=self.name)["Stacks"][0]
        except StackError:
            return None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs; empty if there is no stack."""
        stack = self.describe() or {}
        return {x["OutputKey"]: x["OutputValue"] for x in stack.get("Outputs", [])}

    def fingerprint(self) -> str:
        """Return the `parameters` of the deployed template: see `build_template`."""
        return self.outputs().get("Parameters", "")

    def deploy(self, template: dict[str, Any], parameters: dict[str, str | None]) -> Iterator[Step]:
        """Create or update the stack. A parameter that is None keeps its value."""
        before = self.describe()
        if before is not None and before["StackStatus"] == "ROLLBACK_COMPLETE":
            # A stack whose creation failed cannot be updated, only deleted.
            yield from self.delete()
            before = None
        wanted = {
            "StackName": self.name,
            "TemplateBody": json.dumps(template),
            "Parameters": [_parameter(name, value) for name, value in parameters.items()],
            "Tags": [{"Key": "daypass", "Value": "stack"}],
        }
        seen = self._seen(before)
        if before is None:
            stack_id = self._call("create_stack", **wanted, OnFailure="DELETE")["StackId"]
        else:
            try:
                stack_id = self._call("update_stack", **wanted)["StackId"]
            except StackError as error:
                if "No updates" in str(error):
                    return
                raise
        yield from self._follow(stack_id, seen, ("CREATE_COMPLETE", "UPDATE_COMPLETE"))

    def delete(self) -> Iterator[Step]:
        """Delete the stack and all of its resources."""
        before = self.describe()
        if before is None:
            return
        seen = self._seen(before)
        self._call("delete_stack", StackName=before["StackId"])
        yield from self._follow(before["StackId"], seen, ("DELETE_COMPLETE",))

    def _seen(self, stack: dict[str, Any] | None) -> set[str]:
        return {x["EventId"] for x in self._events(stack["StackId"])} if stack else set()

    def _follow(self, stack_id: str, seen: set[str], wanted: tuple[str, ...]) -> Iterator[Step]:
        """Report the steps until the operation ends. Raises StackError if it failed."""
        failed: Step | None = None
        while True:
            status = self._call("describe_stacks", StackName=stack_id)["Stacks"][0]["StackStatus"]
            for event in reversed(self._events(stack_id)):
                if event["EventId"] in seen:
                    continue
                seen.add(event["EventId"])
                step = _step(event)
                if "FAILED" in step.status and NOT_THE_CAUSE not in step.reason.lower():
                    failed = failed or step
                yield step
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(POLL_S)
        if status not in wanted:
            cause = f"{failed.resource} ({failed.type}): {failed.reason}" if failed else status
            raise StackError(f"{cause}. What had been made was taken back")

    def _events(self, stack_id: str) -> list[dict[str, Any]]:
        """Return the stack's events, newest first."""
        events: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self._call("describe_stack_events", StackName=stack_id, **token)
            events += page["StackEvents"]
            if not page.get("NextToken"):
                return events
            token = {"NextToken": page["NextToken"]}

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, method)(**parameters)
        except AWS_ERRORS as error:
            details = getattr(error, "response", {}).get("Error", {})
            if details.get("Code") == "ValidationError":
                raise StackError(" ".join(str(details.get("Message")).split())) from error
            operation = self._client.meta.method_to_api_mapping.get(method, method)
            raise translate(operation, error) from error
        return answer


def _parameter(name: str, value: str | None) -> dict[str, Any]:
    if value is None:
        return {"ParameterKey": name, "UsePreviousValue": True}
    return {"ParameterKey": name, "ParameterValue": value}


def _step(event: dict[str, Any]) -> Step:
    return Step(
        event.get("ResourceStatus", ""),
        event.get("LogicalResourceId", ""),
        event.get("ResourceType", ""),
        event.get("ResourceStatusReason", ""),
    )
