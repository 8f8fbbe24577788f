import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Site = Schemas["SiteView"];
export type Account = Schemas["AccountView"];
export type MailSent = Schemas["MailSent"];
export type Confirmed = Schemas["Confirmed"];
export type UsagePlan = Schemas["UsagePlanView"];
export type Limit = Schemas["LimitView"];
export type ApiKey = Schemas["ApiKeyView"];
export type CreatedApiKey = Schemas["CreatedApiKey"];
export type RotatedApiKey = Schemas["RotatedApiKey"];
export type Allowance = Schemas["Allowance"];
export type KeyAllowance = Schemas["KeyAllowance"];
export type UsageToday = Schemas["UsageToday"];
export type UsageRow = Schemas["UsageOfDay"];
export type RecentRequest = Schemas["RequestView"];
export type Role = Schemas["PersonView"]["role"];
export type PersonView = Schemas["PersonView"];
export type OwnedKey = Schemas["OwnedKeyView"];
export type ManagedPlan = Schemas["ManagedPlan"];
export type NewPlan = Schemas["NewPlan"];
export type PlanChange = Schemas["PlanChange"];
export type SiteUsage = Schemas["SiteUsage"];
export type AuditEntry = Schemas["AuditEntryView"];
export type UpstreamHealth = Schemas["UpstreamView"];
export type SignUpPolicy = Schemas["SignUpPolicy"];
export type Invitation = Schemas["InvitationView"];
