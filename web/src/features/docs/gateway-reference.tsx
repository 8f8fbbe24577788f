import type { ReactNode } from "react";
import { ByEnforcer } from "@/components/by-enforcer";
import { CodeBlock } from "@/components/code-block";
import { ExampleSnippets } from "@/components/snippets/example-snippets";
import * as strings from "@/strings";
import { CountingRules } from "./counting-rules";
import { BaseUrl, KeyInfoRequest } from "./gateway-code";
import { Rows } from "./rows";
import { keyInfo, quotaError } from "./samples";
import { Part, Section } from "./section";

const words = strings.docs.gateway;
const { key, examples, counting, headers, streams, keyInfo: ofKey, errors, quota } = words.sections;

export function GatewayReference() {
  return (
    <Part id={words.id} title={words.title} text={words.text} textAws={words.textAws}>
      <Section {...key}>
        <Frame>
          <BaseUrl />
        </Frame>
      </Section>
      <Section {...examples}>
        <ExampleSnippets />
      </Section>
      <Section {...counting}>
        <CountingRules />
      </Section>
      <Section {...headers}>
        <ByEnforcer
          embedded={
            <Rows rows={words.headers.map(({ name, text }) => ({ key: name, term: name, text }))} />
          }
        />
      </Section>
      <Section {...streams} />
      <Section {...ofKey}>
        <Frame>
          <KeyInfoRequest />
        </Frame>
        <Frame>
          <CodeBlock code={keyInfo} />
        </Frame>
      </Section>
      <Section {...errors}>
        <Rows
          rows={words.errors.map(({ status, code, text }) => ({
            key: code,
            term: `${status} ${code}`,
            text,
          }))}
        />
      </Section>
      <Section {...quota}>
        <ByEnforcer
          embedded={
            <Frame>
              <CodeBlock code={quotaError} />
            </Frame>
          }
        />
      </Section>
    </Part>
  );
}

function Frame({ children }: { children: ReactNode }) {
  return <div className="overflow-hidden rounded-xl border bg-raised">{children}</div>;
}
