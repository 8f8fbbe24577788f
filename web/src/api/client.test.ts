import { afterEach, expect, test, vi } from "vitest";
import { portal } from "./client";
import { ApiError } from "./problem";

afterEach(() => vi.unstubAllGlobals());

function answerWith(response: Response) {
  const fetched = vi.fn(async () => response.clone());
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

test("path parameters are encoded, and a query has only the given parameters", async () => {
  const fetched = answerWith(Response.json([]));
  const params = { path: { api_key_id: "a/b" } };
  await portal.PATCH("/api/api-keys/{api_key_id}", { params, body: { name: "Laptop" } });
  expect(fetched).toHaveBeenCalledWith(
    "/api/api-keys/a%2Fb",
    expect.objectContaining({ method: "PATCH", body: '{"name":"Laptop"}' }),
  );
  await portal.GET("/api/usage", { params: { query: { days: 7 } } });
  expect(fetched).toHaveBeenLastCalledWith("/api/usage?days=7", expect.anything());
});

test("a response without a body is undefined, an error response is thrown", async () => {
  answerWith(new Response(null, { status: 204 }));
  const nothing: undefined = await portal.DELETE("/api/session");
  expect(nothing).toBeUndefined();
  answerWith(Response.json({ title: "Not Found", status: 404 }, { status: 404 }));
  await expect(portal.GET("/api/site")).rejects.toThrow(ApiError);
});

/** Never called. `tsc` fails if one of these lines is not an error. */
export function mistakes() {
  return [
    // @ts-expect-error no such path
    portal.GET("/api/nowhere"),
    // @ts-expect-error no such method
    portal.GET("/api/setup"),
    // @ts-expect-error no body
    portal.POST("/api/session"),
    // @ts-expect-error a body of another type
    portal.POST("/api/session", { body: { email: 1, password: "" } }),
    // @ts-expect-error no name for the path
    portal.DELETE("/api/api-keys/{api_key_id}"),
    // @ts-expect-error no such member
    portal.GET("/api/site").then((site) => site.nonsense),
  ];
}
