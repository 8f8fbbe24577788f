"use client";

import type { Setting } from "@/api/types";
import * as strings from "@/strings";
import { LogoForm } from "./logo-form";
import { LookForm } from "./look-form";
import { SettingsSection } from "./settings-section";

const words = strings.operator.look;

/** The name, logo, colour and texts of the site. */
export function LookSection({ settings }: { settings: Setting[] }) {
  return (
    <SettingsSection title={words.title} text={words.text}>
      <div className="space-y-8">
        <LogoForm />
        <LookForm settings={settings} />
      </div>
    </SettingsSection>
  );
}
