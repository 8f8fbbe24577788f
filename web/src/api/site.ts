import { useQuery } from "@tanstack/react-query";
import { useMarkedName } from "@/browser/site-marks";
import * as strings from "@/strings";
import { portal } from "./client";
import { useOnceHydrated } from "./once-hydrated";

export function useSite() {
  const site = useQuery({
    queryKey: ["site"],
    queryFn: ({ signal }) => portal.GET("/api/site", { signal }),
    staleTime: 5 * 60_000,
  });
  return useOnceHydrated(site);
}

/** Return the name of the site: without flicker, because the page is marked with it. */
export function useSiteName(): string {
  const marked = useMarkedName();
  const { data } = useSite();
  return (data ? data.site_name : marked) ?? strings.product;
}

/** Whether AWS API Gateway enforces limits. It counts differently, and only calls with a key. */
export function useEnforcedByAws(): boolean {
  return useSite().data?.enforcer === "aws";
}

/** Return the base URL for programs: the configured URL or this site's own. Null until known. */
export function useGatewayBaseUrl(): string | null {
  const { data } = useSite();
  if (!data) return null;
  return data.gateway_base_url ?? `${window.location.origin}/v1`;
}
