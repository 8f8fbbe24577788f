import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.session;

const email = z.pipe(z.string().check(z.trim()), z.email(words.emailInvalid));

export const signUpSchema = z.object({
  email,
  password: z
    .string()
    .check(z.minLength(10, words.passwordShort), z.maxLength(256, words.passwordLong)),
});

/** An existing password is judged by the server alone. */
export const signInSchema = z.object({
  email,
  password: z.string().check(z.minLength(1, words.passwordMissing)),
});
