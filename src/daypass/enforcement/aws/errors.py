"""Turns AWS errors into helpful ones.

Users read what an error means for them, operators what to do about it. The
codes are those of the API Gateway API reference and of AWS's "Common errors".
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from daypass.enforcement.base import EnforcerError
from daypass.records.tables import ApiKey

AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)
"""What boto3 raises. The last one means that something other than AWS answered."""

AWAY = (
    "This site cannot reach API Gateway right now. Nothing was changed. "
    "Its operator finds the reason in the log."
)
BUSY = (
    "API Gateway takes only a few changes a second and is busy. Nothing was changed. "
    "Please try again in a moment."
)
RENEW = "Renew them (such as with 'aws sso login') or check AWS_PROFILE and AWS_ACCESS_KEY_ID."

BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedException",
        "UnrecognizedClientException",
    }
)
NOT_ALLOWED = frozenset({"AccessDenied", "AccessDeniedException"})
THROTTLED = frozenset({"TooManyRequestsException", "Throttling", "ThrottlingException"})


class AwsError(EnforcerError):
    """An AWS call failed. `code` is AWS's, or the name of botocore's exception."""

    def __init__(
        self, code: str, message: str, *, reason: str, status: int = 503, about: str | None = None
    ) -> None:
        super().__init__(message, reason=reason, status=status, about=about)
        self.code = code

    @property
    def is_missing(self) -> bool:
        """Return whether the resource does not exist."""
        return self.code == "NotFoundException"

    @property
    def is_conflict(self) -> bool:
        """Return whether the resource exists already or is being changed elsewhere."""
        return self.code == "ConflictException"


def translate(operation: str, error: Exception) -> AwsError:
    """Return the error for a failed `operation`, such as `CreateApiKey`."""
    if isinstance(error, ClientError):
        return _refused(operation, error)
    code = type(error).__name__
    if isinstance(error, NoRegionError):
        reason = "No AWS Region is set: set AWS_REGION, such as eu-central-1."
    elif isinstance(error, NoCredentialsError | PartialCredentialsError):
        reason = (
            "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_PROFILE, or run on a machine with a role."
        )
    elif isinstance(error, UnauthorizedSSOTokenError | TokenRetrievalError):
        reason = f"The AWS session has ended. {RENEW}"
    elif isinstance(error, ConnectionError | HTTPClientError):
        reason = f"AWS does not answer ({code} in {operation}): check the network and AWS_REGION."
    else:
        reason = f"{operation} failed: {_one_line(error)}"
    return AwsError(code, AWAY, reason=reason)


def aws_id_of(key: ApiKey) -> str:
    """Return a key's id at API Gateway. Raises EnforcerError 409 if it has none."""
    if key.aws_key_id is None:
        message = (
            "This key was made before API Gateway enforced the plans and does not work there. "
            "Rotate it, or delete it and create a new one."
        )
        raise EnforcerError(message, status=409)
    return key.aws_key_id


def _refused(operation: str, error: ClientError) -> AwsError:
    details = error.response.get("Error", {})
    code, said = details.get("Code", "Unknown"), _one_line(details.get("Message", ""))
    message, reason, status = AWAY, f"{operation}: {code}: {said}", 503
    if code in BAD_CREDENTIALS:
        reason = f"AWS does not accept the credentials ({code}): they are wrong or expired. {RENEW}"
    elif code in NOT_ALLOWED:
        reason = (
            f"The AWS credentials may not do {operation}: {said or code}. "
            "'daypass aws policy' prints the IAM policy that is needed."
        )
    elif code in THROTTLED:
        message = BUSY
        reason = f"{operation}: over AWS's limit of calls per second, after several tries."
    elif code == "LimitExceededException":
        message = "API Gateway has no room for this. Nothing was changed. Ask the site's operator."
        reason += " (10,000 API keys per AWS account and Region, not raisable)"
    elif code == "ConflictException":
        message = "API Gateway was busy with the same thing. Nothing was changed. Try again."
        status = 409
    elif code == "BadRequestException":
        message = f"API Gateway does not accept this: {said}"
        status = 422
    return AwsError(code, message, reason=reason, status=status)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
