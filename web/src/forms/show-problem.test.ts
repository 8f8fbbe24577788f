import { expect, test, vi } from "vitest";
import { ApiError } from "@/api/problem";
import { showProblem } from "./show-problem";

function problem(body: unknown, status = 422): Promise<ApiError> {
  return ApiError.from(new Response(JSON.stringify(body), { status }));
}

function formWith(...fields: string[]) {
  const getValues = vi.fn(() => Object.fromEntries(fields.map((field) => [field, ""])));
  return { setError: vi.fn(), getValues: getValues as never };
}

test("shows the server's messages at their fields", async () => {
  const form = formWith("email", "password");
  const errors = [
    { pointer: "#/email", detail: "Taken." },
    { pointer: "#/password", detail: "Too short." },
  ];
  showProblem(form, await problem({ detail: "Two fields are wrong.", errors }));
  expect(form.setError.mock.calls).toEqual([
    ["email", { type: "server", message: "Taken." }, { shouldFocus: true }],
    ["password", { type: "server", message: "Too short." }, { shouldFocus: false }],
  ]);
});

test("shows an error in a list item at the list's field", async () => {
  const form = formWith("domains");
  const errors = [{ pointer: "#/domains/1", detail: "Not a domain." }];
  showProblem(form, await problem({ detail: "A field is wrong.", errors }));
  expect(form.setError.mock.calls).toEqual([
    ["domains", { type: "server", message: "Not a domain." }, { shouldFocus: true }],
  ]);
});

test("shows errors without a field at the top of the form", async () => {
  const form = formWith("email");
  showProblem(form, await problem({ detail: "Closed.", errors: [{ pointer: "#/x", detail: "?" }] }, 403));
  expect(form.setError.mock.calls).toEqual([["root.server", { type: "server", message: "Closed." }]]);
});
