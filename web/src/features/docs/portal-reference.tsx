import * as strings from "@/strings";
import { EndpointReference } from "./endpoint-reference";
import { Fields } from "./fields";
import { portalEndpoints, problem } from "./portal-api";
import { Part, Section } from "./section";

const words = strings.docs.portal;

export function PortalReference() {
  return (
    <Part id={words.id} title={words.title} text={words.text}>
      <p className="mt-4">
        <a
          href="/api/openapi.json"
          className="rounded-sm text-accent underline underline-offset-4"
        >
          {words.document}
        </a>
      </p>
      {portalEndpoints.map(({ tag, endpoints }) => (
        <div key={tag}>
          {endpoints.map((endpoint) => (
            <EndpointReference key={endpoint.id} endpoint={endpoint} />
          ))}
        </div>
      ))}
      <Section id={words.problemsId} title={words.problems} text={words.problemsText}>
        <Fields fields={problem.fields} />
      </Section>
    </Part>
  );
}
