"use client";

import { useSettings } from "@/api/operator";
import * as strings from "@/strings";
import { Loaded } from "./loaded";
import { LookSection } from "./look-section";
import { ceilingFields, signUpFields } from "./setting-fields";
import { SettingsForm } from "./settings-form";
import { SettingsSection } from "./settings-section";

const words = strings.operator.settings;

const groups = [
  { title: words.signUp, text: words.signUpText, fields: signUpFields },
  { title: words.siteCeilings, text: words.siteCeilingsText, fields: ceilingFields("site") },
  { title: words.accountCeilings, text: words.accountCeilingsText, fields: ceilingFields("account") },
];

export function SettingsPage() {
  const settings = useSettings();
  return (
    <Loaded query={settings} skeleton="h-[40rem]">
      {(data) => (
        <div className="space-y-12">
          {groups.map(({ title, text, fields }) => (
            <SettingsSection key={title} title={title} text={text}>
              <SettingsForm fields={fields} settings={data.settings} />
            </SettingsSection>
          ))}
          <LookSection settings={data.settings} />
        </div>
      )}
    </Loaded>
  );
}
