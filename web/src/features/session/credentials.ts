import { z } from "@/forms/zod";
import { strings } from "@/strings";

const words = strings.session;

const email = z.string().trim().pipe(z.email(words.emailInvalid));

export const signUpSchema = z.object({
  email,
  password: z.string().min(10, words.passwordShort).max(128, words.passwordLong),
});

/** An existing password is judged by the server alone. */
export const signInSchema = z.object({
  email,
  password: z.string().min(1, words.passwordMissing),
});
