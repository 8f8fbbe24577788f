import { expect, test } from "vitest";
import { merge, type LiveRequest } from "./live";

const request = (id: string) => ({ request_id: id }) as LiveRequest;
const ids = (requests: LiveRequest[]) => requests.map((one) => one.request_id);

test("the newest request comes first, and one that is repeated stays where it is", () => {
  const first = merge([], [request("a"), request("b")]);
  expect(ids(first)).toEqual(["b", "a"]);
  expect(ids(merge(first, [request("b"), request("c"), request("c")]))).toEqual(["c", "b", "a"]);
  expect(merge(first, [request("a")])).toBe(first);
});

test("at most a thousand requests are kept", () => {
  const many = Array.from({ length: 1_500 }, (_, number) => request(String(number)));
  const merged = merge([], many);
  expect(merged).toHaveLength(1_000);
  expect(merged[0]!.request_id).toBe("1499");
});
