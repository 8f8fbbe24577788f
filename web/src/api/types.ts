import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Site = Schemas["Site"];
export type Account = Schemas["Account"];
export type UsagePlan = Schemas["UsagePlan"];
export type Limit = Schemas["Limit"];
export type ApiKey = Schemas["ApiKey"];
export type CreatedApiKey = Schemas["CreatedApiKey"];
export type RotatedApiKey = Schemas["RotatedApiKey"];
export type UsageToday = Schemas["UsageToday"];
export type UsageRow = Schemas["UsageRow"];
