"use client";

import { useRef, useState } from "react";
import { useLook, useRemoveLogo, useSetLogo } from "@/api/operator";
import { messageOf } from "@/api/problem";
import { reloadSiteStyles } from "@/browser/site-marks";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { toast } from "@/components/ui/toast";
import * as strings from "@/strings";

const words = strings.operator.look;
const mostBytes = 200 * 1024;

/** Upload, show and remove the logo. It is saved at once. */
export function LogoForm() {
  const { data: look } = useLook();
  const setLogo = useSetLogo();
  const removeLogo = useRemoveLogo();
  const input = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string>();

  async function save(file: File | undefined) {
    if (!file) return;
    setProblem(undefined);
    try {
      if (file.size > mostBytes) return setProblem(words.logoTooLarge);
      await setLogo.mutateAsync(file);
      reloadSiteStyles(true);
      toast(words.logoSaved);
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      // The same file can be chosen again after a change.
      if (input.current) input.current.value = "";
    }
  }

  async function remove() {
    setProblem(undefined);
    try {
      await removeLogo.mutateAsync();
      reloadSiteStyles(false);
      toast(words.logoRemoved);
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  return (
    <div role="group" aria-labelledby="logo" aria-describedby="logo-hint">
      <p id="logo" className="text-sm font-medium">
        {words.logo}
      </p>
      <div className="mt-1.5 flex flex-wrap items-center gap-3">
        {look?.logo && (
          // eslint-disable-next-line @next/next/no-img-element -- The export has no image optimiser.
          <img src={look.logo.url} alt={words.logoAlt} className="h-10 max-w-40 object-contain" />
        )}
        <input
          ref={input}
          type="file"
          accept="image/svg+xml,image/png"
          aria-label={words.logoFile}
          tabIndex={-1}
          className="sr-only"
          onChange={(event) => void save(event.target.files?.[0])}
        />
        <Button
          variant="secondary"
          size="small"
          pending={setLogo.isPending}
          onClick={() => input.current?.click()}
        >
          {look?.logo ? words.logoReplace : words.logoUpload}
        </Button>
        {look?.logo && (
          <Button
            variant="ghost"
            size="small"
            pending={removeLogo.isPending}
            onClick={() => void remove()}
          >
            {words.logoRemove}
          </Button>
        )}
      </div>
      <p id="logo-hint" className="mt-1.5 text-sm text-muted">
        {words.logoHint}
      </p>
      {problem && (
        <div className="mt-3">
          <Notice tone="danger" alert>
            {problem}
          </Notice>
        </div>
      )}
    </div>
  );
}
