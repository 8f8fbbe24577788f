import { syncClock } from "@/time/clock";
import { ApiError } from "./problem";
import type { paths } from "./schema.gen";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Json<Content> = Content extends { content: { "application/json": infer Value } } ? Value : undefined;
type PathWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends { [K in M]: { responses: unknown } } ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

/** The data of a successful response; undefined for 204. */
type Data<O> = O extends { responses: infer R }
  ? { [Status in keyof R & (200 | 201 | 202 | 204)]: Json<R[Status]> }[keyof R & (200 | 201 | 202 | 204)]
  : never;

/** The path and query parameters, without the ones an operation does not have. */
type Parameters<O> = O extends { parameters: infer All }
  ? { [In in keyof All as In extends "path" | "query" ? (All[In] extends undefined ? never : In) : never]: All[In] }
  : object;
type WithParameters<O> = object extends Parameters<O> ? { params?: Parameters<O> } : { params: Parameters<O> };
/** JSON, or a file for operations that take one as it is. */
type BodyOf<Body> = Body extends { content: { "application/json": unknown } } ? Json<Body> : Blob;
type WithBody<O> = O extends { requestBody: infer Body }
  ? { body: BodyOf<Body> }
  : O extends { requestBody?: infer Body }
    ? { body?: Json<NonNullable<Body>> }
    : object;
type Options<O> = { signal?: AbortSignal } & WithParameters<O> & WithBody<O>;

type Call<M extends Method> = <P extends PathWith<M>>(
  path: P,
  ...options: object extends Options<Operation<P, M>>
    ? [options?: Options<Operation<P, M>>]
    : [options: Options<Operation<P, M>>]
) => Promise<Data<Operation<P, M>>>;

type Sent = {
  signal?: AbortSignal;
  params?: { path?: Record<string, string>; query?: Record<string, unknown> };
  body?: unknown;
};

/**
 * Call the portal, typed by its OpenAPI document. Resolves to the data or throws an ApiError, as
 * TanStack Query expects.
 */
export const portal: { [M in Method as Uppercase<M>]: Call<M> } = {
  GET: method("GET"),
  POST: method("POST"),
  PUT: method("PUT"),
  PATCH: method("PATCH"),
  DELETE: method("DELETE"),
};

/** The only place that gives JSON its type. Portal tests check responses against the document. */
function method<M extends Method>(name: Uppercase<M>): Call<M> {
  const call = async (path: string, { params, body, signal }: Sent = {}): Promise<unknown> => {
    const response = await fetch(addressOf(path, params), {
      method: name,
      credentials: "same-origin",
      signal,
      ...(body instanceof Blob
        ? { headers: { "content-type": body.type }, body }
        : body !== undefined && {
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
          }),
    }).catch((error: unknown) => {
      throw signal?.aborted ? error : ApiError.unreachable();
    });
    syncClock(response);
    if (!response.ok) throw await ApiError.from(response);
    return response.status === 204 ? undefined : response.json();
  };
  return call as Call<M>;
}

function addressOf(path: string, { path: names = {}, query = {} }: Sent["params"] = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name]!));
  const asked = new URLSearchParams(
    Object.entries(query)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, String(value)]),
  ).toString();
  return asked ? `${filled}?${asked}` : filled;
}
