import { useGatewayBaseUrl } from "@/api/site";

/** The base URL to print where nothing is called: a likeness of one until the real one is known. */
export function useExampleBaseUrl(): string {
  return useGatewayBaseUrl() ?? "https://…/v1";
}
