"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import { useRotateApiKey } from "@/api/api-keys";
import { useEnforcedByAws } from "@/api/site";
import { showProblem } from "@/forms/show-problem";
import type { ApiKey, RotatedApiKey } from "@/api/types";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import * as strings from "@/strings";
import { DialogForm } from "@/components/dialog-form";
import { rotationSchema } from "./key-schema";

const words = strings.keys;

type Props = { apiKey: ApiKey; onClose: () => void; onRotated: (rotated: RotatedApiKey) => void };

export function RotateKeyDialog({ apiKey, onClose, onRotated }: Props) {
  const rotate = useRotateApiKey();
  const enforcedByAws = useEnforcedByAws();
  const form = useForm({
    resolver: zodResolver(rotationSchema),
    defaultValues: { grace_seconds: words.graces[0]?.seconds ?? 0 },
  });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async ({ grace_seconds }) => {
    try {
      const rotated = await rotate.mutateAsync({ id: apiKey.id, grace_seconds });
      rotate.reset();
      onRotated(rotated);
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <Dialog onClose={onClose} title={words.rotateTitle} description={words.rotateText(apiKey.name)}>
      <DialogForm
        onSubmit={submit}
        onCancel={onClose}
        submitLabel={words.rotate}
        pending={isSubmitting}
        error={errors.root?.server?.message}
      >
        {enforcedByAws ? (
          <p className="text-sm text-muted">{words.noGrace}</p>
        ) : (
          <Field label={words.grace} error={errors.grace_seconds?.message}>
            {(control) => (
              <Select {...control} {...form.register("grace_seconds")}>
                {words.graces.map(({ seconds, label }) => (
                  <option key={seconds} value={seconds}>
                    {label}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
      </DialogForm>
    </Dialog>
  );
}
