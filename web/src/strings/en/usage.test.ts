import { expect, test } from "vitest";
import { usage } from "./usage";

test.each([
  ["refused", "key_week", "Refused: the key's limit per week was reached"],
  ["refused", "key_minute", "Refused: the key's limit per minute was reached"],
  ["refused", "account_day", "Refused: the account's limit per day was reached"],
  ["refused", "site_month", "Refused: the site's limit per month was reached"],
  ["refused", "key_day_tokens", "Refused: the key's limit on tokens per day was reached"],
  ["refused", "site_total_cost", "Refused: the site's limit on cost in total was reached"],
  ["refused", "key_concurrent", "Refused: the key had too many requests in progress"],
  ["given_back", "upstream_429", "Given back: the upstream was busy"],
  ["given_back", "upstream_503", "Given back: the upstream returned 503"],
  ["counted", "", "Counted"],
  ["counted", "something_new", "Counted: something new"],
])("%s %s reads %s", (outcome, reason, words) => {
  expect(usage.became(outcome, reason)).toBe(words);
});
