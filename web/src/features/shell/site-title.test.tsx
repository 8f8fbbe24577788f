// @vitest-environment happy-dom
import { renderHook, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { useSiteTitle } from "./site-title";

test.each([
  ["Physics lab", "Daypass: API keys", "Physics lab: API keys"],
  ["Physics lab", "Keys · Daypass", "Keys · Physics lab"],
  ["My Daypass", "Keys · My Daypass", "Keys · My Daypass"],
  ["Daypass: lab", "Daypass: API keys", "Daypass: lab: API keys"],
  ["$& $1", "Keys · Daypass", "Keys · $& $1"],
  ["Daypass", "Keys · Daypass", "Keys · Daypass"],
])("with the name %s, %s becomes %s", async (name, exported, shown) => {
  document.title = exported;
  const { unmount } = renderHook(() => useSiteTitle(name));
  expect(document.title).toBe(shown);
  document.title = "Usage · Daypass";
  await waitFor(() => expect(document.title).toBe(`Usage · ${name}`));
  unmount();
});
