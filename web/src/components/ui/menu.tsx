"use client";

import { Menu as Base } from "@base-ui/react/menu";
import clsx from "clsx";
import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { buttonStyles } from "./button";

type Props = { label: string; icon: ReactNode; children: ReactNode };

export function Menu({ label, icon, children }: Props) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger aria-label={label} title={label} className={buttonStyles({ variant: "ghost", size: "icon" })}>
        {icon}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={6} align="end" className="z-50 outline-none">
          <Base.Popup className="min-w-44 rounded-lg border bg-raised p-1 shadow-lg outline-none">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

const itemStyles =
  "flex cursor-default items-center gap-2 rounded-md px-3 py-2 text-sm outline-none select-none data-[highlighted]:bg-track/60";

type ItemProps = { icon?: ReactNode; danger?: boolean; onSelect: () => void; children: ReactNode };

export function MenuItem({ icon, danger, onSelect, children }: ItemProps) {
  return (
    <Base.Item onClick={onSelect} className={clsx(itemStyles, danger && "text-danger")}>
      {icon}
      {children}
    </Base.Item>
  );
}

type ChoiceProps<Value extends string> = {
  value: Value;
  options: { value: Value; label: string; icon: ReactNode }[];
  onChoose: (value: Value) => void;
};

export function MenuChoice<Value extends string>({ value, options, onChoose }: ChoiceProps<Value>) {
  return (
    <Base.RadioGroup value={value} onValueChange={onChoose}>
      {options.map((option) => (
        <Base.RadioItem key={option.value} value={option.value} closeOnClick className={itemStyles}>
          {option.icon}
          <span className="flex-1">{option.label}</span>
          <Base.RadioItemIndicator>
            <Check aria-hidden className="size-4 text-accent" />
          </Base.RadioItemIndicator>
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  );
}

export function MenuHeading({ children }: { children: ReactNode }) {
  return <div className="border-b px-3 pt-1.5 pb-2.5 mb-1 text-sm">{children}</div>;
}
