"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useChangeUpstream, useCreateUpstream } from "@/api/operator";
import type { Upstream } from "@/api/types";
import { DialogForm } from "@/components/dialog-form";
import { PasswordInput } from "@/components/password-input";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { showProblem } from "@/forms/show-problem";
import * as strings from "@/strings";
import { UpstreamAdvanced } from "./upstream-advanced";
import { UpstreamTester } from "./upstream-test";
import {
  providerOf,
  providers,
  upstreamOf,
  upstreamSchema,
  upstreamValues,
  type UpstreamValues,
} from "./upstream-values";

const words = strings.upstreams;

/** Add an upstream, or edit `upstream` if given. Its stored key is never shown. */
export function UpstreamDialog({ upstream, onClose }: { upstream?: Upstream; onClose: () => void }) {
  const create = useCreateUpstream();
  const change = useChangeUpstream();
  const form = useForm<UpstreamValues>({
    resolver: zodResolver(upstreamSchema),
    defaultValues: upstreamValues(upstream),
  });
  const { errors, isSubmitting } = form.formState;
  const [providerId, setProviderId] = useState(upstream ? providerOf(upstream.base_url) : providers[0]!.id);
  const provider = providers.find(({ id }) => id === providerId);

  function choose(id: string) {
    const next = providers.find((one) => one.id === id)!;
    setProviderId(next.id);
    form.setValue("base_url", next.base_url);
    form.setValue("auth", next.auth);
    if (!upstream) form.setValue("name", next.id === "other" ? "" : words.providers[next.id]);
    form.clearErrors();
  }

  const submit = form.handleSubmit(async (values) => {
    try {
      if (upstream) await change.mutateAsync({ id: upstream.id, ...upstreamOf(values) });
      else await create.mutateAsync(upstreamOf(values));
      toast(upstream ? words.changed : words.added);
      onClose();
    } catch (error) {
      showProblem(form, error);
    }
  });

  async function tested() {
    if (!(await form.trigger(["base_url", "api_key"], { shouldFocus: true }))) return undefined;
    const values = form.getValues();
    const { base_url, auth, api_key } = upstreamOf(values);
    const model = values.test_model.trim();
    return { base_url, auth, ...(api_key && { api_key }), ...(model && { model }), ...(upstream && { id: upstream.id }) };
  }

  return (
    <Dialog wide onClose={onClose} title={upstream ? words.editTitle : words.newTitle} description={words.dialogText}>
      <DialogForm
        onSubmit={submit}
        onCancel={onClose}
        submitLabel={upstream ? strings.actions.save : words.add}
        pending={isSubmitting}
        error={errors.root?.server?.message}
      >
        <Field label={words.provider} hint={words.providerHints[providerId]}>
          {(control) => (
            <Select {...control} value={providerId} onChange={(event) => choose(event.target.value)}>
              {providers.map(({ id }) => (
                <option key={id} value={id}>
                  {words.providers[id]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field
          label={words.apiKey}
          hint={upstream?.has_api_key ? words.keepKey(upstream.key_last4) : provider?.needsKey ? undefined : words.keyOptional}
          error={errors.api_key?.message}
        >
          {(control) => (
            <PasswordInput {...control} {...form.register("api_key")} autoComplete="off" spellCheck={false} />
          )}
        </Field>
        <Field label={words.address} hint={words.addressHint} error={errors.base_url?.message}>
          {(control) => (
            <Input {...control} {...form.register("base_url")} inputMode="url" autoComplete="off" spellCheck={false} />
          )}
        </Field>
        <Field label={words.name} error={errors.name?.message}>
          {(control) => <Input {...control} {...form.register("name")} autoComplete="off" />}
        </Field>
        <UpstreamAdvanced form={form} upstream={upstream} />
        <UpstreamTester onTest={tested} />
      </DialogForm>
    </Dialog>
  );
}
