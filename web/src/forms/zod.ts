import { config } from "zod/mini";

// Zod otherwise probes for eval, which the site's CSP reports. Every schema imports zod from here.
config({ jitless: true });

// Named imports let the build drop the rest. The mini variant is a seventh of the size.
export {
  array,
  boolean,
  catch,
  coerce,
  email,
  enum,
  maximum,
  maxLength,
  minimum,
  minLength,
  nullable,
  number,
  object,
  optional,
  pipe,
  refine,
  regex,
  string,
  trim,
  type infer,
  type ZodMiniType,
} from "zod/mini";
