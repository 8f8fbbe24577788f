"use client";

import { useSignUpPolicy } from "@/api/operator";
import type { SignUpPolicy } from "@/api/types";
import { Notice } from "@/components/ui/notice";
import { Cell, Table } from "@/components/ui/table";
import * as strings from "@/strings";
import { Invitations } from "./invitations";
import { Loaded } from "./loaded";

const words = strings.operator.signUp;

export function SignUpPage() {
  const policy = useSignUpPolicy();
  return (
    <Loaded query={policy} skeleton="h-96">
      {(data) => (
        <div className="space-y-10">
          <Settings policy={data} />
          <section aria-labelledby="invitations">
            <h2 id="invitations" className="mb-4 text-lg font-semibold tracking-tight">
              {words.invitations}
            </h2>
            {data.sign_up === "invite" || data.invitations.length > 0 ? (
              <Invitations invitations={data.invitations} open={data.sign_up === "invite"} />
            ) : (
              <Notice>{words.onlyInvite}</Notice>
            )}
          </section>
        </div>
      )}
    </Loaded>
  );
}

function Settings({ policy: { sign_up, settings } }: { policy: SignUpPolicy }) {
  return (
    <section aria-labelledby="sign-up-settings">
      <h2 id="sign-up-settings" className="text-lg font-semibold tracking-tight">
        {words.policy[sign_up]}
      </h2>
      <p className="mt-1 mb-4 text-sm text-muted">{words.settingsText}</p>
      <Table label={words.settings} columns={[{ label: words.setting }, { label: words.value }]}>
        {settings.map(({ name, value }) => (
          <tr key={name}>
            <Cell className="font-mono text-xs">{name}</Cell>
            <Cell className={value ? "font-medium" : "text-muted"}>{value || words.unset}</Cell>
          </tr>
        ))}
      </Table>
    </section>
  );
}
