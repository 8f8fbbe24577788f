import * as strings from "@/strings";

const { pages } = strings.operator;

/** The operator's pages in the order of the header. A line here links a page and gives its heading. */
export const operatorPages = [
  { href: "/operator/", label: pages.overview },
  { href: "/operator/people/", label: pages.people },
  { href: "/operator/keys/", label: pages.keys },
  { href: "/operator/plans/", label: pages.plans },
  { href: "/operator/sign-up/", label: pages.signUp },
  { href: "/operator/settings/", label: pages.settings },
  { href: "/operator/audit-log/", label: pages.audit },
];
