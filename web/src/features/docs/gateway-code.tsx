"use client";

import { CodeBlock } from "@/components/code-block";
import { keyInfoSnippet } from "@/components/snippets/key-commands";
import { exampleKey } from "@/components/snippets/snippets";
import { useExampleBaseUrl } from "@/components/snippets/use-example-base-url";

export function BaseUrl() {
  return <CodeBlock code={useExampleBaseUrl()} />;
}

export function KeyInfoRequest() {
  return <CodeBlock code={keyInfoSnippet({ baseUrl: useExampleBaseUrl(), key: exampleKey })} />;
}
