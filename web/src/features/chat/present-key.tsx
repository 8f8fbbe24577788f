"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { holdKey } from "@/api/held-keys";
import type { ApiKey } from "@/api/types";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import * as z from "@/forms/zod";
import * as strings from "@/strings";

const words = strings.chat;

/** Ask for the key's secret, which the portal does not store. */
export function PresentKey({ apiKey, baseUrl }: { apiKey: ApiKey; baseUrl: string }) {
  const { id, name, prefix, last4 } = apiKey;
  const schema = z.object({
    key: z
      .string()
      .check(
        z.trim(),
        z.regex(new RegExp(`^${prefix}\\w*${last4}$`), words.needKeyWrong(`${prefix}…${last4}`)),
      ),
  });
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { key: "" } });
  return (
    <form
      noValidate
      onSubmit={form.handleSubmit(({ key }) => holdKey(id, { key, baseUrl }))}
      className="mx-auto w-full max-w-lg space-y-5 px-4 py-20"
    >
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">{words.needKeyTitle}</h1>
        <p className="mt-3 leading-7 text-muted">{words.needKeyText}</p>
      </div>
      <Field
        label={words.needKeyLabel(name)}
        hint={`${prefix}…${last4}`}
        error={form.formState.errors.key?.message}
      >
        {(control) => (
          <Input
            {...control}
            {...form.register("key")}
            type="password"
            autoComplete="off"
            spellCheck={false}
          />
        )}
      </Field>
      <Button type="submit">{words.needKeyUse}</Button>
    </form>
  );
}
