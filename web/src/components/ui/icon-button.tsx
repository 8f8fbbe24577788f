import type { LucideIcon } from "lucide-react";
import { Button } from "./button";

type Props = { icon: LucideIcon; label: string; onClick: () => void };

/** A quiet button: its label is for those who point at it, and for screen readers. */
export function IconButton({ icon: Icon, label, onClick }: Props) {
  return (
    <Button variant="ghost" size="icon" aria-label={label} title={label} onClick={onClick}>
      <Icon aria-hidden className="size-4" />
    </Button>
  );
}
