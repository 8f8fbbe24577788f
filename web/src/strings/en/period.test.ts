import { expect, it } from "vitest";
import { chat } from "./chat";
import { keys } from "./keys";

it("names the window that a quota counts in", () => {
  expect(chat.left(3, "day")).toBe("3 left today");
  expect(keys.left(1, "week")).toBe("1 request left this week");
  expect(keys.used(3, 10, "month")).toBe("3 of 10 requests used this month");
});

it("names no window where none is known", () => {
  expect(keys.left(1)).toBe("1 request left");
  expect(chat.left(0, null)).toBe("0 left");
});
