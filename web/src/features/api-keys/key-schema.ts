import { z } from "@/forms/zod";
import { strings } from "@/strings";

const words = strings.keys;

export const keySchema = z.object({
  name: z.string().trim().min(1, words.nameMissing).max(64, words.nameLong),
  usage_plan_id: z.string(words.planMissing).min(1, words.planMissing),
});

export const rotationSchema = z.object({
  grace_seconds: z.coerce.number<string | number>().int().min(0).max(604_800),
});

export type KeyValues = z.infer<typeof keySchema>;
