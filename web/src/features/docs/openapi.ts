import * as strings from "@/strings";

// The subset of OpenAPI 3.1 and JSON Schema that the portal's document uses.
export type Schema = {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
};

type Content = Record<string, { schema?: Schema }>;
type Parameter = { name: string; required?: boolean; description?: string; schema: Schema };

type Operation = {
  operationId: string;
  tags?: string[];
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
};

export type OpenApi = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

export type Field = { name: string; type: string; required: boolean; text: string };
export type Body = { text: string; fields: Field[]; example?: string };

export type Endpoint = {
  id: string;
  method: string;
  path: string;
  title: string;
  text: string;
  parameters: Field[];
  body: Body | null;
  /** Undefined if the document defines no body. */
  responses: { status: string; isProblem: boolean; body: Body | null }[];
};

const words = strings.docs.schema;

/** Return the endpoints by tag, in document order. */
export function endpointsByTag(api: OpenApi): { tag: string; endpoints: Endpoint[] }[] {
  const groups = new Map<string, Endpoint[]>();
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? "";
      groups.set(tag, [...(groups.get(tag) ?? []), endpointOf(api, method, path, operation)]);
    }
  }
  return [...groups].map(([tag, endpoints]) => ({ tag, endpoints }));
}

export function bodyOf(api: OpenApi, schema: Schema): Body {
  const whole = resolve(api, nonNull(schema));
  const single = whole.items ? resolve(api, whole.items) : whole;
  const text = single.description ?? "";
  const [example] = single.examples ?? [];
  return {
    text: whole.items ? strings.docs.portal.listOf(text) : text,
    fields: fieldsOf(api, single),
    example: example === undefined ? undefined : JSON.stringify(example, null, 2),
  };
}

function endpointOf(api: OpenApi, method: string, path: string, operation: Operation): Endpoint {
  const request = schemaOf(operation.requestBody?.content);
  return {
    id: operation.operationId.replaceAll("_", "-"),
    method: method.toUpperCase(),
    path,
    title: toSentence(operation.summary),
    text: operation.description ?? "",
    parameters: (operation.parameters ?? []).map(({ name, required = false, description, schema }) => ({
      name,
      type: typeOf(api, schema),
      required,
      text: description ?? "",
    })),
    body: request ? bodyOf(api, request) : null,
    responses: Object.entries(operation.responses).map(([status, { content }]) => {
      const schema = schemaOf(content);
      return {
        status,
        isProblem: Boolean(content && "application/problem+json" in content),
        body: schema ? bodyOf(api, schema) : null,
      };
    }),
  };
}

/** Return the properties, with nested ones as `outer.inner` and `outer[].inner`. */
function fieldsOf(api: OpenApi, schema: Schema, prefix = ""): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, member]) => {
    const name = prefix + key;
    const value = resolve(api, nonNull(member));
    const inner = value.items ? resolve(api, value.items) : value;
    return [
      {
        name,
        type: typeOf(api, member),
        required: schema.required?.includes(key) ?? false,
        text: member.description ?? value.description ?? "",
      },
      ...fieldsOf(api, inner, `${name}${value.items ? "[]" : ""}.`),
    ];
  });
}

function typeOf(api: OpenApi, schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map((option) => typeOf(api, option)).join(words.or);
  const { type = "", format, items, ...rest } = resolve(api, schema);
  if (items) return words.arrayOf(typeOf(api, items));
  const values = rest.enum?.map((value) => JSON.stringify(value)).join(words.or);
  const fixed = rest.const === undefined ? undefined : words.always(JSON.stringify(rest.const));
  const first = values ?? fixed ?? (format ? `${type} (${format})` : type);
  return [first, ...limitsOf(rest)].join(", ");
}

function limitsOf(schema: Schema): string[] {
  const { minLength, maxLength, minimum, maximum } = schema;
  const limits: string[] = [];
  if ((minLength ?? maxLength) !== undefined) limits.push(words.length(minLength, maxLength));
  if ((minimum ?? maximum) !== undefined) limits.push(words.range(minimum, maximum));
  if (schema.default !== undefined) limits.push(words.initially(JSON.stringify(schema.default)));
  return limits;
}

function resolve(api: OpenApi, schema: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return (name !== undefined && api.components.schemas[name]) || schema;
}

function nonNull(schema: Schema): Schema {
  return schema.anyOf?.find(({ type }) => type !== "null") ?? schema;
}

function schemaOf(content: Content | undefined): Schema | undefined {
  return Object.values(content ?? {})[0]?.schema;
}

/** The document's titles are generated from function names: "List Api Keys". */
function toSentence(title: string): string {
  return title
    .split(" ")
    .map((word, index) => {
      if (/^(api|i)$/i.test(word)) return word.toUpperCase();
      return index === 0 ? word : word.toLowerCase();
    })
    .join(" ");
}
