import * as strings from "@/strings";

type FieldProblem = { pointer: string; detail: string };

const longestMessage = 500;

/** Cut a message from outside, which may be of any length, to what a notice can show. */
export function shorten(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
}

/** Every failed call to the portal ends as one of these; status 0 says that no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: FieldProblem[] = [],
    readonly response?: Response,
  ) {
    super(shorten(message));
    this.name = "ApiError";
  }

  static async from(response: Response): Promise<ApiError> {
    const problem: unknown = await response.json().catch(() => null);
    const { detail, errors } = (problem ?? {}) as Record<string, unknown>;
    return new ApiError(
      response.status,
      typeof detail === "string" ? detail : strings.errors.unexpected,
      Array.isArray(errors) ? errors.filter(isFieldProblem) : [],
      response,
    );
  }

  static unreachable(): ApiError {
    return new ApiError(0, strings.errors.unreachable);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof ApiError ? error.message : strings.errors.unexpected;
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

function isFieldProblem(error: Partial<FieldProblem> | null): error is FieldProblem {
  return typeof error?.pointer === "string" && typeof error.detail === "string";
}
