import { beforeEach, expect, test, vi } from "vitest";
import {
  accountDraft,
  accountValue,
  forgetAccount,
  forgetOtherAccounts,
  keepOnDevice,
  signedInAs,
} from "./account-storage";

beforeEach(() => {
  vi.stubGlobal("localStorage", emptyStorage());
  vi.stubGlobal("sessionStorage", emptyStorage());
  for (const accountId of ["ada", "grace"]) {
    signedInAs.set(accountId);
    accountValue(accountId, "one").set("a conversation");
    accountValue(accountId, "open", "tab").set("one");
    accountDraft(accountId).set("a draft");
  }
});

test("only data of the signed-in account is kept", () => {
  forgetOtherAccounts("grace");
  expect(held("ada")).toEqual([]);
  expect(held("grace")).toEqual(["one", "open", "draft"]);
});

test("nothing outlasts a session", () => {
  forgetOtherAccounts(null);
  expect(held("ada")).toEqual([]);
});

test("conversations kept on this device outlast the session and other people's sessions", () => {
  keepOnDevice("ada").set("yes");
  forgetOtherAccounts(null);
  expect(held("ada")).toEqual(["one", "open", "draft"]);
  forgetOtherAccounts("grace");
  expect(held("ada")).toEqual(["one"]);
  forgetAccount("ada");
  expect(held("ada")).toEqual([]);
  expect(keepOnDevice("ada").get()).toBeNull();
});

test.each([null, "grace"])("nothing is written for an account while %s is signed in", (current) => {
  signedInAs.set(current);
  forgetOtherAccounts(current);
  accountValue("ada", "one").set("an answer that ends late");
  accountDraft("ada").set("a message that comes back late");
  expect(held("ada")).toEqual([]);
  expect(accountDraft("ada").get()).not.toBe("a message that comes back late");
});

function held(accountId: string): string[] {
  return ["one", "open", "draft"].filter(
    (name) =>
      accountValue(accountId, name).get() !== null ||
      accountValue(accountId, name, "tab").get() !== null,
  );
}

function emptyStorage(): Storage {
  return Object.create({
    getItem(this: Record<string, string>, name: string) {
      return this[name] ?? null;
    },
    setItem(this: Record<string, string>, name: string, value: string) {
      this[name] = value;
    },
    removeItem(this: Record<string, string>, name: string) {
      delete this[name];
    },
  }) as Storage;
}
