import type { ReactNode } from "react";
import { CodeBlock } from "@/components/code-block";
import * as strings from "@/strings";
import { Fields } from "./fields";
import type { Body, Endpoint } from "./openapi";
import { Prose } from "./prose";
import { Paragraph, Section } from "./section";

const words = strings.docs.portal;

export function EndpointReference({ endpoint }: { endpoint: Endpoint }) {
  const { id, method, path, title, text, parameters, body, responses } = endpoint;
  return (
    <Section id={id} title={title}>
      <p className="font-mono text-sm break-words">
        <span className="font-medium text-accent">{method}</span> {path}
      </p>
      <div className="[&>p:first-child]:mt-0">
        {text.split("\n\n").map((paragraph) => (
          <Paragraph key={paragraph} text={paragraph} />
        ))}
      </div>
      {parameters.length > 0 && (
        <Block title={words.parameters}>
          <Fields fields={parameters} marksRequired />
        </Block>
      )}
      {body && (
        <Block title={words.body}>
          <BodyReference body={body} marksRequired />
        </Block>
      )}
      <div className="space-y-2 text-sm">
        {responses.map((response) => (
          <ResponseReference key={response.status} response={response} />
        ))}
      </div>
    </Section>
  );
}

function ResponseReference({ response }: { response: Endpoint["responses"][number] }) {
  const { status, isProblem, body } = response;
  const title = `${words.response} ${status}`;
  if (isProblem) {
    return (
      <p>
        <span className="font-medium">{title}: </span>
        <a href={`#${words.problemsId}`} className="rounded-sm text-accent underline underline-offset-4">
          {words.problem}
        </a>
      </p>
    );
  }
  if (!body) return <p className="font-medium">{title}</p>;
  return (
    <details>
      <summary className="rounded-sm font-medium">{title}</summary>
      <div className="mt-2 space-y-2">
        <BodyReference body={body} />
      </div>
    </details>
  );
}

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="space-y-2">
      <h4 className="text-sm font-medium">{title}</h4>
      {children}
    </div>
  );
}

function BodyReference({ body, marksRequired }: { body: Body; marksRequired?: boolean }) {
  const { text, fields, example } = body;
  return (
    <>
      {text && (
        <p className="text-sm leading-6 text-muted">
          <Prose text={text} />
        </p>
      )}
      {fields.length > 0 && <Fields fields={fields} marksRequired={marksRequired} />}
      {example && (
        <div className="overflow-hidden rounded-xl border bg-raised">
          <CodeBlock code={example} />
        </div>
      )}
    </>
  );
}
