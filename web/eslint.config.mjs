import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, globalIgnores } from "eslint/config";
import nextVitals from "eslint-config-next/core-web-vitals";
import nextTypescript from "eslint-config-next/typescript";

// Imports in src point downwards in this list, and never from one feature to another.
const layers = [["app"], ["features"], ["components"], ["api", "time", "browser", "forms", "strings"]];
const root = fileURLToPath(new URL(".", import.meta.url));
const features = readdirSync(`${root}/src/features`);

const upwardImports = layers.slice(1).map((layer, index) => ({
  target: layer.map((directory) => `./src/${directory}`),
  from: layers.slice(0, index + 1).flat().map((directory) => `./src/${directory}`),
  message: "Imports point downwards: app, features, components, then api, time, browser, forms, strings.",
}));

const importsBetweenFeatures = features.map((feature) => ({
  target: `./src/features/${feature}`,
  from: "./src/features",
  except: [`./${feature}`],
  message: "One feature never imports another: move what both need into a layer below.",
}));

export default defineConfig([
  ...nextVitals,
  ...nextTypescript,
  {
    // eslint-config-next brings the plugin `import` and resolves `@/`.
    files: ["src/**"],
    rules: {
      "import/no-restricted-paths": [
        "error",
        { basePath: root, zones: [...upwardImports, ...importsBetweenFeatures] },
      ],
    },
  },
  {
    // Only a directory of a feature holds files, so that each file belongs to exactly one.
    files: ["src/**"],
    ignores: layers.flat().map((layer) => (layer === "features" ? "src/features/*/**" : `src/${layer}/**`)),
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "Program", message: "This file is outside every layer of src: move it into one." },
      ],
    },
  },
  globalIgnores([".next/**", "out/**", "next-env.d.ts", "src/api/schema.gen.ts"]),
]);
