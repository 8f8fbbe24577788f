import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.keys;

export const keySchema = z.object({
  name: z
    .string()
    .check(z.trim(), z.minLength(1, words.nameMissing), z.maxLength(80, words.nameLong)),
  usage_plan_id: z.string(words.planMissing).check(z.minLength(1, words.planMissing)),
});

const mostModels = 50;

/** An expired key keeps its expiry, `present`, while something else is edited. */
export const editSchema = (present: string) =>
  z.object({
    ...keySchema.shape,
    note: z.string().check(z.trim(), z.maxLength(500, words.noteLong)),
    /** The value of a `datetime-local` input. */
    expires_at: z
      .string()
      .check(z.refine((value) => value === present || isFutureOrEmpty(value), words.expiryPast)),
    /** Names separated by commas or spaces. */
    allowed_models: z
      .string()
      .check(z.refine((value) => modelsOf(value).length <= mostModels, words.modelsMany(mostModels))),
  });

/** Return the models in a text, separated by commas or spaces. */
export function modelsOf(value: string): string[] {
  return [...new Set(value.split(/[\s,]+/).filter(Boolean))];
}

function isFutureOrEmpty(value: string): boolean {
  return value === "" || new Date(value).getTime() > Date.now();
}

export const rotationSchema = z.object({
  // A select's value is a string.
  grace_seconds: z.coerce.number<string | number>().check(z.minimum(0), z.maximum(604_800)),
});

export type KeyValues = z.infer<typeof keySchema>;
export type EditValues = z.infer<ReturnType<typeof editSchema>>;
