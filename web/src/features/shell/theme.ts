import { useEffect } from "react";
import { storedValue } from "@/browser/stored-value";

export type Theme = "light" | "dark" | "system";

// first-paint.ts reads the same name.
const choice = storedValue("daypass.theme");

export function useTheme(): [Theme, (theme: Theme) => void] {
  const stored = choice.useValue();
  const theme = stored === "light" || stored === "dark" ? stored : "system";

  useEffect(() => {
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const apply = () =>
      document.documentElement.classList.toggle(
        "dark",
        theme === "dark" || (theme === "system" && system.matches),
      );
    apply();
    system.addEventListener("change", apply);
    return () => system.removeEventListener("change", apply);
  }, [theme]);

  return [theme, (next) => choice.set(next === "system" ? null : next)];
}
