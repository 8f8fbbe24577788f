import type { Measure, Setting, SettingsChange } from "@/api/types";
import { measures } from "@/api/limits";
import * as z from "@/forms/zod";
import * as strings from "@/strings";
import { amountOf, amountText, isAmount } from "./plan-values";

const words = strings.operator.settings;

export type SettingName = keyof SettingsChange;

/** How a setting is edited. Every field holds a text; an empty one stands for the default. */
export type SettingField = { name: SettingName; label: string; hint?: string } & (
  | { kind: "choice"; choices: Record<string, string> }
  | { kind: "domains" }
  | { kind: "number"; most: number }
  | { kind: "amount"; measure: Measure }
);

export type SettingValues = Record<string, string>;

export const signUpFields: SettingField[] = [
  { kind: "choice", name: "sign_up", label: words.signUpMode, choices: words.signUpModes },
  {
    kind: "domains",
    name: "allowed_email_domains",
    label: words.domains,
    hint: words.domainsHint,
  },
  {
    kind: "number",
    name: "max_keys_per_account",
    label: words.keysPerAccount,
    hint: words.keysPerAccountHint,
    most: 1000,
  },
];

/** The ceilings of each account or of the whole site. */
export function ceilingFields(subject: "account" | "site"): SettingField[] {
  return measures.flatMap((measure) =>
    (["day", "month"] as const).map((window): SettingField => {
      const name: SettingName = `${subject}_${measure}_per_${window}`;
      const hint = name === "account_requests_per_day" ? words.largestPlanHint : undefined;
      return { kind: "amount", name, measure, label: words.ceiling(measure, window), hint };
    }),
  );
}

/** Return the schema of the fields that can be edited. */
export function schemaOf(fields: SettingField[]) {
  return z.object(Object.fromEntries(fields.map((field) => [field.name, checkOf(field)])));
}

function checkOf(field: SettingField) {
  const text = z.string().check(z.trim());
  switch (field.kind) {
    case "choice":
    case "domains":
      return text;
    case "number":
      return text.check(
        z.refine((entered) => isUpTo(entered, field.most), words.numberWrong(field.most)),
      );
    case "amount": {
      const isCost = field.measure === "cost";
      const message = isCost ? strings.operator.plans.dollarsWrong : words.amountWrong;
      return text.check(z.refine((entered) => isAmount(field.measure, entered), message));
    }
  }
}

function isUpTo(entered: string, most: number): boolean {
  return entered === "" || (/^\d{1,9}$/.test(entered) && Number(entered) >= 1 && Number(entered) <= most);
}

/** Return the text that a form shows for the value in force. */
export function textOf(field: SettingField, { value, default: fallback, source }: Setting): string {
  if (field.kind === "number" && source === "default") return "";
  if (value === null || value === undefined) return "";
  if (field.kind === "domains") return (value as string[]).join(", ");
  if (field.kind === "amount") return amountText(field.measure, value as number);
  return String(value ?? fallback);
}

/** Return what the portal is asked to set. An empty text restores the default. */
export function valueOf(field: SettingField, text: string): SettingsChange[SettingName] {
  if (text === "") return null;
  if (field.kind === "domains") return text.split(/[\s,]+/).filter(Boolean);
  if (field.kind === "number") return Number(text);
  if (field.kind === "amount") return amountOf(field.measure, text);
  return text as SettingsChange["sign_up"];
}
