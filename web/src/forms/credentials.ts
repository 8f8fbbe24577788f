import * as strings from "@/strings";
import * as z from "./zod";

const words = strings.session;

const email = z.pipe(z.string().check(z.trim()), z.email(words.emailInvalid));

const newPassword = z
  .string()
  .check(z.minLength(10, words.passwordShort), z.maxLength(256, words.passwordLong));

// The server alone checks existing passwords.
const password = z.string().check(z.minLength(1, words.passwordMissing));

export const signUpSchema = z.object({ email, password: newPassword });

/** With e-mail configured, the password is chosen later, so the field is hidden. */
export const signUpByMailSchema = z.object({ email, password: z.string() });

export const signInSchema = z.object({ email, password });

export const addressSchema = z.object({ email });

export const newPasswordSchema = z.object({ password: newPassword });

export const passwordChangeSchema = z.object({
  current_password: password,
  new_password: newPassword,
});

export const ownPasswordSchema = z.object({ password });

export const noPasswordSchema = z.object({ password: z.string() });
