"use client";

import { CodeBlock } from "@/components/code-block";
import { keyInfoSnippet } from "@/features/snippets/key-commands";
import { exampleKey } from "@/features/snippets/snippets";
import { useExampleBaseUrl } from "@/features/snippets/use-example-base-url";

export function BaseUrl() {
  return <CodeBlock code={useExampleBaseUrl()} />;
}

export function KeyInfoRequest() {
  return <CodeBlock code={keyInfoSnippet({ baseUrl: useExampleBaseUrl(), key: exampleKey })} />;
}
