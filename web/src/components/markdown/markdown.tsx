import { isValidElement, memo, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { CodeBlock } from "@/components/code-block";
import * as strings from "@/strings";
import { splitBlocks } from "./blocks";

/** Render model output. Raw HTML stays text, nothing loads from elsewhere, and links go to the web only. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="markdown">
      {splitBlocks(text).map((block, index) => (
        // Blocks only grow at the end, so the index identifies them.
        <Block key={index} text={block} />
      ))}
    </div>
  );
}

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <ReactMarkdown remarkPlugins={plugins} components={components} urlTransform={webOnly}>
      {text}
    </ReactMarkdown>
  );
});

const plugins = [remarkGfm];

const components: Components = {
  a: ({ href, children }) => <WebLink href={href}>{children}</WebLink>,
  img: ({ src, alt }) => {
    const address = typeof src === "string" ? src : undefined;
    return <WebLink href={address}>{alt || address}</WebLink>;
  },
  pre: ({ children }) => (
    <div className="code-frame">
      <CodeBlock code={codeOf(children)} copyLabel={strings.chat.copyCode} />
    </div>
  ),
  table: ({ children }) => (
    <div className="table-frame" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

function WebLink({ href, children }: { href?: string; children: ReactNode }) {
  if (!href) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function webOnly(url: string): string {
  return /^https?:\/\//i.test(url) ? url : "";
}

function codeOf(children: ReactNode): string {
  if (!isValidElement<{ children?: ReactNode }>(children)) return "";
  return String(children.props.children ?? "").replace(/\n$/, "");
}
