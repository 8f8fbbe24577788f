import * as strings from "@/strings";

type FieldProblem = { pointer: string; detail: string };

/** Every failed call to the portal ends as one of these; status 0 says that no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: FieldProblem[] = [],
    readonly response?: Response,
  ) {
    super(message);
    this.name = "ApiError";
  }

  static async from(response: Response): Promise<ApiError> {
    const problem: unknown = await response.json().catch(() => null);
    return new ApiError(response.status, detailOf(problem), fieldsOf(problem), response);
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

function detailOf(problem: unknown): string {
  const { detail, title } = asRecord(problem);
  if (typeof detail === "string" && detail) return detail;
  if (typeof title === "string" && title) return title;
  return strings.errors.unexpected;
}

function fieldsOf(problem: unknown): FieldProblem[] {
  const { errors } = asRecord(problem);
  if (!Array.isArray(errors)) return [];
  return errors.filter(
    (error): error is FieldProblem =>
      typeof asRecord(error).pointer === "string" && typeof asRecord(error).detail === "string",
  );
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
