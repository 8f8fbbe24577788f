"use client";

import { Contrast } from "lucide-react";
import * as strings from "@/strings";
import { useTheme, type Theme } from "./theme";

const { theme: label, themes } = strings.nav;

/** An icon over a native select, to keep every page's first load small. */
export function ThemeSelect() {
  const [theme, setTheme] = useTheme();
  return (
    <span className="relative grid size-9 shrink-0 place-items-center rounded-lg text-muted hover:bg-surface hover:text-foreground has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent">
      <Contrast aria-hidden className="size-4" />
      <select
        aria-label={label}
        title={label}
        value={theme}
        onChange={(event) => setTheme(event.target.value as Theme)}
        className="absolute inset-0 appearance-none text-foreground opacity-0"
      >
        <option value="light">{themes.light}</option>
        <option value="dark">{themes.dark}</option>
        <option value="system">{themes.system}</option>
      </select>
    </span>
  );
}
