import * as strings from "@/strings";

const { pages } = strings.operator;

type OperatorPage = {
  href: string;
  label: string;
  /** The page about one entry of this list. The header has no link to it. */
  details?: { href: string; label: string };
};

/** The operator's pages in the order of the header. A line here links a page and gives its heading. */
export const operatorPages: OperatorPage[] = [
  { href: "/operator/", label: pages.overview },
  { href: "/operator/live/", label: pages.live },
  {
    href: "/operator/people/",
    label: pages.people,
    details: { href: "/operator/person/", label: pages.person },
  },
  { href: "/operator/keys/", label: pages.keys },
  { href: "/operator/plans/", label: pages.plans },
  { href: "/operator/upstreams/", label: pages.upstreams },
  { href: "/operator/sign-up/", label: pages.signUp },
  { href: "/operator/settings/", label: pages.settings },
  { href: "/operator/audit-log/", label: pages.audit },
  { href: "/operator/tokens/", label: pages.tokens },
];
