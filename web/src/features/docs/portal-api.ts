import document from "../../../openapi.json";
import { bodyOf, endpointsByTag, type OpenApi } from "./openapi";

// Read while the site is built; only what the page shows of it reaches a browser.
const api = document as unknown as OpenApi;

export const portalEndpoints = endpointsByTag(api);
export const problem = bodyOf(api, { $ref: "#/components/schemas/Problem" });
