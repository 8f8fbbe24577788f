import type { LookView } from "@/api/types";
import * as strings from "@/strings";

const words = strings.operator.look;

/** The saved colour as each theme shows it, with its contrast. */
export function AccentShades({ look }: { look: LookView | undefined }) {
  const shades = [
    { theme: strings.nav.themes.light, shade: look?.accent_light },
    { theme: strings.nav.themes.dark, shade: look?.accent_dark },
  ];
  if (!look?.accent_light) return null;
  return (
    <ul aria-label={words.shades} className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-sm text-muted">
      {shades.map(
        ({ theme, shade }) =>
          shade && (
            <li key={theme} className="flex items-center gap-2">
              {/* The page's policy forbids inline styles. */}
              <svg aria-hidden viewBox="0 0 1 1" className="size-4 rounded-sm border">
                <rect width="1" height="1" fill={shade.colour} />
              </svg>
              {words.shade(theme, shade.colour, shade.contrast)}
            </li>
          ),
      )}
    </ul>
  );
}
