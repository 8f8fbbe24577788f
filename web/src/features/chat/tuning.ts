import * as z from "@/forms/zod";
import * as strings from "@/strings";
import type { Tuning } from "./conversation-store";

export const tuningSchema = z.object({
  instructions: z.string(),
  // OpenAI's API accepts 0 to 2. An empty field uses the model's default.
  temperature: z
    .string()
    .check(z.trim(), z.regex(/^(?:[01](?:[.,]\d{1,2})?|2(?:[.,]0{1,2})?)?$/, strings.chat.temperatureWrong)),
});

type Values = z.infer<typeof tuningSchema>;

export function toTuning({ instructions, temperature }: Values): Tuning {
  return {
    instructions,
    temperature: temperature === "" ? null : Number(temperature.replace(",", ".")),
  };
}

export function valuesOf({ instructions, temperature }: Tuning): Values {
  return { instructions, temperature: String(temperature ?? "") };
}
