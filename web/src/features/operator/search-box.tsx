"use client";

import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Input } from "@/components/ui/input";
import * as strings from "@/strings";

const pause = 250;

type Props = { placeholder: string; onSearch: (text: string) => void };

/** Search when typing pauses. */
export function SearchBox({ placeholder, onSearch }: Props) {
  const [text, setText] = useState("");
  const asked = useRef("");

  useEffect(() => {
    if (text === asked.current) return;
    const timer = setTimeout(() => {
      asked.current = text;
      onSearch(text);
    }, pause);
    return () => clearTimeout(timer);
  }, [text, onSearch]);

  return (
    <div className="relative mb-4 max-w-md">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted"
      />
      <Input
        type="search"
        aria-label={strings.operator.search}
        placeholder={placeholder}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className="pl-9"
      />
    </div>
  );
}
