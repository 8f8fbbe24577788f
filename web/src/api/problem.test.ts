import { expect, test } from "vitest";
import * as strings from "@/strings";
import { ApiError } from "./problem";

test("describes error responses that are not problem documents", async () => {
  const error = await ApiError.from(new Response("<html>", { status: 500 }));
  expect(error).toMatchObject({ status: 500, message: strings.errors.unexpected, fields: [] });
});
