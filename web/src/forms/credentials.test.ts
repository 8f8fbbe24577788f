import { describe, expect, test } from "vitest";
import * as strings from "@/strings";
import { signInSchema, signUpSchema } from "./credentials";

const words = strings.session;

function messages(result: { error?: { issues: { path: PropertyKey[]; message: string }[] } }) {
  return result.error?.issues.map(({ path, message }) => [path.join("."), message]) ?? [];
}

describe("sign-up", () => {
  test("accepts an address and a long password, and trims only the address", () => {
    const entered = { email: " ann@example.com ", password: " 12345678 " };
    expect(signUpSchema.parse(entered)).toEqual({ email: "ann@example.com", password: " 12345678 " });
  });

  test("shows an error at each field", () => {
    expect(messages(signUpSchema.safeParse({ email: "ann", password: "short" }))).toEqual([
      ["email", words.emailInvalid],
      ["password", words.passwordShort],
    ]);
    const long = { email: "ann@example.com", password: "x".repeat(257) };
    expect(messages(signUpSchema.safeParse(long))).toEqual([["password", words.passwordLong]]);
  });
});

describe("sign-in", () => {
  test("does not validate an existing password", () => {
    expect(signInSchema.safeParse({ email: "ann@example.com", password: "old" }).success).toBe(true);
  });

  test("requires the missing fields", () => {
    expect(messages(signInSchema.safeParse({ email: "", password: "" }))).toEqual([
      ["email", words.emailInvalid],
      ["password", words.passwordMissing],
    ]);
  });
});
