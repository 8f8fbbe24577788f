"use client";

import Link from "next/link";
import { lazy, Suspense, useState, type ReactNode } from "react";
import { useForm } from "react-hook-form";
import { useChangeSettings } from "@/api/operator";
import { useSite } from "@/api/site";
import { Button, buttonStyles } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { showProblem } from "@/forms/show-problem";
import * as strings from "@/strings";

// Most visits to the overview do not need the form.
const UpstreamDialog = lazy(async () => ({ default: (await import("./upstream-dialog")).UpstreamDialog }));

const { steps: words } = strings.checklist;
const link = buttonStyles({ variant: "secondary", size: "small" });

type Props = { onConfirm: () => void };

export function UpstreamStep() {
  const [open, setOpen] = useState(false);
  return (
    <Step text={words.upstream.text}>
      <Button size="small" onClick={() => setOpen(true)}>
        {words.upstream.action}
      </Button>
      {open && (
        <Suspense>
          <UpstreamDialog onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </Step>
  );
}

export function PlansStep({ onConfirm }: Props) {
  return (
    <Step text={words.plans.text}>
      <Link href="/operator/plans/" className={link}>
        {words.plans.action}
      </Link>
      <Button variant="secondary" size="small" onClick={onConfirm}>
        {words.plans.confirm}
      </Button>
    </Step>
  );
}

export function NameStep() {
  const change = useChangeSettings();
  const form = useForm({ defaultValues: { site_name: "" } });
  const { errors, isSubmitting } = form.formState;

  const submit = form.handleSubmit(async ({ site_name }) => {
    try {
      await change.mutateAsync({ site_name: site_name.trim() });
    } catch (error) {
      showProblem(form, error);
    }
  });

  return (
    <form noValidate onSubmit={submit}>
      <Step text={words.name.text}>
        <Field
          label={words.name.label}
          error={errors.site_name?.message ?? errors.root?.server?.message}
          className="w-full max-w-xs"
        >
          {(control) => (
            <Input
              {...control}
              {...form.register("site_name", {
                validate: (name) => name.trim() !== "" || words.name.missing,
              })}
              autoComplete="off"
            />
          )}
        </Field>
        <Button type="submit" variant="secondary" className="mt-auto" pending={isSubmitting}>
          {words.name.action}
        </Button>
      </Step>
    </form>
  );
}

export function ShareStep({ onConfirm }: Props) {
  const { data: site } = useSite();
  if (!site) return null;
  const address = `${window.location.origin}/sign-up/`;
  return (
    <Step text={words.share.text[site.sign_up]}>
      {site.sign_up === "open" && (
        <div className="flex w-full max-w-xl flex-wrap items-center gap-3 rounded-lg border p-2 pl-3">
          <code aria-label={words.share.link} className="min-w-0 flex-1 basis-48 font-mono text-sm break-all select-all">
            {address}
          </code>
          <CopyButton text={address} label={words.share.copy} />
        </div>
      )}
      {site.sign_up === "invite" && (
        <Link href="/operator/sign-up/" className={link}>
          {words.share.invite}
        </Link>
      )}
      <Link href="/operator/settings/" className={link}>
        {words.share.mode}
      </Link>
      {site.sign_up === "open" && (
        <Button variant="secondary" size="small" onClick={onConfirm}>
          {words.share.confirm}
        </Button>
      )}
    </Step>
  );
}

function Step({ text, children }: { text: string; children: ReactNode }) {
  return (
    <>
      <p className="mt-1 max-w-2xl text-sm leading-6 text-muted">{text}</p>
      <div className="mt-3 flex flex-wrap gap-2">{children}</div>
    </>
  );
}
