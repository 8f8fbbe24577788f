import { config } from "zod/mini";

// Zod otherwise probes for eval, which the site's CSP reports. Every schema imports zod from here.
config({ jitless: true });

// By name, so that the build leaves out the rest; the small variant is a seventh of the whole.
export {
  boolean,
  coerce,
  email,
  maximum,
  maxLength,
  minimum,
  minLength,
  number,
  object,
  pipe,
  refine,
  regex,
  string,
  trim,
  type infer,
} from "zod/mini";
