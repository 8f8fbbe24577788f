import * as strings from "@/strings";

type FieldProblem = { pointer: string; detail: string };

const longestMessage = 500;

/** Truncate an external message, which may have any length, to fit a notice. */
export function shorten(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
}

/** The error of every failed portal call. Status 0 means that there was no response. */
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
