"""The CloudFormation stack: made, changed and removed, with each step told as it happens."""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from daypass.enforcement.aws.errors import AWS_ERRORS, translate

POLL_S = 2.0
NOT_THE_CAUSE = "cancelled"
"""What CloudFormation says of the resources that it gave up because another one failed."""


class StackError(Exception):
    """CloudFormation did not get there. The message names the resource and the reason."""


class Step(NamedTuple):
    """One thing that CloudFormation did."""

    status: str
    resource: str
    type: str
    reason: str

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason and "FAILED" in self.status else ""
        return f"{self.status:<20} {self.resource} ({self.type}){reason}"


class Stack:
    """One stack by its name. Every method raises AwsError; those that change it StackError too."""

    def __init__(self, client: Any, name: str) -> None:
        """`client` is boto3's, for `cloudformation`."""
        self._client = client
        self.name = name

    def describe(self) -> dict[str, Any] | None:
        """The stack as CloudFormation describes it, or None where there is none."""
        try:
            found: dict[str, Any] = self._call("describe_stacks", StackName=self.name)["Stacks"][0]
        except StackError:
            return None
        return None if found["StackStatus"] == "DELETE_COMPLETE" else found

    def outputs(self) -> dict[str, str]:
        """The stack's outputs; none where there is no stack."""
        stack = self.describe() or {}
        return {x["OutputKey"]: x["OutputValue"] for x in stack.get("Outputs", [])}

    def fingerprint(self) -> str:
        """What the template in force was made with: see `build_template`."""
        return self.outputs().get("Parameters", "")

    def deploy(self, template: dict[str, Any], parameters: dict[str, str | None]) -> Iterator[Step]:
        """Make the stack, or bring it up to date. A parameter that is None keeps its value."""
        before = self.describe()
        if before is not None and before["StackStatus"] == "ROLLBACK_COMPLETE":
            # What a failed attempt left cannot be brought up to date, only removed.
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
        """Remove the stack and all that it made."""
        before = self.describe()
        if before is None:
            return
        seen = self._seen(before)
        self._call("delete_stack", StackName=before["StackId"])
        yield from self._follow(before["StackId"], seen, ("DELETE_COMPLETE",))

    def _seen(self, stack: dict[str, Any] | None) -> set[str]:
        return {x["EventId"] for x in self._events(stack["StackId"])} if stack else set()

    def _follow(self, stack_id: str, seen: set[str], wanted: tuple[str, ...]) -> Iterator[Step]:
        """Tell the steps until the stack comes to rest. Raises StackError where it failed."""
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
        """The stack's events, newest first."""
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
            told = getattr(error, "response", {}).get("Error", {})
            if told.get("Code") == "ValidationError":
                raise StackError(" ".join(str(told.get("Message")).split())) from error
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
