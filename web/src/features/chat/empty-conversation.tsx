import * as strings from "@/strings";

const words = strings.chat;

/** Without `onSuggest`, sending is not possible yet. */
export function EmptyConversation({ onSuggest }: { onSuggest?: (text: string) => void }) {
  return (
    <div className="my-auto py-10">
      <h2 className="text-2xl font-semibold tracking-tight">{words.emptyTitle}</h2>
      <p className="mt-2 text-muted">{words.emptyText}</p>
      <ul className="mt-6 flex flex-wrap gap-2">
        {words.suggestions.map((text) => (
          <li key={text}>
            <button
              type="button"
              disabled={!onSuggest}
              onClick={() => onSuggest?.(text)}
              className="rounded-full border bg-raised px-4 py-2 text-left text-sm hover:border-line-strong"
            >
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
