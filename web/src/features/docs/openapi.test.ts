import { expect, test } from "vitest";
import document from "../../../openapi.json";
import { endpointsByTag, type OpenApi } from "./openapi";

const api = document as unknown as OpenApi;
const endpoints = endpointsByTag(api).flatMap((group) => group.endpoints);

function endpoint(method: string, path: string) {
  return endpoints.find((one) => one.method === method && one.path === path);
}

test("shows every operation of the document once, with its own anchor", () => {
  const operations = Object.values(api.paths).flatMap((methods) => Object.keys(methods));
  expect(endpoints).toHaveLength(operations.length);
  expect(new Set(endpoints.map(({ id }) => id)).size).toBe(endpoints.length);
});

test("lists the members of a body, their types and which are required", () => {
  expect(endpoint("PUT", "/api/password-resets")?.body?.fields).toContainEqual(
    expect.objectContaining({ name: "password", type: "string, 10 to 256 characters", required: true }),
  );
  expect(endpoint("PATCH", "/api/api-keys/{api_key_id}")?.body?.fields).toContainEqual(
    expect.objectContaining({ name: "usage_plan_id", type: "string or null", required: false }),
  );
});

test("handles optional bodies, lists and nested objects", () => {
  const rotate = endpoint("POST", "/api/api-keys/{api_key_id}/rotate");
  expect(rotate?.title).toBe("Rotate API key");
  expect(rotate?.body?.fields.map(({ name }) => name)).toEqual(["grace_seconds"]);
  const [plans] = endpoint("GET", "/api/usage-plans")?.responses ?? [];
  expect(plans?.body?.fields.map(({ name }) => name)).toContain("limits[].amount");
});

test("describes every type", () => {
  for (const { parameters, body, responses } of endpoints) {
    const bodies = [body, ...responses.map((response) => response.body)];
    const fields = [...parameters, ...bodies.flatMap((one) => one?.fields ?? [])];
    for (const { name, type } of fields) expect(type, name).not.toBe("");
  }
});
