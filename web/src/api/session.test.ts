// @vitest-environment happy-dom
import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { accountValue, signedInAs } from "./account-storage";
import { sessionKey, sessionQuery, watchSession } from "./session";

beforeEach(() => localStorage.clear());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const signedOut = () => Response.json({ title: "Unauthorized", status: 401 }, { status: 401 });
const signedIn = (id: string) => Response.json({ id });

/** Answer requests about the session in turn; before each answer comes, another tab does this. */
function answerAfter(...turns: [answer: Response, elsewhere?: () => void][]) {
  vi.stubGlobal(
    "fetch",
    vi.fn(async () => {
      const [answer, elsewhere] = turns.shift()!;
      elsewhere?.();
      return answer;
    }),
  );
}

const ask = () => new QueryClient().fetchQuery({ ...sessionQuery, retry: false });

test("a late response does not restore a session that another tab has ended", async () => {
  signedInAs.set("ada");
  answerAfter([signedIn("ada"), () => signedInAs.set(null)], [signedOut()]);
  expect(await ask()).toBeNull();
  expect(signedInAs.get()).toBeNull();
});

test("a late response does not remove data of an account that has signed in meanwhile", async () => {
  signedInAs.set("ada");
  const toGrace = () => {
    signedInAs.set("grace");
    accountValue("grace", "one").set("a conversation");
  };
  answerAfter([signedIn("ada"), toGrace], [signedIn("grace")]);
  expect(await ask()).toEqual({ id: "grace" });
  expect(signedInAs.get()).toBe("grace");
  expect(accountValue("grace", "one").get()).toBe("a conversation");
});

test("a late 401 does not sign out someone who has signed in in another tab", async () => {
  answerAfter([signedOut(), () => signedInAs.set("ada")], [signedIn("ada")]);
  expect(await ask()).toEqual({ id: "ada" });
  expect(signedInAs.get()).toBe("ada");
});

test.each([
  { was: "ada", is: null, account: undefined, leaves: true },
  { was: "ada", is: "grace", account: undefined, leaves: true },
  { was: null, is: "ada", account: undefined, leaves: false },
  { was: "unknown", is: "ada", account: undefined, leaves: false },
  { was: "ada", is: "grace", account: null, leaves: false },
  { was: "ada", is: null, account: { id: "ada" }, leaves: true },
  { was: "ada", is: "grace", account: { id: "grace" }, leaves: false },
])("a page of $was when $is is signed in: $account, leaves: $leaves", ({ was, is, account, leaves }) => {
  const assign = vi.spyOn(window.location, "assign").mockImplementation(() => {});
  signedInAs.set(was);
  const client = new QueryClient();
  if (account !== undefined) client.setQueryData(sessionKey, account);
  const stop = watchSession(client);
  signedInAs.set(is);
  window.dispatchEvent(new Event("storage"));
  stop();
  expect(assign).toHaveBeenCalledTimes(leaves ? 1 : 0);
});
