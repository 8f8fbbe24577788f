import * as strings from "@/strings";
import { portalEndpoints } from "./portal-api";

const { gateway, portal } = strings.docs;

/** Links to all sections of the page. */
export function Contents() {
  return (
    <ul className="space-y-6 text-sm">
      <li>
        <PartLink id={gateway.id} title={gateway.title} />
        <Entries entries={Object.values(gateway.sections)} />
      </li>
      <li>
        <PartLink id={portal.id} title={portal.title} />
        {portalEndpoints.map(({ tag, endpoints }) => (
          <Entries key={tag} entries={endpoints} />
        ))}
        <Entries entries={[{ id: portal.problemsId, title: portal.problems }]} />
      </li>
    </ul>
  );
}

function PartLink({ id, title }: { id: string; title: string }) {
  return (
    <a href={`#${id}`} className="rounded-sm font-medium hover:underline">
      {title}
    </a>
  );
}

function Entries({ entries }: { entries: { id: string; title: string }[] }) {
  return (
    <ul className="mt-2 space-y-1 border-l">
      {entries.map(({ id, title }) => (
        <li key={id}>
          <a
            href={`#${id}`}
            className="-ml-px block border-l border-transparent py-0.5 pl-3 text-muted hover:border-foreground hover:text-foreground"
          >
            {title}
          </a>
        </li>
      ))}
    </ul>
  );
}
