import type { NewUpstream, Upstream } from "@/api/types";
import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.upstreams;

export const auths = ["bearer", "x-api-key", "api-key"] as const;

type Provider = {
  id: keyof typeof words.providers;
  base_url: string;
  auth: (typeof auths)[number];
  needsKey: boolean;
};

/** What the form is filled with for a provider. Parts in capitals are for the operator to replace. */
export const providers: readonly Provider[] = [
  { id: "openai", base_url: "https://api.openai.com/v1", auth: "bearer", needsKey: true },
  { id: "azure", base_url: "https://RESOURCE.openai.azure.com/openai/v1", auth: "api-key", needsKey: true },
  { id: "anthropic", base_url: "https://api.anthropic.com/v1", auth: "bearer", needsKey: true },
  { id: "openrouter", base_url: "https://openrouter.ai/api/v1", auth: "bearer", needsKey: true },
  { id: "ollama", base_url: "http://localhost:11434/v1", auth: "bearer", needsKey: false },
  { id: "vllm", base_url: "http://HOST:8000/v1", auth: "bearer", needsKey: false },
  { id: "other", base_url: "", auth: "bearer", needsKey: false },
];

/** Return the provider with this address, or that of any other address. */
export function providerOf(base_url: string): Provider["id"] {
  const host = hostOf(base_url);
  if (host?.endsWith(".openai.azure.com")) return "azure";
  return providers.find((one) => host !== null && hostOf(one.base_url) === host)?.id ?? "other";
}

function hostOf(address: string): string | null {
  return URL.canParse(address) ? new URL(address).host : null;
}

const whole = (least: number, most: number) =>
  z.string().check(
    z.trim(),
    z.refine((text) => /^\d{1,4}$/.test(text) && Number(text) >= least && Number(text) <= most, {
      error: words.numberWrong(least, most),
    }),
  );

export const upstreamSchema = z.object({
  name: z.string().check(z.trim(), z.regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, words.nameWrong)),
  base_url: z.string().check(
    z.trim(),
    z.refine((text) => /^https?:\/\//.test(text) && URL.canParse(text), { error: words.addressWrong }),
    z.refine((text) => !/\/\/(HOST|RESOURCE)\b/.test(text), { error: words.addressPart }),
  ),
  api_key: z.string().check(z.trim()),
  auth: z.enum(auths),
  models: z.string(),
  aliases: z.string().check(
    z.refine((text) => linesOf(text).every((line) => aliasOf(line) !== null), { error: words.aliasesWrong }),
  ),
  weight: whole(1, 1_000),
  priority: whole(0, 1_000),
  measure_streams: z.enum(["default", "on", "off"]),
  test_model: z.string().check(z.trim()),
});

export type UpstreamValues = z.infer<typeof upstreamSchema>;

/** Return the form's initial values. A stored key is never among them. */
export function upstreamValues(upstream?: Upstream): UpstreamValues {
  const [first] = providers;
  return {
    name: upstream?.name ?? words.providers[first!.id],
    base_url: upstream?.base_url ?? first!.base_url,
    api_key: "",
    auth: upstream?.auth ?? first!.auth,
    models: upstream?.models.join(", ") ?? "",
    aliases: Object.entries(upstream?.aliases ?? {}).map((pair) => pair.join(" = ")).join("\n"),
    weight: String(upstream?.weight ?? 1),
    priority: String(upstream?.priority ?? 0),
    // Whether the upstream has a value of its own is not known, so it is left as it is.
    measure_streams: "default",
    test_model: "",
  };
}

/** Convert form values for the portal. What is left out keeps its value: a stored key, and the site's
 * setting for measuring streams. */
export function upstreamOf(values: UpstreamValues): NewUpstream {
  return {
    name: values.name,
    base_url: values.base_url,
    ...(values.api_key && { api_key: values.api_key }),
    auth: values.auth,
    models: values.models.split(/[\s,]+/).filter(Boolean),
    aliases: Object.fromEntries(linesOf(values.aliases).flatMap((line) => [aliasOf(line) ?? []])),
    weight: Number(values.weight),
    priority: Number(values.priority),
    ...(values.measure_streams !== "default" && { measure_streams: values.measure_streams === "on" }),
  };
}

function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** Read a line such as `small = gpt-4o-mini`. */
function aliasOf(line: string): [string, string] | null {
  const [alias = "", model = "", ...more] = line.split("=").map((part) => part.trim());
  return alias && model && more.length === 0 ? [alias, model] : null;
}
