import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.keys;

export const keySchema = z.object({
  name: z
    .string()
    .check(z.trim(), z.minLength(1, words.nameMissing), z.maxLength(80, words.nameLong)),
  usage_plan_id: z.string(words.planMissing).check(z.minLength(1, words.planMissing)),
});

export const rotationSchema = z.object({
  // A select's value is a string.
  grace_seconds: z.coerce.number<string | number>().check(z.minimum(0), z.maximum(604_800)),
});

export type KeyValues = z.infer<typeof keySchema>;
