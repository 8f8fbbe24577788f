import { expect, it } from "vitest";
import { chat } from "./chat";
import { keys } from "./keys";

it("names the window of a quota", () => {
  expect(chat.left("requests", 3, "day")).toBe("3 left today");
  expect(chat.left("tokens", 3_000, "total")).toBe("3,000 tokens left in total");
  expect(keys.left("requests", 1, "week")).toBe("1 request left this week");
  expect(keys.used("requests", 3, 10, "month")).toBe("3 of 10 requests used this month");
  expect(keys.used("cost", 10_000, 500_000, "day")).toBe("$0.01 of $0.50 used today");
});

it("names no window if none is known", () => {
  expect(keys.left("requests", 1)).toBe("1 request left");
  expect(chat.left("cost", 0, null)).toBe("$0.00 left");
});
