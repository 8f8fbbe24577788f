import * as z from "zod";

// Zod otherwise probes for eval, which the site's CSP reports. Every schema imports zod from here.
z.config({ jitless: true });

export { z };
