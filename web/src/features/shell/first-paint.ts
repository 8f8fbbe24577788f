/** Runs in the page's head, so that a dark page never flashes white. The same choice as in `theme.ts`. */
export const firstPaint = `(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("daypass.theme");
  } catch (forbidden) {
    // The system's choice then holds.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();`;
