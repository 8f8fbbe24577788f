import document from "../../../openapi.json";
import { bodyOf, endpointsByTag, type OpenApi } from "./openapi";

// Read at build time. Only what the page shows reaches the browser.
const api = document as unknown as OpenApi;

export const portalEndpoints = endpointsByTag(api);
export const problem = bodyOf(api, { $ref: "#/components/schemas/Problem" });
