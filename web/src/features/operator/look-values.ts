import type { Setting, SettingsChange } from "@/api/types";
import { fromLocalInput, toLocalInput } from "@/time/local-input";

/** The texts of the form. An empty one stands for the default. */
export type LookValues = {
  site_name: string;
  accent_colour: string;
  welcome_text: string;
  announcement_text: string;
  announcement_from: string;
  announcement_until: string;
  terms_text: string;
  terms_version: string;
};

export const lookSettings = [
  "site_name",
  "accent_colour",
  "welcome_text",
  "announcement",
  "terms",
] as const;

type LookChange = Pick<SettingsChange, (typeof lookSettings)[number]>;

export function valuesOf(settings: Setting[]): LookValues {
  const value = (name: string) => settings.find((setting) => setting.name === name)?.value;
  const announcement = value("announcement") as LookChange["announcement"];
  const terms = value("terms") as LookChange["terms"];
  return {
    site_name: (value("site_name") as string | null) ?? "",
    accent_colour: (value("accent_colour") as string | null) ?? "",
    welcome_text: (value("welcome_text") as string | null) ?? "",
    announcement_text: announcement?.text ?? "",
    announcement_from: toLocalInput(announcement?.from),
    announcement_until: toLocalInput(announcement?.until),
    terms_text: terms?.text ?? "",
    terms_version: terms?.version ?? "",
  };
}

/** Return the settings that differ, as the portal takes them. */
export function changesBetween(before: LookValues, after: LookValues): LookChange {
  const [old, wanted] = [settingsOf(before), settingsOf(after)];
  const changed = lookSettings.filter(
    (name) => JSON.stringify(old[name]) !== JSON.stringify(wanted[name]),
  );
  return Object.fromEntries(changed.map((name) => [name, wanted[name]]));
}

function settingsOf(values: LookValues): Required<LookChange> {
  const text = (name: keyof LookValues) => values[name].trim();
  const hasAnnouncement =
    text("announcement_text") || values.announcement_from || values.announcement_until;
  return {
    site_name: text("site_name") || null,
    accent_colour: text("accent_colour") || null,
    welcome_text: text("welcome_text") || null,
    announcement: hasAnnouncement
      ? {
          text: text("announcement_text"),
          from: fromLocalInput(values.announcement_from),
          until: fromLocalInput(values.announcement_until),
        }
      : null,
    terms:
      text("terms_text") || text("terms_version")
        ? { text: text("terms_text"), version: text("terms_version") }
        : null,
  };
}

/** Return the field that an error of the portal belongs to: `#/terms/version` is `terms_version`. */
export function fieldOf(pointer: string): string {
  const name = pointer.replace(/^#\//, "").replaceAll("/", "_");
  // The times contradict each other.
  if (name === "announcement") return "announcement_until";
  return name === "terms" ? "terms_text" : name;
}
