/** Runs in the head so that a dark page never flashes white. Mirrors `theme.ts`. */
export const firstPaint = `(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("daypass.theme");
  } catch (forbidden) {
    // Fall back to the system's theme.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();`;
