import { Ellipsis, Pencil, RotateCw, Trash2 } from "lucide-react";
import type { ApiKey, UsagePlan } from "@/api/types";
import { ResetClock } from "@/components/reset-clock";
import { SinceClock } from "@/components/since-clock";
import { Menu, MenuItem } from "@/components/ui/menu";
import { Meter } from "@/components/ui/meter";
import { strings } from "@/strings";
import type { KeyAction } from "./key-list";

const words = strings.keys;
const icon = "size-4";

type Props = {
  apiKey: ApiKey;
  plan: UsagePlan | undefined;
  onAction: (action: KeyAction) => void;
};

export function KeyCard({ apiKey, plan, onAction }: Props) {
  const { name, prefix, last4, used, limit, remaining, resets_at, last_used_at } = apiKey;
  return (
    <li className="rounded-xl border bg-raised p-5">
      <div className="flex items-start gap-3">
        <div className="min-w-0 flex-1">
          <h3 className="font-medium break-words">{name}</h3>
          <p className="mt-1 flex flex-wrap gap-x-3 gap-y-1 text-sm text-muted">
            <code className="font-mono">
              {prefix}…{last4}
            </code>
            <span>{plan?.name ?? apiKey.usage_plan_id}</span>
          </p>
        </div>
        <Menu label={words.menu(name)} icon={<Ellipsis aria-hidden className={icon} />}>
          <MenuItem icon={<Pencil aria-hidden className={icon} />} onSelect={() => onAction("edit")}>
            {words.edit}
          </MenuItem>
          <MenuItem icon={<RotateCw aria-hidden className={icon} />} onSelect={() => onAction("rotate")}>
            {words.rotate}
          </MenuItem>
          <MenuItem danger icon={<Trash2 aria-hidden className={icon} />} onSelect={() => onAction("delete")}>
            {words.delete}
          </MenuItem>
        </Menu>
      </div>
      <div className="mt-5">
        <div className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4 text-sm">
          <span className="font-medium tabular-nums">{words.left(remaining)}</span>
          <span className="text-muted tabular-nums">{words.ofLimit(used, limit)}</span>
        </div>
        <Meter used={used} limit={limit} label={words.used(used, limit)} />
      </div>
      <p className="mt-3 flex flex-wrap justify-between gap-x-4 gap-y-1 text-sm text-muted">
        <ResetClock at={resets_at} />
        {last_used_at ? <SinceClock at={last_used_at} /> : <span>{words.neverUsed}</span>}
      </p>
    </li>
  );
}
