import type { LucideIcon } from "lucide-react";
import { Button } from "./button";

type Props = { icon: LucideIcon; label: string; onClick: () => void };

/** A quiet button. Its label serves as tooltip and as text for screen readers. */
export function IconButton({ icon: Icon, label, onClick }: Props) {
  return (
    <Button variant="ghost" size="icon" aria-label={label} title={label} onClick={onClick}>
      <Icon aria-hidden className="size-4" />
    </Button>
  );
}
