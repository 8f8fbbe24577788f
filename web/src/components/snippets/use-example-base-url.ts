import { useGatewayBaseUrl } from "@/api/site";

/** Return the base URL for examples: a placeholder until the real one is known. */
export function useExampleBaseUrl(): string {
  return useGatewayBaseUrl() ?? "https://…/v1";
}
